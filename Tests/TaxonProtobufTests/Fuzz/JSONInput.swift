// SPDX-License-Identifier: Apache-2.0

import TaxonProtobuf

/// The types that an input can be one of; its first byte says which.
private let types: [any Message.Type] = [
  Singular.self, Repeated.self, Optionals.self, Choice.self, Maps.self, Even.self, Required.self, Closed.self,
  Defaults.self, Extendable.self, Google_Protobuf_Any.self, Google_Protobuf_Struct.self, Google_Protobuf_Value.self,
  Google_Protobuf_Timestamp.self, Google_Protobuf_Duration.self, Google_Protobuf_FieldMask.self,
  Google_Protobuf_DoubleValue.self, Google_Protobuf_BytesValue.self, Google_Protobuf_FileDescriptorProto.self,
]

private let registry = TypeRegistry(
  [
    Singular.self, Maps.self, Google_Protobuf_Any.self, Google_Protobuf_Duration.self, Google_Protobuf_Struct.self,
    Google_Protobuf_StringValue.self,
  ],
  extensions: [Extendable.amount, Extendable.strict, Extendable.words, Extendable.kinds])

/// Decodes any text: it is a message, which is the same after a round trip through JSON and through the binary format,
/// or the error is in the text. An odd first byte has unknown fields ignored.
func fuzzJSON(_ input: [UInt8]) {
  guard let first = input.first else { return }
  let options = JSONDecodingOptions(ignoresUnknownFields: first & 1 == 1, registry: registry)
  types[Int(first / 2) % types.count].roundTrip(Array(input.dropFirst()), options)
}

extension Message {
  fileprivate static func roundTrip(_ text: [UInt8], _ options: JSONDecodingOptions) {
    guard let message = try? Self(json: text, options: options) else { return }
    do {
      // Read back with the numbers of enums too.
      for usesNumbers in [false, true] {
        let encoded = try message.jsonBytes(
          options: JSONEncodingOptions(printsEnumsAsNumbers: usesNumbers, registry: registry))
        let again = try Self(json: encoded, options: options)
        precondition(again.description == message.description, "\(again) was \(message)")
      }
      // A level of JSON is two of messages in google.protobuf.Value, three in a google.protobuf.Struct.
      let again = try Self(decoding: message.encoded(), options: DecodingOptions(nestingLimit: 300))
      precondition(again.description == message.description, "\(again) was \(message)")
    } catch {
      preconditionFailure("what was decoded is not understood any more: \(error)")
    }
  }
}
