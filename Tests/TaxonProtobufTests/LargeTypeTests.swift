// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TaxonProtobuf

private typealias LargeOpenEnum = Taxon_Test_Large_Open
private typealias LargeClosedEnum = Taxon_Test_Large_Closed
private typealias LargeByteEnum = Taxon_Test_Large_ClosedInAByte
private typealias LargeEnums = Taxon_Test_Large_Enums
private typealias WideMessage = Taxon_Test_Large_Wide

/// Enums with very many values, and messages with very many fields, which have code of another form.
@Suite struct LargeTypeTests {
  private func numbersComeBack<Value: ProtobufEnum>(_ type: Value.Type) throws {
    for (name, number) in Value.descriptor.values {
      let value = try #require(Value(rawValue: number))
      #expect(value.rawValue == number, "\(name)")
      #expect(Value.descriptor.number(of: name) == number)
    }
    let values = Set(Value.descriptor.values.compactMap { Value(rawValue: $0.number) })
    #expect(values.count == Set(Value.descriptor.values.map(\.number)).count)
  }

  @Test func everyNumberIsThatOfACase() throws {
    try numbersComeBack(LargeOpenEnum.self)
    try numbersComeBack(LargeClosedEnum.self)
    try numbersComeBack(LargeByteEnum.self)
  }

  @Test func casesAreThoseOfTheirNumbers() {
    #expect(LargeOpenEnum(rawValue: 0) == .unspecified)
    #expect(LargeOpenEnum(rawValue: 7) == .value6)
    #expect(LargeOpenEnum.alias == .value6)
    #expect(LargeOpenEnum.value299.rawValue == 898)
    #expect(LargeOpenEnum(rawValue: 899) == .unrecognized(899))
    #expect(LargeOpenEnum.unrecognized(899).rawValue == 899)
    #expect(LargeOpenEnum.value6.description == "OPEN_VALUE_6")
    #expect(LargeClosedEnum(rawValue: -5) == .value0)
    #expect(LargeClosedEnum.value299.rawValue == 892)
    #expect(LargeClosedEnum(rawValue: -6) == nil)
    #expect(LargeByteEnum(rawValue: 219) == .inAByte209)
    #expect(LargeByteEnum(rawValue: 9) == nil)
  }

  @Test func messagesKeepThem() throws {
    let message = LargeEnums(
      open: .value250, closed: .value299, byte: .inAByte1, list: [.unspecified, .unrecognized(-1)],
      map: ["a": .value299])
    #expect(try LargeEnums(decoding: message.encoded()) == message)
    #expect(try LargeEnums(json: message.jsonBytes()) == message)
    #expect(try LargeEnums(textFormat: message.textFormatString()) == message)
    // Field 2 with 1,000,000, which the closed enum does not have.
    let other = try LargeEnums(decoding: [0x10, 0xC0, 0x84, 0x3D])
    #expect(other.closed == nil)
    #expect(try other.encoded() == [0x10, 0xC0, 0x84, 0x3D])
  }

  @Test func aWideMessageBeginsWithoutFields() throws {
    var message = WideMessage()
    #expect(try message.encoded().isEmpty)
    #expect(message.field0.isEmpty)
    #expect(message.field1 == nil)
    #expect(message.open == nil)
    #expect(message.inner == nil)
    #expect(message.choice == nil)
    #expect(message == WideMessage())
    message.field1 = -1
    message.field139 = [1, 2]
    message.field138 = 0.5
    message.field7 = [true, false]
    message.choice = .text("a text that is longer than fifteen bytes")
    message.inner = WideMessage()
    message.inner?.choice = .text("short")
    #expect(try WideMessage(decoding: message.encoded()) == message)
    #expect(try WideMessage(json: message.jsonBytes()) == message)
    #expect(message != WideMessage())
    let copy = message
    message.inner?.choice = .number(4)
    #expect(copy != message)
    #expect(copy.hashValue != message.hashValue)
  }
}
