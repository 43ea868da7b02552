// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TaxonProtobuf

private typealias Open = Taxon_Test_Large_Open
private typealias Closed = Taxon_Test_Large_Closed
private typealias ClosedInAByte = Taxon_Test_Large_ClosedInAByte
private typealias Enums = Taxon_Test_Large_Enums
private typealias Wide = Taxon_Test_Large_Wide

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
    try numbersComeBack(Open.self)
    try numbersComeBack(Closed.self)
    try numbersComeBack(ClosedInAByte.self)
  }

  @Test func casesAreThoseOfTheirNumbers() {
    #expect(Open(rawValue: 0) == .unspecified)
    #expect(Open(rawValue: 7) == .value6)
    #expect(Open.alias == .value6)
    #expect(Open.value299.rawValue == 898)
    #expect(Open(rawValue: 899) == .unrecognized(899))
    #expect(Open.unrecognized(899).rawValue == 899)
    #expect(Open.value6.description == "OPEN_VALUE_6")
    #expect(Closed(rawValue: -5) == .value0)
    #expect(Closed.value299.rawValue == 892)
    #expect(Closed(rawValue: -6) == nil)
    #expect(ClosedInAByte(rawValue: 219) == .inAByte209)
    #expect(ClosedInAByte(rawValue: 9) == nil)
  }

  @Test func messagesKeepThem() throws {
    let message = Enums(
      open: .value250, closed: .value299, byte: .inAByte1, list: [.unspecified, .unrecognized(-1)],
      map: ["a": .value299])
    #expect(try Enums(decoding: message.encoded()) == message)
    #expect(try Enums(json: message.jsonBytes()) == message)
    #expect(try Enums(textFormat: message.textFormatString()) == message)
    // Field 2 with 1,000,000, which the closed enum does not have.
    let other = try Enums(decoding: [0x10, 0xC0, 0x84, 0x3D])
    #expect(other.closed == nil)
    #expect(try other.encoded() == [0x10, 0xC0, 0x84, 0x3D])
  }

  @Test func aWideMessageBeginsWithoutFields() throws {
    var message = Wide()
    #expect(try message.encoded().isEmpty)
    #expect(message.field0.isEmpty)
    #expect(message.field1 == nil)
    #expect(message.open == nil)
    #expect(message.inner == nil)
    #expect(message.choice == nil)
    #expect(message == Wide())
    message.field1 = -1
    message.field139 = [1, 2]
    message.field138 = 0.5
    message.field7 = [true, false]
    message.choice = .text("a text that is longer than fifteen bytes")
    message.inner = Wide()
    message.inner?.choice = .text("short")
    #expect(try Wide(decoding: message.encoded()) == message)
    #expect(try Wide(json: message.jsonBytes()) == message)
    #expect(message != Wide())
    let copy = message
    message.inner?.choice = .number(4)
    #expect(copy != message)
    #expect(copy.hashValue != message.hashValue)
  }
}
