// SPDX-License-Identifier: Apache-2.0

import TaxonProtobuf
import Testing

@Suite struct MalformedInputTests {
  private func fault<M: Message>(_ type: M.Type, _ bytes: [UInt8], limit: Int = 100) -> String {
    do {
      return "no fault: \(try M(decoding: bytes, options: DecodingOptions(nestingLimit: limit)))"
    } catch {
      return error.description
    }
  }

  @Test(arguments: [
    // Ends too early.
    ("18", "taxon.test.Singular.int32_value: the input ends inside a value, at byte 1"),
    ("1880", "taxon.test.Singular.int32_value: the input ends inside a value, at byte 1"),
    ("80", "taxon.test.Singular: the input ends inside a value, at byte 0"),
    ("0d0000", "taxon.test.Singular.double_value: the input ends inside a value, at byte 1"),
    ("4d000000", "taxon.test.Singular.fixed32_value: the input ends inside a value, at byte 1"),
    ("5100000000000000", "taxon.test.Singular.fixed64_value: the input ends inside a value, at byte 1"),
    ("7280", "taxon.test.Singular.string_value: the input ends inside a value, at byte 1"),
    ("18017203 6162", "taxon.test.Singular.string_value: length 3 goes past the end, at byte 3"),
    // Lengths.
    ("72ffffffff07", "taxon.test.Singular.string_value: length 2147483647 goes past the end, at byte 1"),
    ("72ffffffff0f", "taxon.test.Singular.string_value: a length is over 2 GiB, at byte 1"),
    ("72 8180808010 61", "taxon.test.Singular.string_value: a length is over 2 GiB, at byte 1"),
    ("72818080808000 61", "taxon.test.Singular.string_value: a varint is too long, at byte 1"),
    ("8a01 03 1202 61", "taxon.test.Child.name: length 2 goes past the end, at byte 4"),
    ("8a01 02 1202 6162", "taxon.test.Child.name: length 2 goes past the end, at byte 4"),
    // Varints.
    ("18 80808080808080808080 00", "taxon.test.Singular.int32_value: a varint is too long, at byte 1"),
    ("98808080808000 01", "taxon.test.Singular: a varint is too long, at byte 0"),
    // Tags.
    ("00", "taxon.test.Singular: invalid field number 0, at byte 0"),
    ("1801 0201 61", "taxon.test.Singular: invalid field number 0, at byte 2"),
    ("8080808010 01", "taxon.test.Singular: invalid field number 536870912, at byte 0"),
    ("8280808010 0161", "taxon.test.Singular: invalid field number 536870912, at byte 0"),
    ("8a01 04 0801 0001", "taxon.test.Child: invalid field number 0, at byte 5"),
    ("1e01", "taxon.test.Singular.int32_value: invalid wire type 6, at byte 0"),
    ("1f01", "taxon.test.Singular.int32_value: invalid wire type 7, at byte 0"),
    // Groups.
    ("fb3e 0801", "taxon.test.Singular: group 1007 does not end, at byte 0"),
    ("fc3e", "taxon.test.Singular: group 1007 ends without having begun, at byte 0"),
    ("fb3e 0801 843f", "taxon.test.Singular: group 1008 ends without having begun, at byte 4"),
    // Text.
    ("7202 c328", "taxon.test.Singular.string_value: a string is not UTF-8, at byte 2"),
    ("1801 7204 61eda080", "taxon.test.Singular.string_value: a string is not UTF-8, at byte 5"),
    ("7202 61ff 720162", "taxon.test.Singular.string_value: a string is not UTF-8, at byte 3"),
    ("8a01 05 1203 61ff62", "taxon.test.Child.name: a string is not UTF-8, at byte 6"),
  ])
  func aFaultIsReportedWithMessageFieldAndByte(_ bytes: String, _ text: String) {
    #expect(fault(Singular.self, hex(bytes)) == text)
  }

