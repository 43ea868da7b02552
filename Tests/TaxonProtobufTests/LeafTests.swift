// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TaxonProtobuf

private typealias Leaf = Taxon_Test_Leaves_Leaf
private typealias Branch = Taxon_Test_Leaves_Branch

/// Messages that contain no others are read and written without a message of protobuf-c's: with the same result.
@Suite struct LeafTests {
  private static let full = Leaf(
    doubleValue: -0.0, floatValue: 1.5, int32Value: -1, int64Value: .min, uint32Value: .max, uint64Value: .max,
    sint32Value: .min, sint64Value: .max, fixed32Value: 7, fixed64Value: .max, sfixed32Value: -3, sfixed64Value: .min,
    boolValue: true, stringValue: "a text of more than fifteen bytes", bytesValue: Array(0...200), mood: .bad,
    maybeInt32: 0, maybeSint64: -64, maybeBool: false, maybeString: "", maybeBytes: [], maybeMood: .unspecified,
    int32Values: [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_456, .max, -1, .min, 300],
    int64Values: [1 << 35, 1 << 42, 1 << 49, 1 << 56, .max, .min, -1, 0], uint32Values: [.max, 128, 0],
    uint64Values: [.max, 1 << 63, 1 << 56 - 1], sint32Values: [.min, .max, -64, 63], sint64Values: [.min, .max, -1],
    fixed32Values: [1, .max], sfixed64Values: [-1, .max], floatValues: [-0.0, .infinity], doubleValues: [0.1],
    boolValues: [true, false, true], last: "é")

  private static let branch = Branch(
    name: "top", leaf: full, leaves: [Leaf(), full, Leaf(mood: .unrecognized(77))],
    leavesByName: ["one": full], one: .otherBranch(Branch(leaves: [full], one: .otherLeaf(full))),
    branches: [Branch(leaf: Leaf(), numbers: [5, 300]), Branch()], numbers: [-1])

  @Test func whatIsALeafIsKnown() {
    #expect(Leaf.descriptor.structTable.content.pointee.leaf != nil)
    #expect(Branch.descriptor.structTable.content.pointee.leaf == nil)
    #expect(Branch.descriptor.structTable.content.pointee.leafBytes != nil)
    #expect(Google_Protobuf_Timestamp.descriptor.structTable.content.pointee.leaf != nil)
    #expect(Child.descriptor.structTable.content.pointee.leafBytes == nil)
    #expect(Required.descriptor.structTable.content.pointee.leaf == nil)
  }

  @Test func bytesAreThoseOfProtobufC() throws {
    for leaf in [Self.full, Leaf(), Leaf(maybeString: "short", last: "x")] {
      #expect(try leaf.encoded() == leaf.encodedByProtobufC())
    }
    #expect(try Self.branch.encoded() == Self.branch.encodedByProtobufC())
  }

  @Test func whatIsWrittenIsRead() throws {
    #expect(try Leaf(decoding: Self.full.encoded()) == Self.full)
    #expect(try Branch(decoding: Self.branch.encoded()) == Self.branch)
    #expect(try Leaf(decoding: []) == Leaf())
  }

