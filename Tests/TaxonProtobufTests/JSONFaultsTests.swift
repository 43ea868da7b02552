// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf
import Testing

/// Everything that is wrong with a text, not only the first thing.
@Suite struct JSONFaultsTests {
  private func faults<M: Message>(
    _ type: M.Type, _ text: [UInt8], _ options: JSONDecodingOptions = JSONDecodingOptions()
  ) -> JSONFaults {
    text.withUnsafeBufferPointer { M.jsonFaults(in: $0, options: options) }
  }

  /// Such as "number 1:11 a number is expected"; of a text that is not JSON with a "!" in front.
  private func lines<M: Message>(
    _ type: M.Type, _ text: String, _ options: JSONDecodingOptions = JSONDecodingOptions()
  ) -> [String] {
    let faults = faults(type, Array(text.utf8), options)
    return faults.found.map {
      "\(faults.isWellFormed ? "" : "!")\($0.path) \($0.line):\($0.column) \($0.reason)"
    }
  }

  @Test func everyMemberAtFaultIsFound() {
    let text = """
      {
        "number": "x",
        "name": 7,
        "bogus": {"number": []},
        "numbers": [1, null, "2", 2.5, {}],
        "child": {"number": 3000000000, "child": {"name": true}},
        "note": "fine"
      }
      """
    #expect(
      lines(Child.self, text) == [
        "number 2:13 a number is not valid JSON",
        "name 3:11 a string is expected",
        #"bogus 4:3 there is no field "bogus""#,
        "numbers[1] 5:18 a null is in a list or a map",
        "numbers[3] 5:29 a whole number has a fraction",
        "numbers[4] 5:34 a number is expected",
        "child.number 6:23 a number does not fit the field",
        "child.child.name 6:53 a string is expected",
      ])
  }

  @Test(arguments: [
    (
      #"{"number":1,"number":2,"name":3}"#, ["number 1:13 field number occurs twice", "name 1:31 a string is expected"]
    ),
    (
      #"{"text":"a","inner":{},"name":3}"#,
      ["inner 1:13 inner and another member of its oneof are set", "name 1:31 a string is expected"]
    ),
    (#"[1,{"a":2}]"#, [" 1:1 '{' is expected"]),
    (#""text""#, [" 1:1 '{' is expected"]),
    (#"{"child":[1,2],"inner":{"numbers":{}}}"#, ["child 1:10 '{' is expected", "inner.numbers 1:35 '[' is expected"]),
    (#"{"b\u0061d":1,"":2}"#, [#"["b\u0061d"] 1:2 there is no field "bad""#, #" 1:15 there is no field """#]),
    (#"{"number":1}"#, []),
  ]) func faultsOfMembers(text: String, expected: [String]) {
    #expect(lines(Child.self, text) == expected)
  }

  @Test func everyEntryOfAMapAtFaultIsFound() {
    let text =
      #"{"numbers":{"x":1,"2":"y","3":4,"3":5},"children":{"a b":{"number":"z"},"c":null},"colours":{"d":"RED"},"#
      + #""bools":{"1":2},"texts":{"e":"f"}}"#
    #expect(
      lines(Maps.self, text) == [
        "numbers.x 1:13 a number is not valid JSON",
        "numbers.2 1:23 a number is not valid JSON",
        #"numbers.3 1:33 key "3" occurs twice"#,
        #"children["a b"].number 1:68 a number is not valid JSON"#,
        "children.c 1:77 a null is in a list or a map",
        "colours.d 1:98 there is no value RED",
        "bools.1 1:118 true or false is expected",
      ])
  }

  @Test func wellKnownTypesAtFaultAreFound() {
    let registry = TypeRegistry([Child.self])
    let text =
      #"{"timestamp":"yesterday","duration":"5","mask":"a_b","int32Value":"x","bytesValue":"*","#
      + #""any":{"@type":"a.b/taxon.test.Child","number":"x","name":1},"#
      + #""anys":[{"@type":"none"},{"@type":"a.b/none"},{"number":1}],"numbers":[1,"y"],"structure":{"a":1,"a":2}}"#
    #expect(
      lines(WellKnown.self, text, JSONDecodingOptions(registry: registry)).map { $0.split(separator: " ").first } == [
        "timestamp", "duration", "mask", "int32Value", "bytesValue", "any.number", "any.name", "anys[0].@type",
        "anys[1].@type", "anys[2]", "numbers[1]", "structure.a",
      ])
  }

  @Test func everyRequiredFieldThatIsMissingIsFound() {
    #expect(
      lines(Required.self, #"{"others":[{"number":1},{"name":5}],"inner":{}}"#) == [
        "others[0].name 1:23 required field name is missing",
        "others[1].name 1:33 a string is expected",
        "others[1].number 1:34 required field number is missing",
        "inner.number 1:46 required field number is missing",
        "inner.name 1:46 required field name is missing",
        "number 1:47 required field number is missing",
        "name 1:47 required field name is missing",
      ])
  }

  @Test(arguments: [
    ("", "! 1:1 the text ends inside a value"),
    ("{", "! 1:2 the text ends inside a value"),
    ("{}x", "! 1:3 the text goes on behind the message"),
    // What is wrong before it does not count: it is no JSON.
    (#"{"number":"x","name":}"#, "!name 1:22 a value is expected"),
    (#"{"child":{"numbers":[1,2,]}}"#, "!child.numbers[2] 1:26 a value is expected"),
    // Keys that are no fields are not named.
    (#"{"child":{"ada@example.com":[01]}}"#, "!child 1:30 a number is not valid JSON"),
    (#"[[{"number":+1}]]"#, "! 1:13 a value is expected"),
    (#"{"child":[[{"number":+1}]]}"#, "!child 1:22 a value is expected"),
    (#"{"number":1 "name":2}"#, "!number 1:13 ',' or '}' is expected"),
    ("{\"name\":\"\u{1}\"}", "!name 1:10 a control character is not escaped"),
    (#"{"name":"\ud800"}"#, "!name 1:10 a backslash does not begin an escape"),
    ("{\n\"name\": nul}", "!name 2:9 a value is expected"),
  ]) func theFirstPlaceThatIsNotJSONIsFound(text: String, expected: String) {
    #expect(lines(Child.self, text) == [expected])
  }

  @Test func keysOfMapsAreNotNamedWhereATextIsNotJSON() {
    #expect(lines(Maps.self, #"{"children":{"ada":{"number":+1}}}"#) == ["!children 1:30 a value is expected"])
  }

  @Test func unknownFieldsMayBeIgnored() {
    let options = JSONDecodingOptions(ignoresUnknownFields: true)
    #expect(
      lines(Child.self, #"{"bogus":[{}],"number":"x"}"#, options) == ["number 1:24 a number is not valid JSON"])
  }

  @Test func theFirstHundredAreKeptAndTheOthersCounted() {
    let many = faults(Child.self, Array("{\"numbers\":[\(String(repeating: "{},", count: 250_000))1]}".utf8))
    #expect(many.found.count == JSONFaults.maxFound)
    #expect(many.notKept == 250_000 - JSONFaults.maxFound)
    #expect(many.found.last?.path == "numbers[99]")
    let twice = faults(Child.self, Array("{\(String(repeating: "\"number\":1,", count: 100_000))\"name\":\"\"}".utf8))
    #expect(twice.notKept == 99_999 - JSONFaults.maxFound)
  }

  @Test func nestingThatIsTooDeepIsOneFault() {
    let deep = String(repeating: #"{"child":"#, count: 200_000) + "1" + String(repeating: "}", count: 200_000)
    let found = faults(Child.self, Array(deep.utf8))
    #expect(found.isWellFormed)
    #expect(found.found.map(\.reason) == [.nestingTooDeep(limit: 100)])
    #expect(found.found.first?.path.hasSuffix("...") == true)
    #expect((found.found.first?.path.utf8.count ?? 0) < 300)
    // What stands beside it is found, too.
    #expect(faults(Child.self, Array(#"{"child":\#(deep),"name":1}"#.utf8)).found.map(\.path).last == "name")
    // An end within a million lists.
    let open = faults(Child.self, [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000))
    #expect(!open.isWellFormed)
    #expect(open.found.map(\.reason) == [.unexpectedEnd])
    #expect(open.found.first?.column == 1_000_001)
  }

  @Test func longKeysAreCutInPaths() {
    let key = String(repeating: "ü", count: 100_000)
    let entries = (0..<200).map { #""\#($0)":{}"# }.joined(separator: ",")
    let found = faults(Maps.self, Array(#"{"maps":{"\#(key)":{"texts":{\#(entries)}}}}"#.utf8))
    #expect(found.found.count == 100 && found.notKept == 100)
    #expect(found.found.allSatisfy { $0.path.utf8.count < 600 && $0.path.hasPrefix("maps[\"üü") })
  }

  @Test func nothingIsFoundWhereNothingIsWrong() {
    let text = #"{"number":1,"numbers":[1,2],"child":{"inner":{"name":"x"}}}"#
    #expect(lines(Child.self, text).isEmpty)
    #expect(lines(Maps.self, #"{"texts":{"a":"b"},"children":{"c":{"number":1}}}"#).isEmpty)
  }
}
