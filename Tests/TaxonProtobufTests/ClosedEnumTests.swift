// SPDX-License-Identifier: Apache-2.0

import TaxonProtobuf
import Testing

/// Numbers that a closed enum does not have go to the unknown fields, and come back from there.
@Suite struct ClosedEnumTests {
  @Test func knownNumbersAreValues() throws {
    let bytes = hex("0803 1001 1afeffffffffffffffff01")
    let message = try Closed(decoding: hex("0803 1001 10feffffffffffffffff01"))
    #expect(message == Closed(one: .round, loose: [.square, .hollow]))
    #expect(message.unknownFields.isEmpty)
    #expect(throws: MessageDecodingError.self) { try Closed(decoding: bytes) }
  }

  @Test(arguments: [
    // One value, also where the upper bits say something else, and where it is longer than needed.
    "0807", "08ffffffffffffffffff01", "08878000",
    // A list in both forms.
    "1007", "1a0107",
    // Entries of a map: value only, key and value, value before key.
    "22021007", "22050a01611007", "2205 1007 0a0161",
    // A member of a oneof.
    "3007",
  ])
  func anUnknownNumberIsAnUnknownField(bytes: String) throws {
    let message = try Closed(decoding: hex(bytes))
    #expect(message.one == nil && message.loose.isEmpty && message.tight.isEmpty && message.named.isEmpty)
    #expect(message.choice == nil)
    // Packed numbers come back with a tag each.
    let expected = bytes == "1a0107" ? hex("1807") : hex(bytes)
    #expect(message.unknownFields.bytes == expected)
    #expect(try message.encoded() == expected)
    #expect(try Closed(decoding: message.encoded()) == message)
  }

  @Test func theUpperBitsOfANumberDoNotCount() throws {
    #expect(try Closed(decoding: hex("08 8380808010")).one == .round)
  }

  @Test func theOthersOfAListStay() throws {
    let message = try Closed(decoding: hex("1003 1007 1001  1a05 03 07 01 08 03"))
    #expect(message.loose == [.round, .square])
    #expect(message.tight == [.round, .square, .round])
    #expect(message.unknownFields.bytes == hex("1007 1807 1808"))
  }

  @Test func theOtherEntriesOfAMapStay() throws {
    let message = try Closed(decoding: hex("22050a01611001 22050a01621007 22030a0163"))
    #expect(message.named == ["a": .on, "c": .off])
    #expect(message.unknownFields.bytes == hex("22050a01621007"))
  }

  @Test func ofSeveralValuesInAnEntryTheLastCounts() throws {
    #expect(try Closed(decoding: hex("2207 0a0161 1007 1001")).named == ["a": .on])
    #expect(try Closed(decoding: hex("2207 0a0161 1001 1007")).named.isEmpty)
  }

  @Test func theValueBeforeStays() throws {
    let message = try Closed(decoding: hex("0803 0807"))
    #expect(message.one == .round)
    #expect(message.unknownFields.bytes == hex("0807"))
    #expect(try Closed(decoding: hex("2a0161 3007")).choice == .text("a"))
    #expect(try Closed(decoding: hex("3003 3007")).choice == .shape(.round))
  }

  @Test(arguments: [
    // One value, in parts of a message, inside others, and where another member of the oneof comes.
    ("0807 0803", "0803 0807"), ("0807 0803 0808 0801", "0801 0807 0808"), ("3a020807 3a020803", "3a04 0803 0807"),
    ("4204 0807 0803", "4204 0803 0807"), ("4a06 0801 1202 0807", "4a06 0801 1202 0807"),
    ("4a08 0801 1204 0807 0803", "4a08 0801 1204 0803 0807"), ("3007 2a0161", "2a0161 3007"),
    ("3007 3003", "3003 3007"),
  ])
  func aKnownNumberAfterwardsLeavesTheUnknownOne(bytes: String, expected: String) throws {
    let message = try Closed(decoding: hex(bytes))
    #expect(try hex(message.encoded()) == hex(hex(expected)))
  }

  @Test func aRequiredEnumMayHaveAnUnknownNumberFirst() throws {
    let message = try ClosedRequired(decoding: hex("0807 0801"))
    #expect(message.shape == .square)
    #expect(message.unknownFields.bytes == hex("0807"))
  }

  @Test func itIsSoAtAnyDepth() throws {
    let bytes = hex("3a 06 0807 3a02 1007  42 02 0807  4a 06 0801 1202 0807")
    let message = try Closed(decoding: bytes)
    #expect(message.inner?.unknownFields.bytes == hex("0807"))
    #expect(message.inner?.inner?.unknownFields.bytes == hex("1007"))
    #expect(message.others.first?.unknownFields.bytes == hex("0807"))
    #expect(message.deeper[1]?.unknownFields.bytes == hex("0807"))
    #expect(try Closed(decoding: message.encoded()) == message)
  }

  @Test func itIsSoInPartsOfAMessage() throws {
    let message = try Closed(decoding: hex("3a02 0807  3a02 1003  3a02 1007"))
    #expect(message.inner?.loose == [.round])
    #expect(message.inner?.unknownFields.bytes == hex("0807 1007"))
  }

  @Test func aRequiredEnumWithAnUnknownNumberIsMissing() throws {
    #expect(try ClosedRequired(decoding: hex("0803 0807")).shape == .round)
    let error = try #require(throws: MessageDecodingError.self) { try ClosedRequired(decoding: hex("120161 0807")) }
    #expect(error.description == "taxon.test.ClosedRequired.shape: a required field is missing, at byte 0")
  }

  @Test func otherFaultsAreStillReported() throws {
    let error = try #require(throws: MessageDecodingError.self) { try Closed(decoding: hex("3007 2a02 61ff 0807")) }
    #expect(error.description == "taxon.test.Closed.text: a string is not UTF-8, at byte 5")
  }

  @Test func theEnumHasNoOtherValues() {
    #expect(Shape(rawValue: 7) == nil)
    #expect(Shape(rawValue: -2) == .hollow)
    #expect(Shape.descriptor.isClosed && !Colour.descriptor.isClosed)
  }
}
