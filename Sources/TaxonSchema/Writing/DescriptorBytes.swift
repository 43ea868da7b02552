// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// A file's descriptor as it is embedded: without what only tools need, so that it is small and every version of protoc
/// gives the same.
package enum DescriptorBytes {
  package static func base64(_ file: Google_Protobuf_FileDescriptorProto) -> String {
    var file = file
    file.sourceCodeInfo = nil
    file.extension = file.extension.map(withoutUsualName)
    file.messageType = file.messageType.map(withoutUsualNames)
    // Encoding fails above 2 GiB alone, and protoc has sent the descriptor in a message of less.
    return base64((try? file.encoded()) ?? [])
  }

  private static func withoutUsualNames(
    _ message: Google_Protobuf_DescriptorProto
  ) -> Google_Protobuf_DescriptorProto {
    var message = message
    message.field = message.field.map(withoutUsualName)
    message.extension = message.extension.map(withoutUsualName)
    message.nestedType = message.nestedType.map(withoutUsualNames)
    return message
  }

  /// protoc says the JSON name of every field; who reads a descriptor makes the usual one by itself.
  private static func withoutUsualName(
    _ field: Google_Protobuf_FieldDescriptorProto
  ) -> Google_Protobuf_FieldDescriptorProto {
    guard field.jsonName == SchemaField.usualJSONName(field.name ?? "") else { return field }
    var field = field
    field.jsonName = nil
    return field
  }

  /// RFC 4648 §4, with padding.
  private static func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    var text = ""
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let part = bytes[start..<min(start + 3, bytes.count)]
      let group = part.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - part.count))
      for index in 0..<4 {
        text.append(index <= part.count ? alphabet[group >> (18 - 6 * index) & 63] : "=")
      }
    }
    return text
  }
}
