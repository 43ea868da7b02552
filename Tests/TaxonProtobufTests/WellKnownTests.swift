// SPDX-License-Identifier: Apache-2.0

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
}
