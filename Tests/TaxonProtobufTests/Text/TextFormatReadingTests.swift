// SPDX-License-Identifier: Apache-2.0

import TaxonProtobuf
import Testing

/// The grammar of https://protobuf.dev/reference/protobuf/textformat-spec, by its sections.
@Suite struct TextFormatReadingTests {
  static let registry = TypeRegistry.everything.union(.json).union(.kinds).union(.legacy)

  // MARK: White space, comments, separators

  @Test(arguments: [
    "number: 5 name: 'x'", "number : 5, name : 'x';",
    "number: 5; name: 'x',", "# proto-file: everything.proto\n# proto-message: Child\n\nnumber: 5\nname: 'x'",
    "number:#c\n5#d\nname\t:\u{B}\u{C}'x'\r\n# the end", "\u{FEFF}number: 5 name: \"x\"",
  ])
  func whiteSpaceCommentsAndSeparatorsStandAnywhere(text: String) throws {
    #expect(try Child(textFormat: text) == Child(number: 5, name: "x"))
  }

  @Test func anEmptyTextIsAMessage() throws {
    #expect(try Child(textFormat: "") == Child())
    #expect(try Nothing(textFormat: " # nothing") == Nothing())
  }

  @Test(arguments: [
    "number: 5,,", "number: 5;;", ", number: 5", "number 5", "number: [5]", "number: ", "number", "number: 5 }",
    "child {",
    "child { number: 5", "child { number: 5 >", "numbers: [1 2]", "numbers: [1,]", "numbers: [1,,2]", "numbers: [1;2]",
    "numbers [1]", "child", "child: 5", "child: []", ": 5", "5: 5", "number: 5name: 'x'", "[number]: 5", "number: {}",
  ])
  func whatIsOutsideOfTheGrammarIsRefused(text: String) {
    #expect(throws: TextFormatDecodingError.self) { try Child(textFormat: text) }
  }

  // MARK: Numbers

  @Test(
    arguments: [
      ("0", 0), ("-0", 0), ("- 7", -7), ("-\n# a comment\n7", -7), ("0x7FFFFFFF", 0x7FFF_FFFF), ("-0X80000000", .min),
      ("017", 15), ("-020000000000", .min), ("00", 0), ("2147483647", .max),
    ] as [(String, Int32)])
  func wholeNumbersAreDecimalOctalOrHexadecimal(text: String, value: Int32) throws {
    #expect(try Singular(textFormat: "int32_value: \(text)").int32Value == value)
    #expect(try Singular(textFormat: "sint32_value: \(text)").sint32Value == value)
    #expect(try Singular(textFormat: "sfixed64_value: \(text)").sfixed64Value == Int64(value))
  }

  @Test(arguments: [
    "08", "0x", "0xg", "1.0", "1f", "1e3", "- -1", "+1", "2147483648", "-2147483649", "1_000", "١", "inf",
  ])
  func otherTextsAreNoWholeNumbers(text: String) {
    #expect(throws: TextFormatDecodingError.self) { try Singular(textFormat: "int32_value: \(text)") }
  }

  @Test func theGreatestNumbersFit() throws {
    let text = """
      int64_value: -9223372036854775808 uint64_value: 18446744073709551615 fixed64_value: 0xFFFFFFFFFFFFFFFF
      uint32_value: 037777777777 sint64_value: 9223372036854775807
      """
    let message = Singular(
      int64Value: .min, uint32Value: .max, uint64Value: .max, sint64Value: .max, fixed64Value: .max)
    #expect(try Singular(textFormat: text) == message)
    for text in ["uint64_value: 18446744073709551616", "uint32_value: 4294967296", "int64_value: 0x8000000000000000"] {
      #expect(throws: TextFormatDecodingError.self) { try Singular(textFormat: text) }
    }
  }

  @Test(arguments: ["uint32_value", "uint64_value", "fixed32_value", "fixed64_value"])
  func numbersWithoutASignHaveNone(name: String) throws {
    let error = #expect(throws: TextFormatDecodingError.self) { try Singular(textFormat: "\(name): -0") }
    #expect(error?.reason == .expected("a whole number without a sign"))
  }

