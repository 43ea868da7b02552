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
    return String(decoding: Base64.encode((try? file.encoded()) ?? [], isPadded: true), as: UTF8.self)
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
}
