// SPDX-License-Identifier: Apache-2.0

import TaxonProtobuf
import Testing

/// What protobuf asks of a decoder beyond reading what an encoder writes.
@Suite struct DecodingRulesTests {
  @Test func theLastValueWins() throws {
    #expect(try Singular(decoding: hex("1801 1802")).int32Value == 2)
    #expect(try Singular(decoding: hex("720161 720162")).stringValue == "b")
    #expect(try Singular(decoding: hex("720161 7200")).stringValue == "")
  }

  @Test func partsAmongManyFieldsAreMerged() throws {
    // From seventeen fields on, protobuf-c takes working memory, which it frees too.
    let bytes = (0..<500).flatMap { _ in hex("8a01 03 1a0101") + hex("7203 616263") }
    let message = try Singular(decoding: bytes)
    #expect(message.stringValue == "abc")
    #expect(message.messageValue?.numbers == Array(repeating: 1, count: 500))
  }

  @Test func packedAndUnpackedAreBothRead() throws {
    #expect(try Repeated(decoding: hex("1801 1a020203 1804")).int32Values == [1, 2, 3, 4])
    #expect(try Unpacked(decoding: hex("1801 1a020203 1804")).int32Values == [1, 2, 3, 4])
    #expect(try Repeated(decoding: hex("0d00000000 1500000040 1204 0000003f")).floatValues == [2, 0.5])
    #expect(try Repeated(decoding: hex("1a00")).int32Values == [])
  }

  @Test func numbersAreCutToTheirWidth() throws {
    #expect(try Singular(decoding: hex("18 ffffffffffffffffff01")).int32Value == -1)
    #expect(try Singular(decoding: hex("18 8180808010")).int32Value == 1)
    #expect(try Singular(decoding: hex("28 8180808010")).uint32Value == 1)
  }

  @Test func boolsAreTrueUnlessZero() throws {
    #expect(try Singular(decoding: hex("6802")).boolValue)
    #expect(try Singular(decoding: hex("68 8080808010")).boolValue)
    #expect(try !Singular(decoding: hex("68 808000")).boolValue)
    #expect(try Repeated(decoding: hex("6a 05 00 01 8001 7f")).boolValues == [false, true, true, true])
  }

  @Test func varintsMayBeLongerThanNeeded() throws {
    #expect(try Singular(decoding: hex("9800 8100")).int32Value == 1)
    #expect(try Singular(decoding: hex("72 8100 61")).stringValue == "a")
  }

  @Test func partsOfASingularMessageAreMerged() throws {
    // number 1, name "a", numbers [1]; then name "b", numbers [2], an empty note.
    let message = try Singular(decoding: hex("8a01 08 0801 120161 1a0101  8a01 08 120162 1a0102 3a00"))
    #expect(message.messageValue == Child(number: 1, name: "b", numbers: [1, 2], note: ""))
  }

  @Test func anEmptyValueReplacesAnEarlierOneWhenMerged() throws {
    let message = try Singular(decoding: hex("8a01 06 3a0161 120161  8a01 04 3a00 1200"))
    #expect(message.messageValue == Child(note: ""))
  }

  @Test func anEmptyValueOutlivesAPartWithoutOne() throws {
    let message = try Singular(decoding: hex("8a01 02 3a00  8a01 02 0801"))
    #expect(message.messageValue == Child(number: 1, note: ""))
  }

  @Test func partsInsidePartsAreMerged() throws {
    let message = try Singular(decoding: hex("8a01 04 22020801  8a01 05 2203120161"))
    #expect(message.messageValue == Child(child: Child(number: 1, name: "a")))
  }

  @Test func ofAOneofTheLastMemberCounts() throws {
    #expect(try Choice(decoding: hex("2001 7a0161")).value == .stringValue("a"))
    #expect(try Choice(decoding: hex("7a0161 2001")).value == .int32Value(1))
    #expect(try Choice(decoding: hex("92010208017a0161")).value == .stringValue("a"))
  }

