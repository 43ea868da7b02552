// SPDX-License-Identifier: Apache-2.0

import TaxonProtobuf

/// The types that an input can be one of: the first byte of it, from "0" on, or from "@" on with unknown fields ignored.
private let types: [any Message.Type] = [
  WellKnown.self, Singular.self, Repeated.self, Optionals.self, Choice.self, Maps.self, Child.self, Odd.self,
  Renamed.self, Required.self, Closed.self, Defaults.self, Extendable.self, Google_Protobuf_Any.self,
  Google_Protobuf_Value.self, Google_Protobuf_Timestamp.self,
]

private let registry = TypeRegistry.everything.union(.legacy).union(.json)

/// Reads any bytes as JSON: they are a message, which is the same after a round trip, or the error is at a byte of
/// theirs.
func fuzzJSON(_ input: [UInt8]) {
  guard let first = input.first else { return }
  let options = JSONDecodingOptions(ignoresUnknownFields: first & 16 == 0, registry: registry)
  types[Int(first & 15)].roundTrip(Array(input.dropFirst()), options)
}

extension Message {
  fileprivate static func roundTrip(_ text: [UInt8], _ options: JSONDecodingOptions) {
    let message: Self
    do throws(JSONDecodingError) {
      message = try Self(json: text, options: options)
    } catch {
      precondition((0...text.count).contains(error.offset) && !error.messageName.isEmpty, "nowhere: \(error)")
      return
    }
    do {
      // The text, because NaN is not equal to itself, and extensions come in the order of their numbers.
      let encoding = JSONEncodingOptions(sortsMapKeys: true, registry: registry)
      let json = try message.jsonString(options: encoding)
      let again = try Self(json: json, options: options).jsonString(options: encoding)
      precondition(again == json, "\(again) was \(json)")
      // Lists of lists are two messages a level.
      let decoded = try Self(decoding: message.encoded(), options: DecodingOptions(nestingLimit: 1000))
      let binary = try decoded.jsonString(options: encoding)
      precondition(binary == json, "\(binary) was \(json)")
    } catch {
      preconditionFailure("what was read is not understood any more: \(error)")
    }
  }
}
