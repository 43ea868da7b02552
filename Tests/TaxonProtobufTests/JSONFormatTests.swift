// SPDX-License-Identifier: Apache-2.0

import TaxonProtobuf
import Testing

/// The mapping of fields to JSON, both ways.
@Suite struct JSONFormatTests {
  /// Reads, writes, reads what was written, and expects the same message and, where it is given, that text.
  private func roundTrip<M: Message>(
    _ message: M, _ text: String, options: JSONEncodingOptions = JSONEncodingOptions()
  ) throws {
    #expect(try message.jsonString(options: options) == text)
    #expect(try M(json: text) == message)
    #expect(try message.jsonBytes(options: options) == Array(text.utf8))
  }

  @Test func fieldsOfEveryKind() throws {
    let message = Singular(
      doubleValue: 0.1, floatValue: 0.1, int32Value: .min, int64Value: .min, uint32Value: .max, uint64Value: .max,
      sint32Value: -1, sint64Value: .max, fixed32Value: 7, fixed64Value: 8, sfixed32Value: -9, sfixed64Value: -10,
      boolValue: true, stringValue: "é\"\\\n\u{1}\u{1F600}/", bytesValue: [0xFB, 0xFF, 0], enumValue: .blue,
      messageValue: Child(number: 1))
    try roundTrip(
      message,
      #"{"doubleValue":0.1,"floatValue":0.1,"int32Value":-2147483648,"int64Value":"-9223372036854775808","#
        + #""uint32Value":4294967295,"uint64Value":"18446744073709551615","sint32Value":-1,"#
        + #""sint64Value":"9223372036854775807","fixed32Value":7,"fixed64Value":"8","sfixed32Value":-9,"#
        + #""sfixed64Value":"-10","boolValue":true,"stringValue":"é\"\\\n\u0001😀/","bytesValue":"+/8A","#
        + #""enumValue":"COLOUR_BLUE","messageValue":{"number":1}}"#)
  }

  @Test func fieldsWithPresenceAreWrittenWithTheirDefaults() throws {
    try roundTrip(
      Optionals(
        doubleValue: 0, int64Value: 0, boolValue: false, stringValue: "", bytesValue: [], enumValue: .unspecified,
        messageValue: Child()),
      #"{"doubleValue":0,"int64Value":"0","boolValue":false,"stringValue":"","bytesValue":"","#
        + #""enumValue":"COLOUR_UNSPECIFIED","messageValue":{}}"#)
    try roundTrip(Optionals(), "{}")
    try roundTrip(Choice(value: .int32Value(0)), #"{"int32Value":0}"#)
    try roundTrip(Choice(before: 1, value: .stringValue(""), after: "x"), #"{"before":1,"stringValue":"","after":"x"}"#)
  }

  @Test func listsOfEveryKind() throws {
    let message = Repeated(
      doubleValues: [1, -0.0, .infinity], floatValues: [1.5, -.infinity], int32Values: [0, 1], int64Values: [2],
      uint32Values: [3], uint64Values: [4], boolValues: [true, false], stringValues: ["", "a"],
      bytesValues: [[], [1]], enumValues: [.red, .unrecognized(77)], messageValues: [Child(), Child(name: "x")])
    try roundTrip(
      message,
      #"{"doubleValues":[1,-0.0,"Infinity"],"floatValues":[1.5,"-Infinity"],"int32Values":[0,1],"int64Values":["2"],"#
        + #""uint32Values":[3],"uint64Values":["4"],"boolValues":[true,false],"stringValues":["","a"],"#
        + #""bytesValues":["","AQ=="],"enumValues":["COLOUR_RED",77],"messageValues":[{},{"name":"x"}]}"#)
  }

  @Test func notANumberIsAString() throws {
    let message = try Optionals(json: #"{"doubleValue":"NaN","floatValue":"NaN"}"#)
    #expect(message.doubleValue?.isNaN == true && message.floatValue?.isNaN == true)
    #expect(try message.jsonString() == #"{"doubleValue":"NaN","floatValue":"NaN"}"#)
  }

  @Test func mapsOfEveryKind() throws {
    let options = JSONEncodingOptions(sortsMapKeys: true)
    try roundTrip(
      Maps(
        texts: ["": "x", "a\"": "y"], numbers: [-5: 1, 10: 2, 9: 3], blobs: [true: [1], false: []],
        doubles: [-1: 0.5], floats: [4: 2], bools: [.max: true], colours: ["c": .unspecified],
        children: ["d": Child()], maps: ["e": Maps(numbers: [0: 0])]),
      #"{"texts":{"":"x","a\"":"y"},"numbers":{"-5":"1","9":"3","10":"2"},"blobs":{"false":"","true":"AQ=="},"#
        + #""doubles":{"-1":0.5},"floats":{"4":2},"bools":{"18446744073709551615":true},"#
        + #""colours":{"c":"COLOUR_UNSPECIFIED"},"children":{"d":{}},"maps":{"e":{"numbers":{"0":"0"}}}}"#,
      options: options)
    let many = Maps(numbers: Dictionary(uniqueKeysWithValues: (0..<5000).map { (Int32($0), Int64($0)) }))
    #expect(try Maps(json: many.jsonString()) == many)
  }

  @Test func namesOfFields() throws {
    let message = Renamed(
      plainName: 1, byHand: 2, leading: 3, trailing: 4, twoUnderscores: 5, digit9Digit: 6, capitalName: 7, a: 8)
    let text =
      #"{"plainName":1,"@hand \"made\"":2,"Leading":3,"trailing":4,"twoUnderscores":5,"digit9Digit":6,"#
      + #""CapitalName":7,"a":8}"#
    try roundTrip(message, text)
    let original =
      #"{"plain_name":1,"by_hand":2,"_leading":3,"trailing_":4,"two__underscores":5,"digit_9_digit":6,"#
      + #""Capital_name":7,"a":8}"#
    #expect(try message.jsonString(options: JSONEncodingOptions(usesOriginalNames: true)) == original)
    #expect(try Renamed(json: original) == message)
    #expect(try Renamed(json: #" { "\u0061" : 8 , "@hand \u0022made\"" : 2 } "#) == Renamed(byHand: 2, a: 8))
  }

  @Test func optionsOfWriting() throws {
    let defaults = JSONEncodingOptions(printsDefaults: true)
    #expect(try Child().jsonString(options: defaults) == #"{"number":0,"name":"","numbers":[]}"#)
    #expect(try Nothing().jsonString(options: JSONEncodingOptions(printsDefaults: true)) == "{}")
    #expect(try Maps().jsonString(options: JSONEncodingOptions(printsDefaults: true)).hasPrefix(#"{"texts":{},"#))
    #expect(
      try Singular(enumValue: .blue).jsonString(options: JSONEncodingOptions(printsEnumsAsNumbers: true))
        == #"{"enumValue":2}"#)
    #expect(try Optionals().jsonString(options: JSONEncodingOptions(printsDefaults: true)) == "{}")
  }

  @Test func nullIsTheAbsenceOfAValue() throws {
    let text = #"{"int32Value":null,"stringValue":null,"enumValue":null,"messageValue":null,"bytesValue":null}"#
    #expect(try Optionals(json: text) == Optionals())
    #expect(try Repeated(json: #"{"int32Values":null,"messageValues": null}"#) == Repeated())
    #expect(try Maps(json: #"{"texts":null}"#) == Maps())
    #expect(try Choice(json: #"{"int32Value":null,"stringValue":"x"}"#) == Choice(value: .stringValue("x")))
    #expect(try Choice(json: #"{"stringValue":"x","int32Value":null}"#) == Choice(value: .stringValue("x")))
  }

  @Test(
    arguments: [
      ("0", 0), ("-0", 0), ("1.0", 1), ("1e5", 100_000), ("-1.5e1", -15), ("100e-2", 1), ("\"7\"", 7),
      ("\"-7.0\"", -7), ("\"1e2\"", 100), (#""\u0031\u0032""#, 12), ("2147483647", .max), ("-2147483648", .min),
      ("2147483647.000", .max), ("0e999999999999999999999", 0), ("0.0000000000000000000000000", 0),
      ("1000000000000000000000e-20", 10),
    ] as [(String, Int32)])
  func wholeNumbersInAllTheirForms(_ text: String, _ value: Int32) throws {
    #expect(try Singular(json: #"{"int32Value":\#(text)}"#).int32Value == value)
    #expect(try Singular(json: #"{"sint64Value":\#(text)}"#).sint64Value == Int64(value))
    #expect(try Maps(json: #"{"numbers":{"1":\#(text)}}"#).numbers == [1: Int64(value)])
  }

  @Test func theBoundsOfWholeNumbers() throws {
    #expect(try Singular(json: #"{"int64Value":-9223372036854775808}"#).int64Value == .min)
    #expect(try Singular(json: #"{"int64Value":9223372036854775807.0}"#).int64Value == .max)
    #expect(try Singular(json: #"{"uint64Value":18446744073709551615}"#).uint64Value == .max)
    #expect(try Singular(json: #"{"uint64Value":"18446744073709551615.0"}"#).uint64Value == .max)
    #expect(try Singular(json: #"{"uint32Value":4294967295}"#).uint32Value == .max)
  }

  @Test(arguments: [
    "0", "-0", "1", "0.1", "-1.5e300", "1e-5", "123456789012345678", "9007199254740993", "5e-324",
    "2.2250738585072011e-308",
    "1.7976931348623157e308", "1e-400", "0.30000000000000004", "1e22", "1e23", "123456789012345678901234567890",
  ])
  func doublesAreReadAsTheStandardLibraryDoes(_ text: String) throws {
    let expected = try #require(Double(text))
    let value = try Optionals(json: #"{"doubleValue":\#(text)}"#).doubleValue
    #expect(value?.bitPattern == expected.bitPattern)
    #expect(try Optionals(json: #"{"doubleValue":"\#(text)"}"#).doubleValue?.bitPattern == expected.bitPattern)
  }

  @Test func doublesAndFloatsComeBack() throws {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      let double = Double(bitPattern: generator.next())
      let float = Float(bitPattern: generator.next())
      guard double.isFinite, float.isFinite else { continue }
      let message = Optionals(doubleValue: double, floatValue: float)
      let again = try Optionals(json: message.jsonString())
      #expect(again.doubleValue?.bitPattern == double.bitPattern, "\(double)")
      #expect(again.floatValue?.bitPattern == float.bitPattern, "\(float)")
    }
    #expect(try Optionals(json: #"{"floatValue":3.4028235e38}"#).floatValue == .greatestFiniteMagnitude)
    #expect(try Optionals(json: #"{"floatValue":16777217}"#).floatValue == 16_777_216)
  }

  @Test(
    arguments: [
      ("", []), ("AQ==", [1]), ("AQ", [1]), ("AQI=", [1, 2]), ("AQI", [1, 2]), ("AQID", [1, 2, 3]),
      ("-_8", [0xFB, 0xFF]), ("+/8=", [0xFB, 0xFF]), (#"+\/8="#, [0xFB, 0xFF]), (#"\u0041Q=="#, [1]),
    ] as [(String, [UInt8])])
  func base64AndBase64URL(_ text: String, _ bytes: [UInt8]) throws {
    #expect(try Singular(json: #"{"bytesValue":"\#(text)"}"#).bytesValue == bytes)
  }

  @Test(arguments: [0, 1, 2, 3, 5, 6, 7, 8, 9, 100, 4093, 4094, 4095, 4096, 4097, 4098, 70_000])
  func bytesOfEveryLengthComeBack(_ count: Int) throws {
    let message = Repeated(bytesValues: [(0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }, [7]])
    #expect(try Repeated(json: message.jsonBytes()) == message)
  }

  @Test func stringsOfEveryLengthAndPlaceOfAnEscape() throws {
    for count in 0..<40 {
      for place in 0...count {
        for special in ["\"", "\\", "\n", "\u{0}", "\u{1F}", "é", "\u{7F}", "\u{2028}", "\u{10FFFF}"] {
          let text = String(repeating: "x", count: place) + special + String(repeating: "y", count: count - place)
          let message = Child(name: text)
          #expect(try Child(json: message.jsonString()) == message)
        }
      }
    }
    let long = Child(name: String(repeating: "0123456789\"", count: 20_000))
    #expect(try Child(json: long.jsonBytes()) == long)
  }

  @Test func escapesAreRead() throws {
    let text = #"{"name":"\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00\uD83D\uDE00\u0000"}"#
    #expect(try Child(json: text).name == "\"\\/\u{8}\u{C}\n\r\tAé€😀😀\0")
  }

  @Test func enumsByNameAliasAndNumber() throws {
    for text in ["\"COLOUR_RED\"", "\"COLOUR_CRIMSON\"", "1", "1.0", "\"COLOUR\\u005fRED\""] {
      #expect(try Singular(json: #"{"enumValue":\#(text)}"#).enumValue == .red)
    }
    #expect(try Singular(json: #"{"enumValue":-1}"#).enumValue == .infrared)
    #expect(try Singular(json: #"{"enumValue":55}"#).enumValue == .unrecognized(55))
  }

  @Test func fieldsInAnyOrderAndWithAnySpace() throws {
    let text = "\t{\r\n \"numbers\" : [ 1 , 2 ] , \"child\" : { \"name\" : \"a\" } , \"number\" : 3 }\n"
    #expect(try Child(json: text) == Child(number: 3, numbers: [1, 2], child: Child(name: "a")))
  }

  @Test func textOfAnyType() throws {
    let text = #"{"name":"x"}"#
    #expect(try Child(json: Array(text.utf8)) == Child(name: "x"))
    #expect(try Child(json: "__\(text)".dropFirst(2)) == Child(name: "x"))
    #expect(try Child(json: Array(text.utf8)[...]) == Child(name: "x"))
    #expect(try Child(json: text.utf8.lazy.map { $0 }) == Child(name: "x"))
  }

  @Test func unknownFieldsAreIgnoredOnDemand() throws {
    let options = JSONDecodingOptions(ignoresUnknownFields: true)
    let text = #"{"x":{"a":[1,"b",null,true,{"c":[]},-1.5e3],"d":{}},"number":1,"y":false,"z":"\u00e9"}"#
    #expect(try Child(json: text, options: options) == Child(number: 1))
    #expect(try Singular(json: #"{"enumValue":"GREEN","int32Value":1}"#, options: options) == Singular(int32Value: 1))
    #expect(
      try Repeated(json: #"{"enumValues":["GREEN","COLOUR_RED","X"]}"#, options: options)
        == Repeated(enumValues: [.red]))
    #expect(
      try Maps(json: #"{"colours":{"a":"GREEN","b":"COLOUR_RED"}}"#, options: options) == Maps(colours: ["b": .red]))
  }

  @Test func unknownFieldsOfTheWireHaveNoJSON() throws {
    #expect(try Nothing(decoding: hex("0801")).jsonString() == "{}")
  }

  @Test func extensionsInBrackets() throws {
    var message = Extendable(own: 1)
    message.amount = 300
    message.steps = [-1, 2]
    message.children = [Child(name: "x")]
    message.kind = .plain
    message.insideInside = Inside(text: "y")
    let text =
      #"{"own":1,"[taxon.test.amount]":300,"[taxon.test.steps]":["-1","2"],"[taxon.test.children]":[{"name":"x"}],"#
      + #""[taxon.test.kind]":"PLAIN","[taxon.test.Inside.inside]":{"text":"y"}}"#
    #expect(try message.jsonString(options: JSONEncodingOptions(registry: .legacy)) == text)
    #expect(try message.jsonString() == #"{"own":1}"#)
    #expect(try Extendable(json: text, options: JSONDecodingOptions(registry: .legacy)) == message)
    #expect(
      try Extendable(json: text, options: JSONDecodingOptions(ignoresUnknownFields: true)) == Extendable(own: 1))
    let null = try Extendable(
      json: #"{"[taxon.test.amount]":null,"[taxon.test.words]":[]}"#, options: JSONDecodingOptions(registry: .legacy))
    #expect(null == Extendable())
  }

  @Test func closedEnumsAndRequiredFields() throws {
    #expect(
      try Closed(json: #"{"one":"SHAPE_HOLLOW","loose":[1,3],"named":{"a":0}}"#)
        == Closed(one: .hollow, loose: [.square, .round], named: ["a": .off]))
    let options = JSONDecodingOptions(ignoresUnknownFields: true)
    #expect(try Closed(json: #"{"one":77,"loose":[1,77]}"#, options: options) == Closed(loose: [.square]))
    #expect(try Required(json: #"{"number":0,"name":""}"#) == Required(number: 0, name: ""))
    #expect(try Required(number: 0, name: "").jsonString() == #"{"number":0,"name":""}"#)
  }
}