  @Test(
    arguments: [
      ("1.5", 1.5), ("-1.5F", -1.5), ("10f", 10), (".5", 0.5), ("5.", 5), ("- .5e+1f", -5), ("5.e-1", 0.5),
      ("1E2", 100),
      ("18446744073709551616", 18_446_744_073_709_551_616), ("1e9999", .infinity), ("-1e9999", -.infinity),
      ("1e18446744073709551616", .infinity), ("iNFinity", .infinity), ("-inf", -.infinity), ("1e-9999", 0),
      ("0.1000000000000000055511151231257827", 0.1), ("3.123456789123456789", 3.123456789123456789),
    ] as [(String, Double)])
  func numbersWithAFractionAreTheNearestOnes(text: String, value: Double) throws {
    #expect(try Singular(textFormat: "double_value: \(text)").doubleValue == value)
    #expect(try Singular(textFormat: "float_value: \(text)").floatValue == Float(value))
  }

  @Test func negativeZeroAndNaNAreThemselves() throws {
    #expect(try Singular(textFormat: "double_value: -0").doubleValue.sign == .minus)
    #expect(try Singular(textFormat: "float_value: -1e-50").floatValue.sign == .minus)
    #expect(try Singular(textFormat: "double_value: nAn").doubleValue.isNaN)
  }

  @Test(arguments: ["0x1", "012", "1e", "1e+", ".", "-", "1.2.3", "1.5g", "infinite", "'1'", "1 . 5", "00.5"])
  func otherTextsAreNoNumbers(text: String) {
    #expect(throws: TextFormatDecodingError.self) { try Singular(textFormat: "double_value: \(text)") }
  }

  @Test(arguments: [
    ("true", true), ("True", true), ("t", true), ("1", true), ("0x1", true), ("01", true), ("f", false),
    ("False", false), ("false", false), ("0", false), ("00", false),
  ])
  func booleansHaveNamesAndNumbers(text: String, value: Bool) throws {
    #expect(try Singular(textFormat: "bool_value: \(text)").boolValue == value)
  }

  @Test(arguments: ["TRUE", "2", "-1", "'true'", "yes", "1.0"])
  func otherTextsAreNoBooleans(text: String) {
    #expect(throws: TextFormatDecodingError.self) { try Singular(textFormat: "bool_value: \(text)") }
  }

  // MARK: Strings