  @Test func packedFieldsAreCheckedInside() {
    #expect(
      fault(Repeated.self, hex("1205 0000000000"))
        == "taxon.test.Repeated.float_values: packed length 5 is not a multiple of 4, at byte 2")
    #expect(
      fault(Repeated.self, hex("0a04 00000000"))
        == "taxon.test.Repeated.double_values: packed length 4 is not a multiple of 8, at byte 2")
    #expect(
      fault(Repeated.self, hex("1a02 0180 1801"))
        == "taxon.test.Repeated.int32_values: the input ends inside a value, at byte 3")
    #expect(
      fault(Repeated.self, hex("7201ff")) == "taxon.test.Repeated.string_values: a string is not UTF-8, at byte 2")
  }

  @Test func entriesOfMapsAreCheckedInside() {
    #expect(
      fault(Maps.self, hex("0a06 0a0161 1201ff")) == "taxon.test.Maps.texts.value: a string is not UTF-8, at byte 7")
    #expect(fault(Maps.self, hex("0a02 0001")) == "taxon.test.Maps.texts: invalid field number 0, at byte 2")
  }

  @Test func requiredFieldsMustBeThere() {
    #expect(
      fault(Required.self, hex("0801")) == "taxon.test.Required.name: a required field is missing, at byte 0")
    #expect(
      fault(Required.self, hex("0801 120161 1a020801"))
        == "taxon.test.Required.name: a required field is missing, at byte 7")
    #expect(
      fault(Required.self, hex("0801 120161 2a00"))
        == "taxon.test.Required.number: a required field is missing, at byte 7")
  }

  @Test func nestingHasALimit() throws {
    func nested(_ depth: Int) -> [UInt8] {
      var bytes: [UInt8] = []
      for _ in 0..<depth {
        let count = bytes.count
        let length = count < 128 ? [UInt8(count)] : [UInt8(count & 127 | 128), UInt8(count >> 7)]
        bytes = [0x22] + length + bytes
      }
      return bytes
    }
    #expect(throws: Never.self) { try Child(decoding: nested(100)) }
    #expect(
      fault(Child.self, nested(101)) == "taxon.test.Child: messages are nested deeper than 100, at byte 239")
    #expect(
      fault(Child.self, nested(3), limit: 2) == "taxon.test.Child: messages are nested deeper than 2, at byte 6")
    #expect(throws: Never.self) { try Child(decoding: nested(3), options: DecodingOptions(nestingLimit: 3)) }
  }

  @Test func groupsCountAsNesting() {
    let open = Array(repeating: UInt8(0x0B), count: 200_000)
    let close = Array(repeating: UInt8(0x0C), count: 200_000)
    #expect(
      fault(Nothing.self, open + close) == "taxon.test.Nothing: messages are nested deeper than 100, at byte 100")
  }

  @Test func aHundredThousandLevelsDoNotOverflowTheStack() {
    var bytes: [UInt8] = []
    var length = 0
    var prefixes: [[UInt8]] = []
    for _ in 0..<100_000 {
      var prefix: [UInt8] = [0x22]
      var rest = length
      while rest >= 128 {
        prefix.append(UInt8(rest & 127 | 128))
        rest >>= 7
      }
      prefix.append(UInt8(rest))
      prefixes.append(prefix)
      length += prefix.count
    }
    for prefix in prefixes.reversed() { bytes += prefix }
    #expect(fault(Child.self, bytes).contains("messages are nested deeper than 100"))
  }

  @Test func everyTruncationIsAMessageOrAFault() throws {
    let rich = Singular(
      doubleValue: 1.5, int32Value: -7, uint64Value: .max, fixed32Value: 1, fixed64Value: 2, boolValue: true,
      stringValue: "naïve", bytesValue: [1, 2, 3], enumValue: .blue,
      messageValue: Child(number: 5, name: "n", numbers: [1, 300], child: Child(), choice: .text("t"), note: "x"))
    let bytes = try rich.encoded()
    var ends: Set<Int> = []
    for count in 0...bytes.count {
      do {
        _ = try Singular(decoding: bytes[..<count])
        ends.insert(count)
      } catch {
        #expect(error.offset <= count)
        #expect([.truncated].contains(error.reason) || error.description.contains("goes past the end"))
      }
    }
    // It may end after each of its ten fields, and before the first.
    #expect(ends.count == 11)
  }

  @Test func everyChangedByteIsAMessageOrAFault() throws {
    let bytes = try Maps(
      texts: ["a": "b"], numbers: [-1: 2], blobs: [true: [1]], children: ["k": Child(numbers: [1, 2, 3])],
      maps: ["m": Maps(colours: ["c": .blue])]
    ).encoded()
    for index in bytes.indices {
      for value in UInt8.min...UInt8.max {
        var changed = bytes
        changed[index] = value
        guard let message = try? Maps(decoding: changed) else { continue }
        #expect(try Maps(decoding: try message.encoded()) == message)
      }
    }
  }

  @Test func aHugeLengthCostsNothing() {
    // Two thousand of them, nested and in a row.
    let bytes = (0..<2000).flatMap { _ in hex("8a01 ffffffff07") }
    #expect(
      fault(Singular.self, bytes) == "taxon.test.Singular.message_value: length 2147483647 goes past the end, at byte 2"
    )
  }
}
