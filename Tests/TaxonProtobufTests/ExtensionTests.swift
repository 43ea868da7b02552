// SPDX-License-Identifier: Apache-2.0

import TaxonProtobuf
import Testing

/// Extensions of proto2, by their generated names.
@Suite struct ExtensionTests {
  @Test func theyAreSetReadAndTakenAway() throws {
    var message = Extendable(own: 1)
    #expect(message.amount == nil)
    message.amount = 300
    #expect(message.amount == 300)
    #expect(try message.encoded() == hex("0801 a006ac02"))
    message.amount = 5
    #expect(try message.encoded() == hex("0801 a00605"))
    message.amount = nil
    #expect(message == Extendable(own: 1))
  }

  @Test func defaultsAndPresence() throws {
    var message = Extendable()
    #expect(message.label == "none" && message.kind == .fancy && message.insideDefault)
    #expect(!Extendable.label.isSet(in: message))
    message.label = "none"
    #expect(Extendable.label.isSet(in: message))
    #expect(try Extendable(decoding: message.encoded()).label == "none")
    Extendable.label.clear(in: &message)
    #expect(message == Extendable())
    message.insideDefault = false
    #expect(try !Extendable(decoding: message.encoded()).insideDefault)
  }

  @Test func listsOfEveryKind() throws {
    var message = Extendable()
    message.steps = [-1, 2, .min]
    message.words = ["a", ""]
    message.children = [Child(number: 1), Child()]
    message.kinds = [.plain, .fancy]
    message.blob = [1, 2]
    let again = try Extendable(decoding: message.encoded())
    #expect(again.steps == [-1, 2, .min])
    #expect(again.words == ["a", ""])
    #expect(again.children == [Child(number: 1), Child()])
    #expect(again.kinds == [.plain, .fancy])
    #expect(again.blob == [1, 2])
    #expect(again == message)
    // Packed and not are both read.
    #expect(try Extendable(decoding: hex("b00602 b2060104")).steps == [1, 2])
    message.steps = []
    #expect(!Extendable.steps.isSet(in: message) && message.words == ["a", ""])
  }

  @Test func messagesAreMergedAndNested() throws {
    // number 1; then name "a".
    let message = try Extendable(decoding: hex("c2060408011200 c20603120161"))
    #expect(message.strict == Required(number: 1, name: "a"))
    var other = Extendable()
    other.insideInside = Inside(text: "x")
    other.insideInside?.text? += "y"
    #expect(try Extendable(decoding: other.encoded()).insideInside == Inside(text: "xy"))
  }

  @Test func theLastValueCounts() throws {
    #expect(try Extendable(decoding: hex("a00601 a00602")).amount == 2)
  }

  @Test func aMissingRequiredFieldIsReported() throws {
    let message = try Extendable(decoding: hex("0801 c206020801"))
    #expect(message.strict == nil)
    let error = try #require(throws: MessageDecodingError.self) { try Extendable.strict.value(in: message) }
    #expect(error.description == "taxon.test.Required.name: a required field is missing, at byte 3")
    // The bytes are what they were.
    #expect(try message.encoded() == hex("0801 c206020801"))
  }

  @Test func whatIsNoValueIsReported() throws {
    let message = try Extendable(decoding: hex("aa0602 61ff"))
    #expect(message.label == "none")
    let error = try #require(throws: MessageDecodingError.self) { try Extendable.label.value(in: message) }
    #expect(error.description == "taxon.test.Extendable.[taxon.test.label]: a string is not UTF-8, at byte 4")
  }

  @Test func anUnknownNumberOfAClosedEnumIsNotThere() throws {
    let message = try Extendable(decoding: hex("d00607 d80601 d80607 d80602"))
    #expect(message.kind == .fancy)
    #expect(message.kinds == [.plain, .fancy])
    #expect(try message.encoded() == hex("d00607 d80601 d80607 d80602"))
  }

  @Test func groupsBesideThemStay() throws {
    var message = try Extendable(decoding: hex("f306 0801 f406 a00601"))
    #expect(message.amount == 1)
    message.amount = 2
    #expect(try message.encoded() == hex("f306 0801 f406 a00602"))
  }

  @Test func anExtensionHasItsFullName() {
    #expect(Extendable.insideInside.name == "taxon.test.Inside.inside")
    #expect(Extendable.insideInside.number == 120)
  }

  /// The message is TaxonProtobuf's, the extensions are this module's.
  @Test func messagesOfOtherModulesHaveThem() throws {
    var options = Google_Protobuf_FieldOptions(deprecated: true)
    #expect(options.unit == nil && options.examples.isEmpty && options.outline == .round)
    options.unit = "ms"
    options.examples = [Child(number: 1), Child(name: "a")]
    options.outline = .hollow
    let bytes = try options.encoded()
    let again = try Google_Protobuf_FieldOptions(decoding: bytes)
    #expect(again == options)
    #expect(
      again.deprecated && again.unit == "ms" && again.examples.map(\.name) == ["", "a"] && again.outline == .hollow)
    // Inside a message of that module too.
    let field = Google_Protobuf_FieldDescriptorProto(name: "wait", options: options)
    #expect(try Google_Protobuf_FieldDescriptorProto(decoding: field.encoded()).options?.unit == "ms")
    let json = try options.jsonString(options: JSONEncodingOptions(registry: .kinds))
    #expect(
      json == #"{"deprecated":true,"[taxon.test.unit]":"ms","#
        + #""[taxon.test.examples]":[{"number":1},{"name":"a"}],"[taxon.test.outline]":"SHAPE_HOLLOW"}"#)
    #expect(
      try Google_Protobuf_FieldOptions(json: json, options: JSONDecodingOptions(registry: .kinds)).outline == .hollow)
  }

  @Test func aMessageSetKeepsItsGroups() throws {
    // One item: type 1547769, a message with text "a".
    let bytes = hex("0b 10f9bb5e 1a04 ca010161 0c")
    #expect(try Parcel(decoding: bytes).encoded() == bytes)
  }
}