  @Test(arguments: [
    (#"'a' "b"'c'"d""#, "abcd"), ("'a'\n # comment\n \"b\"", "ab"),
    (#"'\a\b\f\n\r\t\v\?\\\'\"'"#, "\u{7}\u{8}\u{C}\n\r\t\u{B}?\\'\""),
    (#"'\1234'"#, "S4"), (#"'\x213'"#, "!3"), (#"'\5Hello'"#, "\u{5}Hello"), (#"'\xFz'"#, "\u{F}z"),
    (#"'\u00e9\U0001F600'"#, "é😀"), (#"'\303\251'"#, "é"), (#"'\303' '\251'"#, "é"), ("'\"é\"'", "\"é\""), ("''", ""),
    ("'tab\there'", "tab\there"), (#""it's""#, "it's"),
  ])
  func stringsHaveCsEscapesAndComeInParts(text: String, value: String) throws {
    #expect(try Singular(textFormat: "string_value: \(text)").stringValue == value)
    #expect(try Singular(textFormat: "bytes_value: \(text)").bytesValue == Array(value.utf8))
  }

  @Test func bytesAreAny() throws {
    #expect(try Singular(textFormat: #"bytes_value: '\377\xC0\x00a'"#).bytesValue == [0xFF, 0xC0, 0, 0x61])
    let error = #expect(throws: TextFormatDecodingError.self) { try Singular(textFormat: #"string_value: '\300'"#) }
    #expect(error?.reason == .invalidUTF8)
  }

  @Test(arguments: [
    "'a\nb'", "'a", "'a\\", "'a\\'", #"'\q'"#, #"'\ud800'"#, #"'\ud801\udc37'"#, #"'\U00110000'"#, #"'\u12'"#, #"'\x'"#,
    #"'\400'"#, "a", "5", #"'\8'"#, "'a\u{0}b'", #"'\U1000000041'"#,
  ])
  func otherTextsAreNoStrings(text: String) {
    #expect(throws: TextFormatDecodingError.self) { try Singular(textFormat: "bytes_value: \(text)") }
  }

  @Test func bytesThatAreNoUnicodeAreRefused() {
    let error = #expect(throws: TextFormatDecodingError.self) {
      try Child(textFormat: Array("name: 'a'\n# ".utf8) + [0xFF])
    }
    #expect(error?.reason == .invalidUTF8 && error?.line == 2 && error?.column == 3)
  }

  // MARK: Enums

  @Test func enumsHaveNamesAndNumbers() throws {
    #expect(try Singular(textFormat: "enum_value: COLOUR_CRIMSON").enumValue == .red)
    #expect(try Singular(textFormat: "enum_value: -0x1").enumValue == .infrared)
    #expect(try Singular(textFormat: "enum_value: 42").enumValue == .unrecognized(42))
    #expect(try Closed(textFormat: "one: -2").one == .hollow)
    let error = #expect(throws: TextFormatDecodingError.self) { try Closed(textFormat: "one: 42") }
    #expect(error?.reason == .unknownEnumValue("42"))
    #expect(throws: TextFormatDecodingError.self) { try Singular(textFormat: "enum_value: COLOUR_PINK") }
    #expect(throws: TextFormatDecodingError.self) { try Singular(textFormat: "enum_value: 'COLOUR_RED'") }
  }

  // MARK: Messages, lists, maps, oneofs

  @Test(arguments: ["child { number: 1 }", "child: { number: 1 }", "child < number: 1 >", "child:<number:1>"])
  func messagesHaveEitherBracketsAndAColonOrNone(text: String) throws {
    #expect(try Child(textFormat: text) == Child(child: Child(number: 1)))
  }

  @Test func listsGoOnWhereTheyLeftOff() throws {
    #expect(
      try Child(textFormat: "numbers: 1 numbers: [2, 3] numbers: [] numbers: 4").numbers == [1, 2, 3, 4])
    let many = (0..<1000).map { "numbers: \($0)" }.joined(separator: "\n")
    #expect(try Child(textFormat: many).numbers == Array(0..<1000))
    #expect(
      try Repeated(textFormat: "message_values [{ number: 1 }, < number: 2 >] message_values {}").messageValues
        == [Child(number: 1), Child(number: 2), Child()])
  }

  @Test func mapsAreLists() throws {
    let text = """
      numbers { key: 1 value: 2 } numbers: [{ value: 4 key: 3 }, {}, { key: 1 value: 5 }]
      children { key: "a" } texts { value: "only" } bools: { key: 7, value: t }
      """
    let message = Maps(
      texts: ["": "only"], numbers: [1: 5, 3: 4, 0: 0], bools: [7: true], children: ["a": Child()])
    #expect(try Maps(textFormat: text) == message)
  }

  @Test(arguments: [
    ("number: 1 number: 1", TextFormatDecodingError.Reason.duplicateField("number")),
    ("child {} child {}", .duplicateField("child")), ("text: 'a' text: 'b'", .duplicateField("text")),
    ("text: 'a' inner {}", .secondMemberOfOneof("inner")), ("number: 0 number: 0", .duplicateField("number")),
  ])
  func aFieldThatIsNotRepeatedOccursOnce(text: String, reason: TextFormatDecodingError.Reason) {
    let error = #expect(throws: TextFormatDecodingError.self) { try Child(textFormat: text) }
    #expect(error?.reason == reason)
  }

  @Test func requiredFieldsAreRequired() throws {
    let error = #expect(throws: TextFormatDecodingError.self) {
      try Required(textFormat: "number: 1 name: 'a' inner { number: 2 }")
    }
    #expect(error?.reason == .missingRequiredField("name"))
    #expect(error?.description == "taxon.test.Required: required field name is missing, at inner, line 1, column 39")
    #expect(try Required(textFormat: "number: 0 name: ''") == Required(number: 0, name: ""))
  }

  @Test func presenceIsAsInTheSchema() throws {
    #expect(try Singular(textFormat: "int32_value: 0") == Singular())
    #expect(try Optionals(textFormat: "int32_value: 0") == Optionals(int32Value: 0))
    #expect(try Choice(textFormat: "int32_value: 0") == Choice(value: .int32Value(0)))
  }

  // MARK: Unknown fields

  @Test(arguments: [
    "else: 5", "else: -inf", "else: 'a' 'b'", "else { a: 1 b<> }", "else: [1, 2.5f, 'x']",
    "else [{a:1}, <b:2>]", "else: []", "7: 0x10", "7 { 1: 2, 3: '\\001' }", "[some.extension]: 5", "[a/b.C] { x: 1 }",
    "taskId: 5",
    "else { [x.y] { z: TRUE } }",
  ])
  func unknownFieldsAreRefusedOrSkipped(text: String) throws {
    let all = "number: 1 \(text) name: 'a'"
    #expect(throws: TextFormatDecodingError.self) { try Child(textFormat: all) }
    let ignoring = TextFormatDecodingOptions(ignoresUnknownFields: true)
    #expect(try Child(textFormat: all, options: ignoring) == Child(number: 1, name: "a"))
  }

  @Test(arguments: [
    "else", "else 5", "else: [1", "else { a }", "else: [{}, 1,]", "else: 08", "else: '\\q'", "7a: 1", "else: {",
  ])
  func whatIsSkippedIsWellFormed(text: String) {
    let ignoring = TextFormatDecodingOptions(ignoresUnknownFields: true)
    #expect(throws: TextFormatDecodingError.self) { try Child(textFormat: text, options: ignoring) }
  }

  @Test func jsonNamesAreNotKnown() {
    let error = #expect(throws: TextFormatDecodingError.self) { try Names(textFormat: "taskId: '1'") }
    #expect(error?.reason == .unknownField("taskId"))
  }

  // MARK: Extensions and Any

  @Test(arguments: ["[taxon.test.amount]: 7", "[ taxon . te st.#c\namount ]:7"])
  func extensionsStandInBrackets(text: String) throws {
    let options = TextFormatDecodingOptions(registry: Self.registry)
    #expect(try Extendable(textFormat: text, options: options).amount == 7)
    let error = #expect(throws: TextFormatDecodingError.self) { try Extendable(textFormat: text) }
    #expect(error?.reason == .unknownExtension("taxon.test.amount"))
  }

  @Test func extensionsAreFieldsLikeOthers() throws {
    let options = TextFormatDecodingOptions(registry: Self.registry)
    let text = """
      [taxon.test.words]: 'a' own: 1 [taxon.test.words]: ['b', 'c'] [taxon.test.children] { number: 2 }
      [taxon.test.kinds]: [PLAIN, 2] [taxon.test.Inside.inside] { text: 'x' }
      """
    let message = try Extendable(textFormat: text, options: options)
    #expect(message.own == 1 && message.words == ["a", "b", "c"] && message.children == [Child(number: 2)])
    #expect(message.kinds == [.plain, .fancy])
    for text in ["[taxon.test.amount]: 1 [taxon.test.amount]: 2", "[taxon.test.amount]: [1]", "[taxon.test.strict] {}"]
    {
      #expect(throws: TextFormatDecodingError.self) { try Extendable(textFormat: text, options: options) }
    }
  }

  @Test func anAnyIsExpandedOrBytes() throws {
    let options = TextFormatDecodingOptions(registry: Self.registry)
    let message = WellKnown(any: try Google_Protobuf_Any(packing: Child(number: 5)))
    for text in [
      "any { [type.googleapis.com/taxon.test.Child] { number: 5 } }",
      "any: <[type.google # comment\n apis.com / taxon.test.Chi\tld]: <number: 5>,>",
      #"any { type_url: "type.googleapis.com/taxon.test.Child" value: "\010\005" }"#,
    ] {
      #expect(try WellKnown(textFormat: text, options: options) == message)
    }
    let odd = "any { [a.b/%2F/~!$&()*+,;=/taxon.test.Child] {} }"
    #expect(try WellKnown(textFormat: odd, options: options).any?.typeURL == "a.b/%2F/~!$&()*+,;=/taxon.test.Child")
  }

  @Test(arguments: [
    "any { [a/unknown] {} }", "any { [/taxon.test.Child] {} }", "any { [a/] {} }",
    "any { [a/%ZZ/taxon.test.Child] {} }",
    "any { [a/taxon.test.Child] {} value: '' }", "any { type_url: 'a' [a/taxon.test.Child] {} }",
    "any { [a/taxon.test.Child] {} [a/taxon.test.Child] {} }", "any { [a/taxon.test.Child]: 5 }", "any { [a/b-c] {} }",
    "any { [a/taxon.test.Child] { number: 'x' } }", "[a/taxon.test.Child] {}", "any { [taxon.test.amount]: 1 }",
  ])
  func otherAnysAreRefused(text: String) {
    let options = TextFormatDecodingOptions(registry: Self.registry)
    #expect(throws: TextFormatDecodingError.self) { try WellKnown(textFormat: text, options: options) }
  }

  // MARK: Limits

  @Test func nestingHasTheLimitOfTheBinaryFormat() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "child {", count: depth) + String(repeating: "}", count: depth)
    }
    let message = try Child(textFormat: nested(100))
    #expect(try Child(decoding: message.encoded()) == message)
    let error = #expect(throws: TextFormatDecodingError.self) { try Child(textFormat: nested(101)) }
    #expect(error?.reason == .nestingTooDeep(limit: 100))
    let three = TextFormatDecodingOptions(nestingLimit: 3)
    #expect(throws: TextFormatDecodingError.self) { try Child(textFormat: nested(4), options: three) }
    let ignoring = TextFormatDecodingOptions(ignoresUnknownFields: true)
    let unknown = String(repeating: "x {", count: 100_000)
    #expect(throws: TextFormatDecodingError.self) { try Child(textFormat: unknown, options: ignoring) }
  }

  @Test func anErrorSaysWhereAndWhatWasExpected() {
    let text = """
      # a comment
      message_values { number: 1 }
      message_values {
        child { numbers: [1, é] }
      }
      """
    let error = #expect(throws: TextFormatDecodingError.self) { try Repeated(textFormat: text) }
    #expect(
      error?.description
        == "taxon.test.Child.numbers: expected a whole number, at message_values[1].child.numbers[1], line 4, column 24"
    )
    #expect(error?.messageName == "taxon.test.Child" && error?.fieldName == "numbers" && error?.offset == 81)
  }
}

