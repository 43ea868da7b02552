// SPDX-License-Identifier: Apache-2.0

import TaxonProtobuf
import Testing

/// The bytes here come from `protoc --encode`.
@Suite struct WireBytesTests {
  private func check<M: Message>(
    _ message: M, _ bytes: String, location: SourceLocation = #_sourceLocation
  ) throws {
    #expect(hex(try message.encoded()) == bytes, sourceLocation: location)
    #expect(try M(decoding: hex(bytes)) == message, sourceLocation: location)
  }

  @Test func everySingularKindHasTheBytesOfProtoc() throws {
    let message = Singular(
      doubleValue: 1.5, floatValue: -2.25, int32Value: -7, int64Value: .max, uint32Value: .max, uint64Value: .max,
      sint32Value: .min, sint64Value: .min, fixed32Value: 1, fixed64Value: 2, sfixed32Value: -3, sfixed64Value: -4,
      boolValue: true, stringValue: "a\0b\u{E9}", bytesValue: [0xFF, 0], enumValue: .infrared,
      messageValue: Child(number: 5, child: Child(name: "x"), choice: .text("t"), note: ""))
    try check(
      message,
      """
      09000000000000f83f15000010c018f9ffffffffffffffff0120ffffffffffffffff7f28ffffffff0f30ffffffffffffffffff0138ffff\
      ffff0f40ffffffffffffffffff014d010000005102000000000000005dfdffffff61fcffffffffffffff68017205610062c3a97a02ff00\
      8001ffffffffffffffffff018a010c080522031201782a01743a00
      """)
  }

  @Test func setOptionalsAreWrittenEvenWithTheirDefaults() throws {
    let message = Optionals(
      doubleValue: 0, floatValue: 0, int32Value: 0, int64Value: 0, uint32Value: 0, uint64Value: 0, sint32Value: 0,
      sint64Value: 0, fixed32Value: 0, fixed64Value: 0, sfixed32Value: 0, sfixed64Value: 0, boolValue: false,
      stringValue: "", bytesValue: [], enumValue: .unspecified, messageValue: Child())
    try check(
      message,
      """
      09000000000000000015000000001800200028003000380040004d000000005100000000000000005d0000000061000000000000000068\
      0072007a008001008a0100
      """)
  }

  @Test func numbersArePacked() throws {
    let message = Repeated(
      doubleValues: [1, -1], floatValues: [0.5, 0], int32Values: [0, -1, 300], int64Values: [1, -2],
      uint32Values: [1, .max], uint64Values: [5], sint32Values: [-1, 1], sint64Values: [-64, 64],
      fixed32Values: [1, 2], fixed64Values: [3], sfixed32Values: [-1], sfixed64Values: [-2, 4],
      boolValues: [true, false, true], stringValues: ["", "a"], bytesValues: [[0], []],
      enumValues: [.red, .infrared, .unspecified], messageValues: [Child(), Child(number: 1)])
    try check(
      message,
      """
      0a10000000000000f03f000000000000f0bf12080000003f000000001a0d00ffffffffffffffffff01ac02220b01feffffffffffffffff\
      012a0601ffffffff0f3201053a02010242037f80014a080100000002000000520803000000000000005a04ffffffff6210feffffffffff\
      ffff04000000000000006a0301000172007201617a01007a0082010c01ffffffffffffffffff01008a01008a01020801
      """)
  }

  @Test func numbersThatAreNotPackedHaveATagEach() throws {
    let message = Unpacked(
      doubleValues: [1, -1], floatValues: [0.5, 0], int32Values: [0, -1, 300], int64Values: [1, -2],
      uint32Values: [1, .max], uint64Values: [5], sint32Values: [-1, 1], sint64Values: [-64, 64],
      fixed32Values: [1, 2], fixed64Values: [3], sfixed32Values: [-1], sfixed64Values: [-2, 4],
      boolValues: [true, false, true], enumValues: [.red, .infrared, .unspecified])
    try check(
      message,
      """
      09000000000000f03f09000000000000f0bf150000003f1500000000180018ffffffffffffffffff0118ac02200120feffffffffffffff\
      ff01280128ffffffff0f300538013802407f4080014d010000004d020000005103000000000000005dffffffff61feffffffffffffff61\
      04000000000000006801680068018001018001ffffffffffffffffff01800100
      """)
  }

  @Test func mapsAreEntriesWithKeyAndValue() throws {
    let message = Maps(
      texts: ["a": "b"], numbers: [-1: 2], blobs: [true: [1]], doubles: [-3: 0.5], floats: [4: 0.25],
      bools: [5: true], colours: ["c": .blue], children: ["": Child()], maps: ["m": Maps(texts: ["": ""])])
    try check(
      message,
      """
      0a060a0161120162120d08ffffffffffffffffff0110021a050801120101220b080511000000000000e03f2a0a0d04000000150000803e\
      3204080510013a050a0163100242040a0012004a0b0a016d12060a040a001200
      """)
  }

  @Test func fieldsAreWrittenByNumber() throws {
    try check(
      Scattered(last: "z", fifth: 5, middle: [1, 2], first: "a", fourth: true),
      "0a01612001280582ea30020102faffffff0f017a")
  }

  @Test func oneofMembersAreWrittenEvenWithTheirDefaults() throws {
    try check(
      Choice(before: 1, value: .choiceValue(Choice(value: .stringValue(""))), after: "z"), "08019a01027a00a201017a")
  }

  @Test func requiredFieldsAreWrittenEvenWithTheirDefaults() throws {
    try check(Required(number: 0, name: ""), "08001200")
  }

  @Test func unknownGroupsAndExtensionsAreKeptAsUnknownFields() throws {
    let bytes = "0801630a01676418011802c23e05080712016ec83e03c83eac02"
    let message = try Grouped(decoding: hex(bytes))
    #expect(message.before == 1)
    #expect(message.after == [1, 2])
    #expect(hex(message.unknownFields.bytes) == "630a016764c23e05080712016ec83e03c83eac02")
    #expect(try message.unknownFields.message(1000, as: Required.self) == Required(number: 7, name: "n"))
    #expect(message.unknownFields.varints(1001) == [3, 300])
    #expect(try Grouped(decoding: try message.encoded()) == message)
  }

  @Test func nothingIsNoBytes() throws {
    try check(Nothing(), "")
    try check(Singular(), "")
    try check(Maps(), "")
  }
}