  /// What only other writers do: packed numbers one by one, values twice, tags and lengths longer than needed.
  @Test func unusualInputIsRead() throws {
    let numbers = try Leaf(decoding: hex("f80101 fa01020203 f80104 ca020100 c80201"))
    #expect(numbers.int32Values == [1, 2, 3, 4])
    #expect(numbers.boolValues == [false, true])
    let twice = hex("7210") + Array("sixteen letters!".utf8) + hex("720161 7a0101 7a020203 800101 8001 05")
    #expect(
      try Leaf(decoding: twice)
        == Leaf(stringValue: "a", bytesValue: [2, 3], mood: .unrecognized(5)))
    #expect(try Leaf(decoding: hex("988000 8100")).int32Value == 1)
    #expect(try Leaf(decoding: hex("72 8100 61")).stringValue == "a")
    #expect(try Leaf(decoding: hex("18 ffffffffffffffffff7f")).int32Value == -1)
  }

  @Test func unknownFieldsAreKept() throws {
    // A varint, a text, fixed numbers, a group; and a number for a string.
    for field in ["f80a 05", "fa0a 026162", "fd0a 01020304", "f90a 0102030405060708", "fb0a 0801 fc0a", "70 05"] {
      let bytes = hex("1801") + hex(field)
      let leaf = try Leaf(decoding: bytes)
      #expect(leaf.int32Value == 1)
      #expect(leaf.unknownFields.bytes == hex(field))
      #expect(try leaf.encoded() == bytes)
      let branch = hex("12") + [UInt8(bytes.count)] + bytes
      #expect(try Branch(decoding: branch).leaf == leaf)
      #expect(try Branch(decoding: branch).encoded() == branch)
    }
  }

  @Test func partsOfALeafAreMerged() throws {
    let branch = try Branch(decoding: hex("1202 1801 1206 720161 f80105"))
    #expect(branch.leaf == Leaf(int32Value: 1, stringValue: "a", int32Values: [5]))
    #expect(try Branch(decoding: hex("1200 1202 1801 1200")).leaf == Leaf(int32Value: 1))
    // The first part is no message.
    #expect(throws: MessageDecodingError.self) { try Branch(decoding: hex("1202 0000 1202 1801")) }
  }

  @Test func faultsHaveTheirPlace() {
    for (bytes, offset) in [("18", 1), ("72 05 61", 1), ("18 ffffffffffffffffffff01", 1), ("72 01 ff", 2), ("0001", 0)]
    {
      let error = #expect(throws: MessageDecodingError.self) { try Leaf(decoding: hex(bytes)) }
      #expect(error?.offset == offset)
      #expect(error?.messageName == "taxon.test.leaves.Leaf")
      let inner = hex(bytes)
      let outer = #expect(throws: MessageDecodingError.self) {
        try Branch(decoding: hex("12") + [UInt8(inner.count)] + inner)
      }
      #expect(outer?.offset == offset + 2)
    }
  }

  /// Bytes changed at random are read as without leaves, or refused as without.
  @Test func changedBytesAreReadAsBefore() throws {
    var random = SplitMix(state: 7)
    let inputs = try [Self.branch.encoded(), Branch(leaf: Self.full).encoded()]
    var read = 0
    for round in 0..<4000 {
      var bytes = inputs[round % 2]
      for _ in 0...random.next(3) { bytes[random.next(bytes.count)] = UInt8(random.next(256)) }
      if round.isMultiple(of: 5) { bytes.removeLast(random.next(bytes.count)) }
      let quick = Result { try Branch(decoding: bytes) }
      let slow = Result { try Branch.decodedWithoutLeaves(bytes) }
      switch (quick, slow) {
      case (.success(let quick), .success(let slow)):
        #expect(quick.description == slow.description, "\(hex(bytes))")
        read += 1
      case (.failure(let quick), .failure(let slow)): #expect("\(quick)" == "\(slow)", "\(hex(bytes))")
      default: Issue.record("\(quick) is not \(slow): \(hex(bytes))")
      }
    }
    #expect(read > 100)
  }
}

extension Message {
  fileprivate func encodedByProtobufC() throws -> [UInt8] {
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    return try withUnsafePointer(to: self) { memory in
      try MessageEncoder(Self.descriptor.structTable.lower(memory, isCopy: false, arena), arena).bytes()
    }
  }

  fileprivate static func decodedWithoutLeaves(_ bytes: [UInt8]) throws -> Self {
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    let table = descriptor.structTable
    return try bytes.withUnsafeBytes { bytes in
      try descriptor.decode(bytes, arena, options: DecodingOptions()) { (root) throws(MessageDecodingError) in
        try table.make(Self.self, root, arena)
      }
    }
  }
}

/// Numbers that look random, the same in each run.
private struct SplitMix {
  var state: UInt64

  mutating func next(_ bound: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var bits = state
    bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
    return Int((bits ^ bits >> 31) % UInt64(bound))
  }
}
