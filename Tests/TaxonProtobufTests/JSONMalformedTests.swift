// SPDX-License-Identifier: Apache-2.0

import TaxonProtobuf
import Testing

/// What is refused, and what is said of it.
@Suite struct JSONMalformedTests {
  private func fault<M: Message>(_ type: M.Type, _ text: String, _ options: JSONDecodingOptions = .init()) -> String {
    fault(type, Array(text.utf8), options)
  }

  private func fault<M: Message>(_ type: M.Type, _ text: [UInt8], _ options: JSONDecodingOptions = .init()) -> String {
    do {
      return "no fault: \(try M(json: text, options: options))"
    } catch {
      return error.description
    }
  }

  @Test(arguments: [
    // The grammar.
    ("", ": the text ends inside a value, line 1, column 1"),
    ("  ", ": the text ends inside a value, line 1, column 3"),
    ("{", ": the text ends inside a value, line 1, column 2"),
    ("[]", ": '{' is expected, line 1, column 1"),
    ("null", ": '{' is expected, line 1, column 1"),
    ("{}x", ": the text goes on behind the message, line 1, column 3"),
    ("{}{}", ": the text goes on behind the message, line 1, column 3"),
    (#"{"number":1,}"#, ": a string is expected, line 1, column 13"),
    (#"{,"number":1}"#, ": a string is expected, line 1, column 2"),
    (#"{"number" 1}"#, ": ':' is expected, at number, line 1, column 11"),
    (#"{number:1}"#, ": a string is expected, line 1, column 2"),
    (#"{'number':1}"#, ": a string is expected, line 1, column 2"),
    (#"{"number":1 "name":"x"}"#, ": ',' or '}' is expected, at number, line 1, column 13"),
    (#"{"numbers":[1,]}"#, ".numbers: a number is expected, at numbers[1], line 1, column 15"),
    (#"{"numbers":[1 2]}"#, ".numbers: ',' or ']' is expected, at numbers[0], line 1, column 15"),
    (#"{"numbers":[1,2"#, ".numbers: the text ends inside a value, at numbers[1], line 1, column 16"),
    (#"{"number":1/*x*/}"#, ": ',' or '}' is expected, at number, line 1, column 12"),
    ("{\u{FEFF}}", ": a string is expected, line 1, column 2"),
    ("{\u{A0}}", ": a string is expected, line 1, column 2"),
    // Numbers.
    (#"{"number":01}"#, ".number: invalid"),
    (#"{"number":+1}"#, ".number: a number is expected, at number, line 1, column 11"),
    (#"{"number":.5}"#, ".number: a number is expected, at number, line 1, column 11"),
    (#"{"number":-}"#, ".number: invalid"),
    (#"{"number":1.}"#, ".number: invalid"),
    (#"{"number":1e}"#, ".number: invalid"),
    (#"{"number":0x1}"#, ": ',' or '}' is expected, at number, line 1, column 12"),
    (#"{"number":1.5}"#, ".number: a whole number has a fraction, at number, line 1, column 11"),
    (#"{"number":1e-1}"#, ".number: a whole number has a fraction, at number, line 1, column 11"),
    (#"{"number":2147483648}"#, ".number: does not fit"),
    (#"{"number":-2147483649}"#, ".number: does not fit"),
    (#"{"number":1e99999999999999999999}"#, ".number: does not fit"),
    (#"{"number":""}"#, ".number: invalid"),
    (#"{"number":" 1"}"#, ".number: invalid"),
    (#"{"number":"1 "}"#, ".number: invalid"),
    (#"{"number":"1x"}"#, ".number: invalid"),
    (#"{"number":"+1"}"#, ".number: invalid"),
    (#"{"number":true}"#, ".number: a number is expected, at number, line 1, column 11"),
    (#"{"number":{}}"#, ".number: a number is expected, at number, line 1, column 11"),
    (#"{"number":[1]}"#, ".number: a number is expected, at number, line 1, column 11"),
    // Strings.
    (#"{"name":1}"#, ".name: a string is expected, at name, line 1, column 9"),
    (#"{"name":"a"#, ".name: the text ends inside a value, at name, line 1, column 11"),
    (#"{"name":"a\"#, ".name: the text ends inside a value, at name, line 1, column 12"),
    (#"{"name":"a\""#, ".name: the text ends inside a value, at name, line 1, column 13"),
    ("{\"name\":\"a\nb\"}", ".name: a control character is not escaped, at name, line 1, column 11"),
    ("{\"name\":\"0123456789\u{0}\"}", ".name: a control character is not escaped, at name, line 1, column 20"),
    (#"{"name":"\x"}"#, ".name: a backslash does not begin an escape, at name, line 1, column 10"),
    (#"{"name":"\U0041"}"#, ".name: a backslash does not begin an escape, at name, line 1, column 10"),
    (#"{"name":"\u12"}"#, ".name: a backslash does not begin an escape, at name, line 1, column 10"),
    (#"{"name":"\ud83d"}"#, ".name: a backslash does not begin an escape, at name, line 1, column 10"),
    (#"{"name":"\ud83dx"}"#, ".name: a backslash does not begin an escape, at name, line 1, column 10"),
    (#"{"name":"\ud83d\u0041"}"#, ".name: a backslash does not begin an escape, at name, line 1, column 10"),
    (#"{"name":"é\ude00"}"#, ".name: a backslash does not begin an escape, at name, line 1, column 11"),
    // Fields.
    (#"{"x":1}"#, #": there is no field "x", line 1, column 2"#),
    (#"{"Number":1}"#, #": there is no field "Number", line 1, column 2"#),
    (#"{"number":1,"number":1}"#, ": field number occurs twice, line 1, column 13"),
    (#"{"text":"a","inner":{}}"#, ": inner and another member of its oneof are set, line 1, column 13"),
    (#"{"numbers":1}"#, ".numbers: '[' is expected, at numbers, line 1, column 12"),
    (#"{"numbers":[null]}"#, ".numbers: a null is in a list or a map, at numbers[0], line 1, column 13"),
    (#"{"numbers":[[1]]}"#, ".numbers: a number is expected, at numbers[0], line 1, column 13"),
    (#"{"child":"x"}"#, ".child: '{' is expected, at child, line 1, column 10"),
    ("{\n \"child\": {\n  \"é\": 1}}", #": there is no field "é", at child, line 3, column 3"#),
    (
      #"{"child":{"inner":{"number":"x"}}}"#,
      ".number: a number is not valid JSON, at child.inner.number, line 1, column 29"
    ),
  ])
  func malformedText(_ text: String, _ message: String) {
    // What is wrong with most numbers is the same, at the same place.
    let place = ", at number, line 1, column 11"
    let whole =
      switch message {
      case ".number: invalid": ".number: a number is not valid JSON\(place)"
      case ".number: does not fit": ".number: a number does not fit the field\(place)"
      default: message
      }
    #expect(fault(Child.self, text) == "taxon.test.Child\(whole)")
  }

  @Test(arguments: [
    (#"{"texts":{"a":"b","a":"c"}}"#, #".texts: key "a" occurs twice, at texts, line 1, column 19"#),
    (#"{"texts":{"a":"b","\u0061":"c"}}"#, #".texts: key "a" occurs twice, at texts, line 1, column 19"#),
    (#"{"numbers":{"1":1,"1.0":1}}"#, #".numbers: key "1.0" occurs twice, at numbers, line 1, column 19"#),
    (#"{"numbers":{"x":1}}"#, ".numbers: a number is not valid JSON, at numbers, line 1, column 13"),
    (#"{"numbers":{1:1}}"#, ".numbers: a string is expected, at numbers, line 1, column 13"),
    (#"{"blobs":{"True":""}}"#, #".blobs: "true" or "false" is expected, at blobs, line 1, column 11"#),
    (#"{"texts":{"a b":null}}"#, #".texts: a null is in a list or a map, at texts["a b"], line 1, column 17"#),
    (#"{"colours":{"a":"GREEN"}}"#, ".colours: there is no value GREEN, at colours.a, line 1, column 17"),
    (#"{"blobs":{"true":"A"}}"#, ".blobs: a text is not base64, at blobs.true, line 1, column 18"),
    (#"{"blobs":{"true":"A==="}}"#, ".blobs: a text is not base64, at blobs.true, line 1, column 18"),
    (#"{"blobs":{"true":"AA=A"}}"#, ".blobs: a text is not base64, at blobs.true, line 1, column 18"),
    (#"{"blobs":{"true":"A A="}}"#, ".blobs: a text is not base64, at blobs.true, line 1, column 18"),
    (#"{"bools":{"1":1}}"#, ".bools: true or false is expected, at bools.1, line 1, column 15"),
    (#"{"bools":{"-1":true}}"#, ".bools: a number does not fit the field, at bools, line 1, column 11"),
    (#"{"bools":{"1":tru}}"#, ".bools: a value is expected, at bools.1, line 1, column 15"),
  ])
  func malformedMaps(_ text: String, _ message: String) {
    #expect(fault(Maps.self, text) == "taxon.test.Maps\(message)")
  }

  @Test func manyKeysOfWhichOneComesTwice() {
    let keys = (0..<1000).map { #""key \#($0)":"x""# } + [#""key 500":"y""#]
    #expect(
      fault(Maps.self, #"{"texts":{\#(keys.joined(separator: ","))}}"#).contains(#"key "key 500" occurs twice"#))
  }

  @Test func aFieldUnderBothOfItsNames() {
    #expect(
      fault(Renamed.self, #"{"plainName":1,"plain_name":1}"#)
        == "taxon.test.Renamed: field plain_name occurs twice, line 1, column 16")
    #expect(
      fault(Renamed.self, #"{"a":null,"a":1}"#) == "taxon.test.Renamed: field a occurs twice, line 1, column 11")
  }

  @Test(arguments: [
    (#"{"doubleValue":1e309}"#, "does not fit"), (#"{"doubleValue":"-1e309"}"#, "does not fit"),
    (#"{"floatValue":3.5e38}"#, "does not fit"), (#"{"doubleValue":"inf"}"#, "not valid JSON"),
    (#"{"doubleValue":"nan"}"#, "not valid JSON"), (#"{"doubleValue":NaN}"#, "a number is expected"),
    (#"{"doubleValue":Infinity}"#, "a number is expected"), (#"{"doubleValue":-Infinity}"#, "not valid JSON"),
    (#"{"doubleValue":"0x10"}"#, "not valid JSON"), (#"{"doubleValue":"1 "}"#, "not valid JSON"),
    (#"{"doubleValue":""}"#, "not valid JSON"), (#"{"uint64Value":18446744073709551616}"#, "does not fit"),
    (#"{"uint64Value":-1}"#, "does not fit"), (#"{"int64Value":9223372036854775808}"#, "does not fit"),
    (#"{"int64Value":-9223372036854775809}"#, "does not fit"), (#"{"uint32Value":-1}"#, "does not fit"),
    (#"{"uint32Value":4294967296}"#, "does not fit"), (#"{"boolValue":"true"}"#, "true or false"),
    (#"{"boolValue":0}"#, "true or false"), (#"{"enumValue":"colour_red"}"#, "no value colour_red"),
    (#"{"enumValue":""}"#, "no value "), (#"{"enumValue":true}"#, "the name or the number"),
    (#"{"enumValue":2147483648}"#, "does not fit"), (#"{"enumValue":1.5}"#, "fraction"),
    (#"{"stringValue":null}x"#, "goes on behind"), (#"{"messageValue":[]}"#, "'{' is expected"),
  ])
  func valuesThatDoNotFitTheirFields(_ text: String, _ clause: String) {
    #expect(fault(Singular.self, text).contains(clause))
  }

  @Test func whatIsNoUTF8() {
    let head = Array(#"{"name":"abcdefgh"#.utf8)
    let tail = Array(#""}"#.utf8)
    for bytes in [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x80]] as [[UInt8]] {
      #expect(
        fault(Child.self, head + bytes + tail)
          == "taxon.test.Child.name: a string is not UTF-8, at name, line 1, column 18")
      #expect(fault(Child.self, head + Array(#"\n"#.utf8) + bytes + tail).contains("is not UTF-8"))
    }
    let ignoring = JSONDecodingOptions(ignoresUnknownFields: true)
    #expect(fault(Child.self, Array(#"{"x":""#.utf8) + [0xFF] + tail, ignoring).contains("is not UTF-8"))
    #expect(fault(Child.self, Array(#"{""#.utf8) + [0xFF] + Array(#"":1}"#.utf8)).contains("is not UTF-8"))
  }

  @Test func nestingHasALimit() {
    func child(_ depth: Int) -> String {
      String(repeating: #"{"child":"#, count: depth) + "{}" + String(repeating: "}", count: depth)
    }
    #expect(fault(Child.self, child(100)).hasPrefix("no fault"))
    #expect(fault(Child.self, child(101)).contains("messages are nested deeper than 100"))
    #expect(fault(Child.self, child(5), JSONDecodingOptions(nestingLimit: 4)).contains("nested deeper than 4"))
    func list(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
    // A list in a list is a Value in a ListValue in a Value.
    #expect(fault(Google_Protobuf_Value.self, list(50)).hasPrefix("no fault"))
    #expect(fault(Google_Protobuf_Value.self, list(51)).contains("nested deeper than 100"))
    let ignoring = JSONDecodingOptions(ignoresUnknownFields: true)
    #expect(fault(Child.self, #"{"x":\#(list(100))}"#, ignoring).hasPrefix("no fault"))
    #expect(fault(Child.self, #"{"x":\#(list(100_000))}"#, ignoring).contains("nested deeper than 100"))
    #expect(fault(Google_Protobuf_Value.self, list(100_000)).contains("nested deeper than 100"))
    let any = #"{"@type":"x/google.protobuf.Any","value":"#
    let anys = String(repeating: any, count: 500) + "{}" + String(repeating: "}", count: 500)
    #expect(fault(Google_Protobuf_Any.self, anys).contains("nested deeper than 100"))
  }

  @Test(
    arguments: [
      (Child.self, #"{"child":"#, "{}", "}"), (Google_Protobuf_Value.self, "[", "[]", "]"),
      (Google_Protobuf_ListValue.self, "[", "[]", "]"), (Google_Protobuf_Struct.self, #"{"a":"#, "{}", "}"),
      (Google_Protobuf_Value.self, #"{"a":"#, "null", "}"), (Maps.self, #"{"maps":{"a":"#, "{}", "}}"),
      (WellKnown.self, #"{"structure":{"a":["#, "{}", "]}}"),
    ] as [(any Message.Type, String, String, String)])
  func whatIsReadAtTheLimitIsDecodedAtTheLimit(_ type: any Message.Type, open: String, inside: String, close: String)
    throws
  {
    var accepted = 0
    for depth in 1...110 {
      let text = String(repeating: open, count: depth) + inside + String(repeating: close, count: depth)
      guard let message = try? type.init(json: text) else { continue }
      accepted = depth
      let bytes = try message.encoded()
      #expect(throws: Never.self) { try type.init(decoding: bytes) }
    }
    #expect(accepted > 0 && accepted <= 100)
    // The limits are the same: what is one deeper in the binary format alone is refused too.
    let decoding = DecodingOptions(nestingLimit: 1000)
    let text =
      String(repeating: open, count: accepted + 1) + inside + String(repeating: close, count: accepted + 1)
    guard let message = try? type.init(json: text, options: JSONDecodingOptions(nestingLimit: 1000)) else { return }
    let bytes = try message.encoded()
    #expect(throws: MessageDecodingError.self) { try type.init(decoding: bytes) }
    #expect(throws: Never.self) { try type.init(decoding: bytes, options: decoding) }
  }

  @Test(arguments: [
    #"{"x":01}"#, #"{"x":tru}"#, #"{"x":[1,]}"#, #"{"x":{"a":1,}}"#, #"{"x":}"#, #"{"x":"\q"}"#, #"{"x":1"#,
  ])
  func whatIsIgnoredIsWellFormed(_ text: String) {
    #expect(!fault(Child.self, text, JSONDecodingOptions(ignoresUnknownFields: true)).hasPrefix("no fault"))
  }

  @Test func requiredFieldsAndClosedEnums() {
    #expect(
      fault(Required.self, #"{"number":1}"#)
        == "taxon.test.Required: required field name is missing, line 1, column 12")
    #expect(fault(Required.self, "{}") == "taxon.test.Required: required field number is missing, line 1, column 2")
    #expect(
      fault(Required.self, #"{"number":1,"name":"","others":[{"number":1,"name":null}]}"#)
        == "taxon.test.Required: required field name is missing, at others[0], line 1, column 56")
    #expect(
      fault(Closed.self, #"{"one":77}"#) == "taxon.test.Closed.one: there is no value 77, at one, line 1, column 8")
  }

  @Test(arguments: [
    (#"{"number":1}"#, "there is no \"@type\""), (#"{"@type":5}"#, "a string is expected"),
    (#"{"@type":"taxon.test.Child"}"#, "is not a type URL"), (#"{"@type":"x/"}"#, "is not a type URL"),
    (#"{"@type":"x/unheard.Of"}"#, "the registry has no type unheard.Of"),
    (#"{"@type":"x/taxon.test.Child","@type":"x/taxon.test.Child"}"#, "field @type occurs twice"),
    (#"{"@type":"x/taxon.test.Child","x":1}"#, #"there is no field "x""#),
    (#"{"@type":"x/taxon.test.Child","value":{}}"#, #"there is no field "value""#),
    (#"{"@type":"x/google.protobuf.Duration"}"#, "required field value is missing"),
    (#"{"@type":"x/google.protobuf.Duration","value":"1s","x":1}"#, #"there is no field "x""#),
    (#"{"@type":"x/google.protobuf.Duration","value":"1s","value":"1s"}"#, "field value occurs twice"),
    (#"{"@type":"x/google.protobuf.Duration","value":"1"}"#, "a text is not a duration"),
    (#"{"@type":"x/taxon.test.Required","number":1}"#, "required field name is missing"),
    (#"{"@type":"x/taxon.test.Child","name":"\ud800"}"#, "does not begin an escape"),
  ])
  func malformedAny(_ text: String, _ clause: String) {
    let options = JSONDecodingOptions(registry: TypeRegistry.everything.union(.legacy))
    #expect(fault(Google_Protobuf_Any.self, text, options).contains(clause))
  }

  @Test func malformedExtensions() {
    let options = JSONDecodingOptions(registry: .legacy)
    #expect(fault(Extendable.self, #"{"[taxon.test.amount]":1}"#).contains(#"there is no field "[taxon.test.amount]""#))
    #expect(
      fault(Extendable.self, #"{"[taxon.test.amount]":"x"}"#, options)
        == "taxon.test.Extendable.[taxon.test.amount]: a number is not valid JSON, "
        + #"at ["[taxon.test.amount]"], line 1, column 24"#)
    #expect(
      fault(Extendable.self, #"{"[taxon.test.amount]":1,"[taxon.test.amount]":1}"#, options)
        .contains("field [taxon.test.amount] occurs twice"))
    #expect(
      fault(Extendable.self, #"{"[taxon.test.strict]":{}}"#, options).contains("required field number is missing"))
    #expect(fault(Grouped.self, #"{"[taxon.test.amount]":1}"#, options).contains("there is no field"))
  }

  @Test func everyPrefixOfATextIsAnError() throws {
    let text = Array(
      #"{"number":-12,"name":"a\u00e9\n€","numbers":[1,2.0,"3"],"child":{"text":"x"},"inner":{},"note":null}"#.utf8)
    #expect(fault(Child.self, text).hasPrefix("no fault"))
    for count in 0..<text.count {
      // In memory of its own, so that a sanitizer sees what is read behind it.
      #expect(!fault(Child.self, Array(text[..<count])).hasPrefix("no fault"))
    }
  }

  @Test func noByteInPlaceOfAnotherCrashes() throws {
    let text = Array(
      #"{"any":{"@type":"x/taxon.test.Child","name":"é"},"value":[{"a":1e5}],"timestamp":"2020-01-01T00:00:00Z"}"#.utf8)
    let options = JSONDecodingOptions(registry: .everything)
    _ = try WellKnown(json: text, options: options)
    for index in text.indices {
      for byte in [0, 0x20, 0x22, 0x2C, 0x30, 0x3A, 0x5B, 0x5C, 0x5D, 0x6E, 0x7B, 0x7D, 0x80, 0xC3, 0xFF] as [UInt8] {
        var changed = text
        changed[index] = byte
        if let message = try? WellKnown(json: changed, options: options) {
          #expect(try WellKnown(decoding: message.encoded()) == message)
        }
      }
    }
  }
}
