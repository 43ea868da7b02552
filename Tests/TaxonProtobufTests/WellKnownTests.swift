// SPDX-License-Identifier: Apache-2.0

import Foundation
import TaxonProtobuf
import Testing

@Suite struct WellKnownTests {
  @Test(
    arguments: [
      (Duration.zero, 0, 0), (.seconds(3), 3, 0), (.milliseconds(1500), 1, 500_000_000),
      (.milliseconds(-1500), -1, -500_000_000), (.nanoseconds(-1), 0, -1),
    ] as [(Duration, Int64, Int32)])
  func durations(_ duration: Duration, _ seconds: Int64, _ nanos: Int32) {
    let message = Google_Protobuf_Duration(duration)
    #expect(message == Google_Protobuf_Duration(seconds: seconds, nanos: nanos))
    #expect(Duration(message) == duration)
  }

  @Test(
    arguments: [
      (Duration.zero, 0, 0), (.milliseconds(1500), 1, 500_000_000), (.milliseconds(-1500), -2, 500_000_000),
      (.nanoseconds(-1), -1, 999_999_999),
    ] as [(Duration, Int64, Int32)])
  func nanosecondsOfTimestampsCountForward(_ duration: Duration, _ seconds: Int64, _ nanos: Int32) {
    let message = Google_Protobuf_Timestamp(sinceEpoch: duration)
    #expect(message == Google_Protobuf_Timestamp(seconds: seconds, nanos: nanos))
    #expect(message.sinceEpoch == duration)
  }

  @Test func timestampsAreOrdered() {
    #expect(Google_Protobuf_Timestamp(seconds: 1, nanos: 5) < Google_Protobuf_Timestamp(seconds: 2))
    #expect(Google_Protobuf_Timestamp(seconds: 1, nanos: 5) > Google_Protobuf_Timestamp(seconds: 1, nanos: 4))
  }

  @Test func anyPacksAndUnpacks() throws {
    let any = try Google_Protobuf_Any(packing: Child(name: "x"))
    #expect(any.typeURL == "type.googleapis.com/taxon.test.Child")
    #expect(any.messageName == "taxon.test.Child")
    #expect(try any.unpacked(as: Child.self) == Child(name: "x"))
    #expect(try any.unpacked(as: Nothing.self) == nil)
    #expect(try Google_Protobuf_Any(typeURL: "example.com/a/taxon.test.Child").unpacked() == Child())
    #expect(throws: MessageDecodingError.self) {
      try Google_Protobuf_Any(typeURL: any.typeURL, value: [0]).unpacked(as: Child.self)
    }
  }

  @Test func wrappersAndValuesTakeLiterals() throws {
    let name: Google_Protobuf_StringValue = "x"
    #expect(name.value == "x")
    #expect((5 as Google_Protobuf_Int32Value).value == 5)
    let object: Google_Protobuf_Struct = ["a": 1, "b": [true, nil, "c"], "d": ["e": 2.5]]
    #expect(object.fields["a"]?.kind == .numberValue(1))
    #expect(try Google_Protobuf_Struct(decoding: try object.encoded()) == object)
  }

  @Test func customOptionsAreReadFromUnknownFields() throws {
    // options { java_package: "x" }, and extension 51820 in two parts.
    let bytes = hex("0a0161 4210 0a0178 e2a61902 0801 e2a61903 120161")
    let file = try Google_Protobuf_FileDescriptorProto(decoding: bytes)
    let options = try #require(file.options)
    #expect(file.name == "a")
    #expect(options.javaPackage == "x")
    #expect(try options.unknownFields.message(51820, as: Child.self) == Child(number: 1, name: "a"))
    #expect(try file.encoded() == bytes)
  }

  @Test(
    arguments: [
      (0, 0, 0), (1.5, 1, 500_000_000), (-0.25, -1, 750_000_000), (1_732_300_000, 1_732_300_000, 0),
    ] as [(Double, Int64, Int32)])
  func timestampsAndDates(_ interval: Double, _ seconds: Int64, _ nanos: Int32) {
    let message = Google_Protobuf_Timestamp(seconds: seconds, nanos: nanos)
    #expect(Google_Protobuf_Timestamp(Date(timeIntervalSince1970: interval)) == message)
    #expect(Date(message) == Date(timeIntervalSince1970: interval))
  }

  @Test func datesBeyondTheRangeOfTimestampsBecomeItsBounds() throws {
    let last = Google_Protobuf_Timestamp(seconds: 253_402_300_799, nanos: 999_999_999)
    #expect(Google_Protobuf_Timestamp(Date(timeIntervalSince1970: 1e300)) == last)
    #expect(Google_Protobuf_Timestamp(Date(timeIntervalSince1970: .infinity)) == last)
    #expect(try Google_Protobuf_Timestamp(Date.distantPast).jsonString() == "\"0001-01-01T00:00:00Z\"")
    #expect(Google_Protobuf_Timestamp(Date(timeIntervalSince1970: .nan)) == Google_Protobuf_Timestamp())
  }

  @Test func timestampsAndClocks() {
    let before = Date()
    let now = Google_Protobuf_Timestamp.now
    #expect(abs(Date(now).timeIntervalSince(before)) < 60)
    let clock = ContinuousClock()
    let deadline = clock.now.advanced(by: .seconds(3600))
    let message = Google_Protobuf_Timestamp(deadline, of: clock)
    #expect(message > now + .seconds(3500) && message < now + .seconds(3700))
    #expect(abs(message.instant(of: clock).duration(to: deadline) / .seconds(1)) < 60)
    #expect(now + .nanoseconds(1) - now == .nanoseconds(1))
    #expect(now - .seconds(2) < now)
  }

  @Test func valuesAreReadLikeDictionariesAndArrays() {
    var value: Google_Protobuf_Value = ["user": ["tags": ["a", 2, true, nil]]]
    #expect(value["user"]?["tags"]?[0]?.string == "a")
    #expect(value["user"]?["tags"]?[1]?.number == 2)
    #expect(value["user"]?["tags"]?[2]?.bool == true)
    #expect(value["user"]?["tags"]?[3]?.isNull == true)
    #expect(value["user"]?["tags"]?[4] == nil && value["x"] == nil && value[0] == nil)
    value["user"]?["name"] = "Ada"
    value["count"] = 3
    #expect(value["user"]?.object?["name"] == "Ada" && value.object?.count == 2)
    value["count"] = nil
    #expect(value.object?.count == 1 && value.list == nil && value.string == nil)
    var object: Google_Protobuf_Struct = [:]
    object["a"] = [1]
    #expect(object["a"]?.list == [1])
    #expect(([1, "b"] as Google_Protobuf_ListValue)[1] == "b")
  }

  @Test func pathsOfFieldMasksAreChecked() {
    #expect(Google_Protobuf_FieldMask(["message_value.child.note", "bytes_value"], of: Singular.self) != nil)
    for path in ["messageValue", "message_value.", "", "message_value.nothing", "bytes_value.x", "a"] {
      #expect(Google_Protobuf_FieldMask([path], of: Singular.self) == nil, "\(path)")
    }
    #expect(!Google_Protobuf_FieldMask.isPath("message_values.name", of: Repeated.self))
    #expect(Google_Protobuf_FieldMask(allFieldsOf: Choice.self).isValid(for: Choice.self))
    let mask: Google_Protobuf_FieldMask = ["user.name", "photo"]
    #expect(mask.contains("photo.url") && mask.contains("user.name"))
    #expect(!mask.contains("user") && !mask.contains("photos"))
  }
}
