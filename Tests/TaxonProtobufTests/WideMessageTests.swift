// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TaxonProtobuf

/// Messages of so many fields that protobuf-c does not get the memory for them.
@Suite struct WideMessageTests {
  /// Decodes without protobuf-c what any other message is decoded with it.
  private func wide<M: Message>(_ type: M.Type, _ bytes: [UInt8]) throws -> M {
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    arena.state.pointee.isRewritten = true
    M.descriptor.link()
    return try bytes.withUnsafeBytes { bytes in
      var check = WireCheck(bytes: bytes, options: DecodingOptions())
      try check.check(M.descriptor)
      return try M(reading: MessageReader(WideUnpacker(bytes: bytes, arena: arena).unpack(M.descriptor), arena))
    }
  }

  private func agrees<M: Message>(_ type: M.Type, _ bytes: [UInt8]) throws {
    #expect(try wide(M.self, bytes) == M(decoding: bytes))
  }

  @Test func everyKindIsReadAsProtobufCReadsIt() throws {
    try agrees(
      Singular.self,
      Singular(
        doubleValue: 1.5, floatValue: -2.5, int32Value: -3, int64Value: .min, uint32Value: .max, uint64Value: .max,
        sint32Value: -7, sint64Value: .min, fixed32Value: 9, fixed64Value: 10, sfixed32Value: -11, sfixed64Value: -12,
        boolValue: true, stringValue: "text", bytesValue: [0, 1, 255]
      ).encoded())
    try agrees(
      Repeated.self,
      Repeated(
        doubleValues: [1, -0.0], int32Values: [1, -1, 300], sint64Values: [.min, .max], fixed32Values: [7],
        boolValues: [true, false, true], stringValues: ["", "a", "bc"], bytesValues: [[], [1]]
      ).encoded())
  }

  @Test(arguments: [
    // Unknown fields of every wire type between known ones.
    "0803 a00601 1001 a20603616263 a506 01020304 a106 0102030405060708 1002",
    // A group, an enum's number that it does not have, a list in both forms, entries of maps.
    "a306 0801 a406 0807 1007 1a020107 1a0103 22050a01611007 2205 0a01621001 2200",
    // The same member of a oneof twice, another one in between, and messages inside in several parts.
    "3001 3002 3a020801 3a04 10011002 42020801 4200 2a0161 3003", "",
  ])
  func whatIsOddIsReadAsElsewhere(_ text: String) throws {
    try agrees(Closed.self, hex(text))
  }

  @Test func partsOfOneMessageAreMerged() throws {
    // Scalars of the later part count, repeated fields and unknown ones add up, and messages inside are merged in turn.
    let part = try Child(number: 1, name: "a", numbers: [1, 2], child: Child(numbers: [3])).encoded() + hex("a00602")
    let other = try Child(name: "c", numbers: [4], child: Child(number: 5, numbers: [6])).encoded() + hex("a00603")
    func field(_ bytes: [UInt8]) -> [UInt8] { [0x8A, 0x01, UInt8(bytes.count)] + bytes }
    let bytes = field(part) + field(other)
    try agrees(Singular.self, bytes)
    #expect(try wide(Singular.self, bytes).messageValue?.numbers == [1, 2, 4])
  }

  @Test func millionsOfUnknownFieldsAreOneRunOfBytes() throws {
    let bytes = Array(repeatElement([0xF8, 0x3F, 1] as [UInt8], count: 100_000).joined())
    let message = try Singular(decoding: [0x18, 5] + bytes + [0x18, 6])
    #expect(message.int32Value == 6)
    #expect(message.unknownFields.bytes == bytes)
    #expect(try Singular(decoding: message.encoded()) == message)
  }

  @Test func manyElementsKeepTheirOrder() throws {
    let message = Repeated(stringValues: (0..<50_000).map { "\($0)" })
    let bytes = try message.encoded()
    #expect(try Repeated(decoding: bytes) == message)
  }

  @Test func whatIsWrongWithManyFieldsIsSaidAsElsewhere() throws {
    let bytes = Array(repeatElement([0xF8, 0x3F, 1] as [UInt8], count: 100_000).joined())
    let error = #expect(throws: MessageDecodingError.self) { try Singular(decoding: bytes + [0x18]) }
    #expect(error?.offset == bytes.count + 1)
    let text = #expect(throws: MessageDecodingError.self) { try Singular(decoding: bytes + [0x72, 1, 0xFF]) }
    #expect(text?.reason == .invalidUTF8)
  }
}