/// Groups have the names of their types; what is extended, its own.
@Suite struct TextFormatGroupTests {
  private static let registry = TypeRegistry.legacy

  @Test(arguments: ["Member { name: 'x' }", "Member: < name: 'x' >", "member { name: 'x' }"])
  func aGroupHasTheNameOfItsType(text: String) throws {
    let message = try Grouped(textFormat: text)
    #expect(message.member?.name == "x")
    #expect(
      message.textFormatString(options: TextFormatEncodingOptions(printsInOneLine: true)) == #"Member { name: "x" }"#)
    #expect(try Grouped(decoding: message.encoded()) == message)
  }

  @Test(arguments: ["MEMBER {}", "Member {} Member {}", "Member {} member {}", "Member: 5"])
  func otherNamesAndSecondGroupsAreRefused(text: String) {
    #expect(throws: TextFormatDecodingError.self) { try Grouped(textFormat: text) }
  }

  @Test func anExtensionThatIsAGroupKeepsItsName() throws {
    let options = TextFormatDecodingOptions(registry: Self.registry)
    let message = try Extendable(textFormat: "[taxon.test.old] { number: 7 }", options: options)
    let printing = TextFormatEncodingOptions(printsInOneLine: true, registry: Self.registry)
    #expect(message.textFormatString(options: printing) == "[taxon.test.old] { number: 7 }")
    #expect(throws: TextFormatDecodingError.self) {
      try Extendable(textFormat: "[taxon.test.Old] { number: 7 }", options: options)
    }
  }
}
