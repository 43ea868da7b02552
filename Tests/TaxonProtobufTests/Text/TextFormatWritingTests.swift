// SPDX-License-Identifier: Apache-2.0

import TaxonProtobuf
import Testing

@Suite struct TextFormatWritingTests {
  private static let options = TextFormatEncodingOptions(
    printsInOneLine: true, registry: TextFormatReadingTests.registry)

  @Test func unknownFieldsAreLeftOutUnlessAskedFor() throws {
    let message = try Nothing(decoding: hex("f83e01 fa3e020801 fa3e03613a62 fd3e01000000 fb3e 0801 fc3e"))
    #expect(message.textFormatString() == "")
    #expect(
      message.textFormatString(options: TextFormatEncodingOptions(printsUnknownFields: true)) == """
        1007: 1
        1007 {
          1: 1
        }
        1007: "a:b"
        1007: 0x00000001
        1007 {
          1: 1
        }

        """)
  }

  @Test func numbersAreTheShortestThatReadBack() throws {
    for value in [0.1, 5, -0.0, 1e300, .infinity, -.infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude] {
      let text = Singular(doubleValue: value, floatValue: Float(value)).textFormatString(options: Self.options)
      #expect(try Singular(textFormat: text) == Singular(doubleValue: value, floatValue: Float(value)))
    }
    #expect(Singular(doubleValue: -.nan).textFormatString(options: Self.options) == "double_value: nan")
  }

  @Test func entriesOfMapsComeInTheOrderOfTheirKeys() {
    #expect(
      Maps(numbers: [10: 1, 9: 2, -1: 3]).textFormatString(options: Self.options)
        == "numbers { key: -1 value: 3 } numbers { key: 9 value: 2 } numbers { key: 10 value: 1 }")
  }

  @Test func enumsAreNamesOrNumbers() {
    var options = Self.options
    let message = Repeated(enumValues: [.crimson, .unrecognized(9)])
    #expect(message.textFormatString(options: options) == "enum_values: COLOUR_RED enum_values: 9")
    options.printsEnumsAsNumbers = true
    #expect(message.textFormatString(options: options) == "enum_values: 1 enum_values: 9")
  }

  @Test func extensionsOfTheRegistryAreFields() throws {
    var message = Extendable(own: 1)
    message.amount = 7
    message.words = ["a", "b"]
    let text = message.textFormatString(options: Self.options)
    #expect(text == #"own: 1 [taxon.test.amount]: 7 [taxon.test.words]: "a" [taxon.test.words]: "b""#)
    let decoding = TextFormatDecodingOptions(registry: TextFormatReadingTests.registry)
    #expect(try Extendable(textFormat: text, options: decoding) == message)
    let unknown = TextFormatEncodingOptions(printsInOneLine: true, printsUnknownFields: true)
    #expect(message.textFormatString(options: unknown) == #"own: 1 100: 7 103: "a" 103: "b""#)
  }

  @Test func anAnyOfTheRegistryIsExpanded() throws {
    let message = WellKnown(any: try Google_Protobuf_Any(packing: Child(number: 5)))
    #expect(
      message.textFormatString(options: Self.options) == "any { [type.googleapis.com/taxon.test.Child] { number: 5 } }")
    #expect(
      message.textFormatString(options: TextFormatEncodingOptions(printsInOneLine: true))
        == #"any { type_url: "type.googleapis.com/taxon.test.Child" value: "\010\005" }"#)
  }

  @Test(arguments: [
    Google_Protobuf_Any(typeURL: "type.googleapis.com/taxon.test.Child", value: [8]),
    Google_Protobuf_Any(typeURL: "a]b/taxon.test.Child"), Google_Protobuf_Any(typeURL: "/taxon.test.Child"),
    Google_Protobuf_Any(typeURL: "taxon.test.Child"), Google_Protobuf_Any(value: [1]),
  ])
  func anAnyThatIsNotWhatItSaysIsWrittenAsItIs(any: Google_Protobuf_Any) throws {
    let text = any.textFormatString(options: Self.options)
    let decoding = TextFormatDecodingOptions(registry: TextFormatReadingTests.registry)
    #expect(!text.contains("["))
    #expect(try Google_Protobuf_Any(textFormat: text, options: decoding) == any)
  }

  @Test func whatIsReservedIsSkipped() throws {
    #expect(try Reserving(textFormat: "gone: { a: 1 } kept: 5 lost: [1, 2]") == Reserving(kept: 5))
  }
}

/// What the generator makes of a message that reserves names.
private struct Reserving: Message {
  var kept: Int32 = 0
  var unknownFields = UnknownFields()

  static let descriptor = MessageDescriptor(
    "taxon.test.Reserving", [Field("kept", 1, .int32)], reserved: ["gone", "lost"])

  init(kept: Int32 = 0) { self.kept = kept }
}
