// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TaxonProtobuf

/// The table of a struct has the properties where the compiler has put them.
@Suite struct StructTableTests {
  private func expect<M: Message>(_ paths: [PartialKeyPath<M>]) throws {
    let table = M.descriptor.structTable
    try #require(table.content.pointee.count == paths.count - 1)
    for (index, path) in paths.dropLast().enumerated() {
      #expect(table.content.pointee.properties[index].offset == MemoryLayout<M>.offset(of: path), "\(path)")
    }
    #expect(table.content.pointee.unknownFields == paths.last.flatMap(MemoryLayout<M>.offset))
    #expect(table.content.pointee.size == MemoryLayout<M>.size)
    #expect(table.content.pointee.stride == MemoryLayout<M>.stride)
  }

  @Test func ofFieldsWithoutPresence() throws {
    try expect([
      \Singular.doubleValue, \.floatValue, \.int32Value, \.int64Value, \.uint32Value, \.uint64Value, \.sint32Value,
      \.sint64Value, \.fixed32Value, \.fixed64Value, \.sfixed32Value, \.sfixed64Value, \.boolValue, \.stringValue,
      \.bytesValue, \.enumValue, \.messageValue, \.unknownFields,
    ])
  }

  @Test func ofOptionalFields() throws {
    try expect([
      \Optionals.doubleValue, \.floatValue, \.int32Value, \.int64Value, \.uint32Value, \.uint64Value, \.sint32Value,
      \.sint64Value, \.fixed32Value, \.fixed64Value, \.sfixed32Value, \.sfixed64Value, \.boolValue, \.stringValue,
      \.bytesValue, \.enumValue, \.messageValue, \.unknownFields,
    ])
  }

  @Test func ofAMessageThatContainsItself() throws {
    let table = Child.descriptor.structTable
    #expect(table.content.pointee.properties[2].offset == MemoryLayout<Child>.offset(of: \.numbers))
    #expect(table.content.pointee.size == MemoryLayout<Child>.size)
  }

  @Test func anOptionalMessageIsAsLargeAsTheMessage() {
    #expect(MemoryLayout<Nothing?>.size == MemoryLayout<Nothing>.size)
    #expect(MemoryLayout<Singular?>.size == MemoryLayout<Singular>.size)
    #expect(MemoryLayout<Choice?>.size == MemoryLayout<Choice>.size)
  }

  @Test func equalityIsThatOfTheFields() {
    let one = Singular(doubleValue: 0, boolValue: true, stringValue: "a", messageValue: Child(number: 1))
    var other = one
    #expect(one == other)
    #expect(one.hashValue == other.hashValue)
    other.messageValue = nil
    #expect(one != other)
    other = one
    other.doubleValue = -0.0
    #expect(one == other)
    #expect(one.hashValue == other.hashValue)
    other.doubleValue = .nan
    #expect(other != other)
    other = one
    other.messageValue?.number = 2
    #expect(one != other)
    #expect(Set([one, other, one]).count == 2)
  }
}
