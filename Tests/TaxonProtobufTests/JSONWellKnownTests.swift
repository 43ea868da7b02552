// SPDX-License-Identifier: Apache-2.0

import TaxonProtobuf
import Testing

/// The forms of the well-known types.
@Suite struct JSONWellKnownTests {
  @Test(
    arguments: [
      ("1970-01-01T00:00:00Z", 0, 0), ("0001-01-01T00:00:00Z", -62_135_596_800, 0),
      ("9999-12-31T23:59:59.999999999Z", 253_402_300_799, 999_999_999),
      ("2024-02-29T12:30:15.500Z", 1_709_209_815, 500_000_000),
      ("1969-12-31T23:59:59.000001Z", -1, 1000), ("2000-03-01T00:00:00.000000001Z", 951_868_800, 1),
      ("1900-02-28T23:59:59Z", -2_203_891_201, 0),
    ] as [(String, Int64, Int32)])
  func timestampsBothWays(_ text: String, _ seconds: Int64, _ nanos: Int32) throws {
    let message = Google_Protobuf_Timestamp(seconds: seconds, nanos: nanos)
    #expect(try message.jsonString() == "\"\(text)\"")
    #expect(try Google_Protobuf_Timestamp(json: "\"\(text)\"") == message)
  }

  @Test(
    arguments: [
      ("1970-01-01T08:00:01+08:00", 1, 0), ("1969-12-31T16:00:01-08:00", 1, 0),
      ("1970-01-01T00:00:00.1Z", 0, 100_000_000),
      ("1970-01-01T00:00:00.12345678+00:00", 0, 123_456_780), ("1970-01-01T00:00:00-00:00", 0, 0),
    ] as [(String, Int64, Int32)])
  func timestampsWithOffsetsAreRead(_ text: String, _ seconds: Int64, _ nanos: Int32) throws {
    #expect(
      try Google_Protobuf_Timestamp(json: "\"\(text)\"") == Google_Protobuf_Timestamp(seconds: seconds, nanos: nanos))
  }

  @Test func everyDayOfFourHundredYearsComesBack() throws {
    for day in stride(from: -720_000 as Int64, to: 2_900_000, by: 997) where day * 86_400 >= -62_135_596_800 {
      let message = Google_Protobuf_Timestamp(seconds: day * 86_400 + 86_399)
      #expect(try Google_Protobuf_Timestamp(json: message.jsonString()) == message)
    }
  }

  @Test(arguments: [
    "1970-01-01T00:00:00", "1970-01-01t00:00:00Z", "1970-01-01T00:00:00z", "1970-01-01 00:00:00Z",
    "0000-12-31T23:59:59Z",
    "10000-01-01T00:00:00Z", "1970-13-01T00:00:00Z", "1970-02-29T00:00:00Z", "1970-01-01T24:00:00Z",
    "1970-01-01T00:60:00Z", "1970-01-01T00:00:60Z", "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00.1234567890Z",
    "1970-01-01T00:00:00+0800", "1970-01-01T00:00:00Zx", "", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
    "1970-1-01T00:00:00Z", "+970-01-01T00:00:00Z",
  ])
  func textsThatAreNoTimestamps(_ text: String) {
    #expect(throws: JSONDecodingError.self) { try Google_Protobuf_Timestamp(json: "\"\(text)\"") }
  }

  @Test(
    arguments: [
      ("0s", 0, 0), ("1s", 1, 0), ("-1.500s", -1, -500_000_000), ("-0.000000001s", 0, -1),
      ("315576000000s", 315_576_000_000, 0), ("-315576000000.999999999s", -315_576_000_000, -999_999_999),
      ("3.000001s", 3, 1000),
    ] as [(String, Int64, Int32)])
  func durationsBothWays(_ text: String, _ seconds: Int64, _ nanos: Int32) throws {
    let message = Google_Protobuf_Duration(seconds: seconds, nanos: nanos)
    #expect(try message.jsonString() == "\"\(text)\"")
    #expect(try Google_Protobuf_Duration(json: "\"\(text)\"") == message)
  }

  @Test(arguments: ["1", "1S", "s", "", ".5s", "1.s", "+1s", "315576000001s", "1.0000000000s", "1e3s", "--1s", "1 s"])
  func textsThatAreNoDurations(_ text: String) {
    #expect(throws: JSONDecodingError.self) { try Google_Protobuf_Duration(json: "\"\(text)\"") }
  }

  @Test func whatIsOutOfRangeHasNoJSON() {
    func reason(_ message: some Message) -> JSONEncodingError.Reason? {
      do {
        _ = try message.jsonString()
        return nil
      } catch {
        return error.reason
      }
    }
    #expect(reason(Google_Protobuf_Timestamp(seconds: -62_135_596_801)) == .timestampOutOfRange)
    #expect(reason(Google_Protobuf_Timestamp(seconds: 253_402_300_800)) == .timestampOutOfRange)
    #expect(reason(Google_Protobuf_Timestamp(nanos: -1)) == .timestampOutOfRange)
    #expect(reason(Google_Protobuf_Timestamp(nanos: 1_000_000_000)) == .timestampOutOfRange)
    #expect(reason(Google_Protobuf_Duration(seconds: 315_576_000_001)) == .durationOutOfRange)
    #expect(reason(Google_Protobuf_Duration(seconds: 1, nanos: -1)) == .durationOutOfRange)
    #expect(reason(Google_Protobuf_Duration(seconds: -1, nanos: 1)) == .durationOutOfRange)
    #expect(reason(Google_Protobuf_Duration(nanos: .min)) == .durationOutOfRange)
    #expect(reason(Google_Protobuf_Value(.nan)) == .nonFiniteValue)
    #expect(reason(Google_Protobuf_ListValue(values: [Google_Protobuf_Value(.infinity)])) == .nonFiniteValue)
    for path in ["fooBar", "foo__bar", "foo_3_bar", "foo_", "", "a b", "a,b"] {
      #expect(reason(Google_Protobuf_FieldMask(paths: [path])) == .invalidFieldMaskPath(path))
    }
    #expect(reason(Google_Protobuf_Any(typeURL: "x/unheard.Of")) == .unregisteredType("unheard.Of"))
    #expect(reason(Google_Protobuf_Any(typeURL: "google.protobuf.Empty")) == .invalidTypeURL("google.protobuf.Empty"))
  }

  @Test func errorsOfWritingSayWhere() throws {
    let message = WellKnown(anys: [try Google_Protobuf_Any(packing: WellKnown(timestamp: .init(nanos: -1)))])
    let error = #expect(throws: JSONEncodingError.self) {
      try message.jsonString(options: JSONEncodingOptions(registry: .json))
    }
    #expect(
      error?.description
        == "anys.timestamp (google.protobuf.Timestamp): the time is not between the years 1 and 9999")
    let broken = WellKnown(any: Google_Protobuf_Any(typeURL: "x/taxon.test.Child", value: [0x12, 1, 0xFF]))
    let inside = #expect(throws: JSONEncodingError.self) {
      try broken.jsonString(options: JSONEncodingOptions(registry: .everything))
    }
    #expect(inside?.description.hasPrefix("any (google.protobuf.Any): what is inside cannot be decoded") == true)
  }

  @Test func fieldMasks() throws {
    let mask: Google_Protobuf_FieldMask = ["user.display_name", "photo"]
    #expect(try mask.jsonString() == #""user.displayName,photo""#)
    #expect(try Google_Protobuf_FieldMask(json: #""user.displayName,photo""#) == mask)
    #expect(try Google_Protobuf_FieldMask(json: "\"\"") == Google_Protobuf_FieldMask())
    for text in ["a_b", "a,,b", ",", "a b", "é"] {
      #expect(throws: JSONDecodingError.self) { try Google_Protobuf_FieldMask(json: "\"\(text)\"") }
    }
  }

  @Test func valuesOfStructs() throws {
    let text = #"{"a":[1,-2.5,"x",true,null,{},[]]}"#
    let message: Google_Protobuf_Struct = ["a": [1, -2.5, "x", true, nil, [:], []]]
    #expect(try Google_Protobuf_Struct(json: text) == message)
    #expect(try message.jsonString() == text)
    #expect(try Google_Protobuf_Value(json: "null").isNull)
    #expect(try Google_Protobuf_Value().jsonString() == "null")
    #expect(try Google_Protobuf_ListValue(json: "[null]").values.first?.isNull == true)
    #expect(throws: JSONDecodingError.self) { try Google_Protobuf_Value(json: "1e999") }
    #expect(throws: JSONDecodingError.self) { try Google_Protobuf_Struct(json: #"{"a":1,"a":2}"#) }
  }

  @Test func nullWhereItIsAValue() throws {
    let text =
      #"{"value":null,"nullValue":null,"values":[null],"nulls":[null],"namedValues":{"a":null},"nothing":null}"#
    let message = try WellKnown(json: text)
    #expect(message.value?.isNull == true && message.values.first?.isNull == true && message.nulls.count == 1)
    #expect(message.namedValues["a"]?.isNull == true && message.choice == .nothing(.nullValue))
    #expect(try message.jsonString() == text.replacing(#""nullValue":null,"#, with: ""))
    #expect(try WellKnown(json: #"{"int32Value":null,"structure":null,"list":null,"any":null}"#) == WellKnown())
    #expect(throws: JSONDecodingError.self) { try WellKnown(json: #"{"numbers":[null]}"#) }
    #expect(throws: JSONDecodingError.self) { try WellKnown(json: #"{"times":{"a":null}}"#) }
    #expect(throws: JSONDecodingError.self) { try WellKnown(json: #"{"nothing":null,"anything":null}"#) }
  }

  @Test func wrappersAreWhatTheyWrap() throws {
    let message = WellKnown(
      empty: Google_Protobuf_Empty(), doubleValue: 0.5, floatValue: 1.5, int64Value: 0, uint64Value: 18, int32Value: -3,
      uint32Value: 4, boolValue: false, stringValue: "", bytesValue: Google_Protobuf_BytesValue([1]), numbers: [1, 0])
    let text =
      #"{"empty":{},"doubleValue":0.5,"floatValue":1.5,"int64Value":"0","uint64Value":"18","int32Value":-3,"#
      + #""uint32Value":4,"boolValue":false,"stringValue":"","bytesValue":"AQ==","numbers":[1,0]}"#
    #expect(try message.jsonString() == text)
    #expect(try WellKnown(json: text) == message)
  }

  @Test func anyOfAMessage() throws {
    let any = try Google_Protobuf_Any(packing: Child(number: 1, child: Child(name: "x")))
    let text = #"{"@type":"type.googleapis.com/taxon.test.Child","number":1,"child":{"name":"x"}}"#
    let options = JSONDecodingOptions(registry: .everything)
    #expect(try any.jsonString(options: JSONEncodingOptions(registry: .everything)) == text)
    #expect(try Google_Protobuf_Any(json: text, options: options) == any)
    let late = #"{"child":{"name":"x"},"number":1,"@type":"type.googleapis.com/taxon.test.Child"}"#
    #expect(try Google_Protobuf_Any(json: late, options: options) == any)
    #expect(try Google_Protobuf_Any(json: "{}") == Google_Protobuf_Any())
    #expect(try Google_Protobuf_Any().jsonString() == "{}")
    #expect(try any.unpacked(from: .everything) as? Child == any.unpacked())
    #expect(try any.unpacked(from: TypeRegistry()) == nil)
  }

  @Test func anyLeavesDefaultsOutOfWhatItPacks() throws {
    let text = #"{"@type":"x/taxon.test.Child","number":0,"name":"","numbers":[],"child":null}"#
    let any = try Google_Protobuf_Any(json: text, options: JSONDecodingOptions(registry: .everything))
    #expect(any == Google_Protobuf_Any(typeURL: "x/taxon.test.Child"))
  }

  @Test func anyOfWellKnownTypes() throws {
    for (message, value) in [
      (Google_Protobuf_Duration(seconds: 1), #""1s""#), (Google_Protobuf_Value(true), "true"),
      (Google_Protobuf_Int32Value(5), "5"), (["a": 1] as Google_Protobuf_Struct, #"{"a":1}"#),
    ] as [(any Message, String)] {
      let any = try Google_Protobuf_Any(packing: message)
      let text = #"{"@type":"\#(any.typeURL)","value":\#(value)}"#
      #expect(try any.jsonString() == text)
      #expect(try Google_Protobuf_Any(json: text) == any)
      #expect(try Google_Protobuf_Any(json: #"{"value":\#(value),"@type":"\#(any.typeURL)"}"#) == any)
    }
    let nested = try Google_Protobuf_Any(packing: Google_Protobuf_Any(packing: Google_Protobuf_Empty()))
    let text =
      #"{"@type":"type.googleapis.com/google.protobuf.Any","#
      + #""value":{"@type":"type.googleapis.com/google.protobuf.Empty"}}"#
    #expect(try nested.jsonString() == text)
    #expect(try Google_Protobuf_Any(json: text) == nested)
    let empty = #"{"@type":"x/google.protobuf.Empty","value":{}}"#
    #expect(try Google_Protobuf_Any(json: empty) == Google_Protobuf_Any(typeURL: "x/google.protobuf.Empty"))
  }

  @Test func largeContentOfAnAnyComesBack() throws {
    let blob = [UInt8](repeating: 7, count: 100_000)
    let message = WellKnown(
      any: try Google_Protobuf_Any(packing: Singular(bytesValue: blob)), bytesValue: Google_Protobuf_BytesValue(blob))
    let text = try message.jsonBytes(options: JSONEncodingOptions(registry: .everything))
    #expect(try WellKnown(json: text, options: JSONDecodingOptions(registry: .everything)) == message)
  }
}