  @Test func partsOfTheSameMemberOfAOneofAreMerged() throws {
    #expect(
      try Choice(decoding: hex("9201020801 920103120161")).value == .messageValue(Child(number: 1, name: "a")))
    // Another member in between: only what comes after it counts.
    #expect(try Choice(decoding: hex("9201020801 2001 920103120161")).value == .messageValue(Child(name: "a")))
    #expect(try Choice(decoding: hex("9201020801 920103120161 2001")).value == .int32Value(1))
  }

  @Test func oneofsInsidePartsAreMerged() throws {
    #expect(try Singular(decoding: hex("8a01 03 2a0161  8a01 02 0801")).messageValue?.choice == .text("a"))
    #expect(try Singular(decoding: hex("8a01 02 2a00  8a01 02 0801")).messageValue?.choice == .text(""))
    #expect(try Singular(decoding: hex("8a01 02 0801  8a01 03 2a0161")).messageValue?.choice == .text("a"))
    #expect(
      try Singular(decoding: hex("8a01 04 32020801  8a01 05 3203120161")).messageValue?.choice
        == .inner(Child(number: 1, name: "a")))
  }

  @Test func missingKeysAndValuesOfMapsHaveDefaults() throws {
    #expect(try Maps(decoding: hex("0a00")).texts == ["": ""])
    #expect(try Maps(decoding: hex("0a03 0a0161")).texts == ["a": ""])
    #expect(try Maps(decoding: hex("0a03 120162")).texts == ["": "b"])
    #expect(try Maps(decoding: hex("4200")).children == ["": Child()])
    #expect(try Maps(decoding: hex("3a00")).colours == ["": .unspecified])
  }

  @Test func theLastEntryOfAKeyWins() throws {
    #expect(try Maps(decoding: hex("0a06 0a0161 120162  0a06 0a0161 120163")).texts == ["a": "c"])
    // Value before key, an unknown field in between, and parts of the value.
    #expect(
      try Maps(decoding: hex("420f 12020801 7a0162 1203120163 0a0161")).children == ["a": Child(number: 1, name: "c")])
  }

  @Test func unknownFieldsAreKeptInOrder() throws {
    let unknown = "f83e01 fa3e0161 fd3e01000000 f93e0200000000000000 f83e02"
    let message = try Nothing(decoding: hex(unknown))
    #expect(message.unknownFields.bytes == hex(unknown))
    #expect(try message.encoded() == hex(unknown))
    #expect(message.unknownFields.varints(1007) == [1, 2])
    #expect(message.unknownFields.lengthDelimited(1007) == [[0x61]])
    #expect(message != Nothing())
  }

  @Test func unknownFieldsInsideMessagesAreKept() throws {
    let bytes = hex("8a01 05 0801 f83e01")
    #expect(try Singular(decoding: bytes).encoded() == bytes)
  }

  @Test func unknownMessagesAreMerged() throws {
    let message = try Nothing(decoding: hex("fa3e020801 fa3e03120161"))
    #expect(try message.unknownFields.message(1007, as: Child.self) == Child(number: 1, name: "a"))
    #expect(try message.unknownFields.message(1008, as: Child.self) == nil)
  }

  @Test func unknownGroupsAreKeptByteForByte() throws {
    let group = hex("fb3e 0801 13 0a0161 14 fc3e")
    #expect(try Nothing(decoding: group).unknownFields.bytes == group)
    let bytes = hex("8a01 08 0801 fb3e 0801 fc3e")
    let message = try Singular(decoding: bytes)
    #expect(message.messageValue?.number == 1)
    #expect(hex(message.messageValue?.unknownFields.bytes ?? []) == "fb3e0801fc3e")
    #expect(try message.encoded() == bytes)
  }

  @Test func valuesOfAnotherWireTypeAreUnknownFields() throws {
    // int32_value as a string, string_value as a varint, bool_value in four bytes.
    let bytes = hex("1a0161 7001 6d01000000")
    let message = try Singular(decoding: bytes)
    #expect(message.unknownFields.bytes == bytes)
    #expect(message.int32Value == 0)
    #expect(message.stringValue.isEmpty)
  }

  @Test func defaultsThatAreOnTheWireAreNoDifferenceWithoutPresence() throws {
    #expect(try Singular(decoding: hex("1800 7200")) == Singular())
    #expect(try Optionals(decoding: hex("1800 7200")) == Optionals(int32Value: 0, stringValue: ""))
  }

  @Test func partsOfAMessageMayBringTheRequiredFieldsTogether() throws {
    let message = try Required(decoding: hex("0801 120161 1a020802 1a03120162"))
    #expect(message.inner == Required(number: 2, name: "b"))
  }
}
