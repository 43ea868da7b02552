// SPDX-License-Identifier: Apache-2.0

import TaxonProtobuf
import Testing

@Suite struct DescriptionTests {
  @Test func theDescriptionIsOneLine() {
    let message = Child(number: 5, name: "a\"b\n", numbers: [1, 2], child: Child(), choice: .text("é"))
    #expect(
      message.description
        == #"taxon.test.Child { number: 5 name: "a\"b\n" numbers: 1 numbers: 2 child {} text: "é" }"#)
    #expect(Nothing().description == "taxon.test.Nothing {}")
  }

  @Test func theTextFormatHasALineForEachField() {
    let message = Singular(
      doubleValue: 0.5, int32Value: -1, boolValue: true, bytesValue: [0, 255, 65], enumValue: .infrared,
      messageValue: Child(name: "x", child: Child(number: 2)))
    #expect(
      message.textFormatString() == """
        double_value: 0.5
        int32_value: -1
        bool_value: true
        bytes_value: "\\000\\377A"
        enum_value: COLOUR_INFRARED
        message_value {
          name: "x"
          child {
            number: 2
          }
        }

        """)
  }

  @Test func mapsAreInTheOrderOfTheirText() {
    let message = Maps(texts: ["b": "2", "a": "1"], children: ["k": Child()])
    #expect(
      message.description
        == #"taxon.test.Maps { texts { key: "a" value: "1" } texts { key: "b" value: "2" } children { key: "k" value {} } }"#
    )
  }

  @Test func numbersWithoutANameArePrintedAsNumbers() {
    #expect(Singular(enumValue: .unrecognized(77)).description == "taxon.test.Singular { enum_value: 77 }")
    #expect(Colour.unrecognized(77).description == "77")
    #expect(Colour.crimson.description == "COLOUR_RED")
  }

  @Test func unknownFieldsArePrintedByNumber() throws {
    let message = try Nothing(decoding: hex("f83e01 fa3e0161 fd3e01000000 f93e0200000000000000 fb3e 0801 fc3e"))
    #expect(
      message.description
        == #"taxon.test.Nothing { 1007: 1 1007: "a" 1007: 0x00000001 1007: 0x0000000000000002 1007 { 1: 1 } }"#)
  }

  @Test func aFieldCalledDescriptionDoesNotHideTheText() {
    let message = Names(description: "mine", taskID: "42")
    #expect(message.description == "mine")
    #expect("\(message)" == #"taxon.test.Names { description: "mine" task_id: "42" }"#)
  }
}
