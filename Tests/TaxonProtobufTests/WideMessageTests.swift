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
      let message = WideUnpacker(bytes: bytes, arena: arena).unpack(M.descriptor)
      try M.descriptor.checkUnpacked(message, arena)
      return try M.descriptor.structTable.make(M.self, message, arena)
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

  /// Fields at random, some with messages inside that are made the same way.
  private func fields(_ depth: Int, using generator: inout some RandomNumberGenerator) -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<Int.random(in: 0..<8, using: &generator) {
      let number = UInt64.random(in: 1...20, using: &generator)
      let wireType = [0, 0, 1, 2, 2, 2, 5].randomElement(using: &generator) ?? 0
      bytes.append(varint: number << 3 | UInt64(wireType))
      func random(_ count: Int) -> [UInt8] { (0..<count).map { _ in .random(in: 0...255, using: &generator) } }
      switch wireType {
      case 0:
        bytes.append(
          varint: UInt64.random(in: 0...9, using: &generator) << UInt64.random(in: 0...60, using: &generator))
      case 1: bytes += random(8)
      case 5: bytes += random(4)
      default:
        let isMessage = depth > 0 && Bool.random(using: &generator)
        let inside =
          isMessage
          ? fields(depth - 1, using: &generator)
          : (0..<Int.random(in: 0..<9, using: &generator)).map { _ in .random(in: 0...8, using: &generator) }
        bytes.append(varint: UInt64(inside.count))
        bytes += inside
      }
    }
    return bytes
  }

  private func agreesAtRandom<M: Message>(_ type: M.Type) throws {
    let seed = UInt64.random(in: 0 ... .max)
    var generator = Seeded(state: seed)
    var readable = 0
    for _ in 0..<5_000 {
      let bytes = fields(3, using: &generator)
      guard let message = try? M(decoding: bytes) else {
        #expect(throws: MessageDecodingError.self, "seed \(seed)") { try wide(M.self, bytes) }
        continue
      }
      readable += 1
      let other = try wide(M.self, bytes)
      // Bytes, where a number does not equal itself.
      let isSame = try other == message || other.encoded() == message.encoded()
      guard isSame, other.unknownFields == message.unknownFields else {
        Issue.record("seed \(seed): \(bytes) is \(message) and \(other)")
        return
      }
    }
    #expect(readable > 0)
  }

  /// SplitMix64.
  private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
      return mixed ^ mixed >> 31
    }
  }

  @Test func inputsAtRandomAreReadAsElsewhere() throws {
    try agreesAtRandom(Singular.self)
    try agreesAtRandom(Repeated.self)
    try agreesAtRandom(Optionals.self)
    try agreesAtRandom(Choice.self)
    try agreesAtRandom(Child.self)
    try agreesAtRandom(Closed.self)
    try agreesAtRandom(Required.self)
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
