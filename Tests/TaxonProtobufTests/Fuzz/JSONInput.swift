// SPDX-License-Identifier: Apache-2.0

import TaxonProtobuf

/// The types that an input can be one of; half its first byte says which.
private let types: [any Message.Type] = [
  Singular.self, Repeated.self, Optionals.self, Choice.self, Maps.self, Even.self, Required.self, Closed.self,
  Defaults.self, Extendable.self, Google_Protobuf_Any.self, Google_Protobuf_Struct.self, Google_Protobuf_Value.self,
  Google_Protobuf_Timestamp.self, Google_Protobuf_Duration.self, Google_Protobuf_FieldMask.self,
  Google_Protobuf_DoubleValue.self, Google_Protobuf_BytesValue.self, Google_Protobuf_FileDescriptorProto.self,
  WellKnown.self, Child.self, Odd.self, Renamed.self, Kinds.self,
]

private let registry = TypeRegistry.everything.union(.json).union(.kinds).union(.legacy)

/// Reads any bytes as JSON: they are a message, which is the same after a round trip, or the error is at a byte of
/// theirs, and a second look finds it, too. An odd first byte has unknown fields ignored.
func fuzzJSON(_ input: [UInt8]) {
  guard let first = input.first else { return }
  let options = JSONDecodingOptions(ignoresUnknownFields: first & 1 == 1, registry: registry)
  types[Int(first / 2) % types.count].roundTrip(Array(input.dropFirst()), options)
}

extension Message {
  fileprivate static func roundTrip(_ text: [UInt8], _ options: JSONDecodingOptions) {
    let message: Self
    do throws(JSONDecodingError) {
      message = try Self(json: text, options: options)
    } catch {
      precondition((0...text.count).contains(error.offset) && !error.messageName.isEmpty, "nowhere: \(error)")
      let faults = text.withUnsafeBufferPointer { jsonFaults(in: $0, options: options) }
      precondition((1...JSONFaults.maxFound).contains(faults.found.count), "nothing found of \(error)")
      precondition(faults.notKept == 0 || faults.found.count == JSONFaults.maxFound, "not kept without need")
      precondition(faults.found.allSatisfy { $0.path.utf8.count < 700 }, "a path is not cut")
      return
    }
    do {
      // The text, because NaN is not equal to itself, and extensions come in the order of their numbers.
      let encoding = JSONEncodingOptions(sortsMapKeys: true, registry: registry)
      let json = try message.jsonString(options: encoding)
      let again = try Self(json: json, options: options).jsonString(options: encoding)
      precondition(again == json, "\(again) was \(json)")
      let decoded = try Self(decoding: message.encoded())
      let binary = try decoded.jsonString(options: encoding)
      precondition(binary == json, "\(binary) was \(json)")
      let numbers = try message.jsonBytes(options: JSONEncodingOptions(printsEnumsAsNumbers: true, registry: registry))
      let same = try Self(json: numbers, options: options).jsonString(options: encoding)
      precondition(same == json, "\(same) was \(json)")
    } catch {
      preconditionFailure("what was read is not understood any more: \(error)")
    }
  }
}
