// SPDX-License-Identifier: Apache-2.0

import TaxonProtobuf

/// The types that an input can be one of; half its first byte says which.
private let types: [any Message.Type] = [
  Singular.self, Repeated.self, Optionals.self, Choice.self, Maps.self, Even.self, Required.self, Closed.self,
  Defaults.self, Extendable.self, Google_Protobuf_Any.self, Google_Protobuf_Struct.self, Grouped.self,
  Google_Protobuf_FileDescriptorProto.self, WellKnown.self, Child.self, Renamed.self, Kinds.self, Nothing.self,
]

private let registry = TypeRegistry.everything.union(.json).union(.kinds).union(.legacy)

/// Reads any bytes in the text format: they are a message, which is the same after a round trip through every format that can
/// say it, or the error is at a byte of theirs. An odd first byte has unknown fields ignored.
func fuzzText(_ input: [UInt8]) {
  guard let first = input.first else { return }
  let options = TextFormatDecodingOptions(ignoresUnknownFields: first & 1 == 1, registry: registry)
  types[Int(first / 2) % types.count].roundTrip(Array(input.dropFirst()), options)
}

extension Message {
  fileprivate static func roundTrip(_ text: [UInt8], _ options: TextFormatDecodingOptions) {
    let message: Self
    do throws(TextFormatDecodingError) {
      message = try Self(textFormat: text, options: options)
    } catch {
      precondition((0...text.count).contains(error.offset) && !error.messageName.isEmpty, "nowhere: \(error)")
      precondition(error.line > 0 && error.column > 0 && error.offset + 1 >= error.column, "nowhere: \(error)")
      return
    }
    do {
      // The text, because NaN is not equal to itself, and extensions come in the order of their numbers.
      let printed = message.textFormatString(options: TextFormatEncodingOptions(registry: registry))
      for oneLine in [false, true] {
        for numbers in [false, true] {
          let encoding = TextFormatEncodingOptions(
            printsInOneLine: oneLine, printsEnumsAsNumbers: numbers, registry: registry)
          let again = try Self(textFormat: message.textFormatString(options: encoding), options: options)
            .textFormatString(options: TextFormatEncodingOptions(registry: registry))
          precondition(again == printed, "\(again) was \(printed)")
        }
      }
      let bare = try Self(textFormat: message.textFormatString()).textFormatString()
      precondition(bare == message.textFormatString(), "\(bare) was \(message)")
      let binary = try Self(decoding: message.encoded())
        .textFormatString(options: TextFormatEncodingOptions(registry: registry))
      precondition(binary == printed, "\(binary) was \(printed)")
      // For people alone, and so only skipped.
      let unknown = message.textFormatString(options: TextFormatEncodingOptions(printsUnknownFields: true))
      _ = try Self(textFormat: unknown, options: TextFormatDecodingOptions(ignoresUnknownFields: true))
    } catch {
      preconditionFailure("what was read is not understood any more: \(error)")
    }
  }
}
