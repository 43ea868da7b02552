// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// A file's descriptor as generated code embeds it: without what only tools need, so that it is small and the same with
/// every version of protoc.
package enum DescriptorBytes {
  package static func base64(_ file: Google_Protobuf_FileDescriptorProto) -> String {
    var file = file
    file.sourceCodeInfo = nil
    file.extension = file.extension.map(withoutUsualName)
    file.messageType = file.messageType.map(withoutUsualNames)
    // Encoding fails only above 2 GiB, and protoc has sent the descriptor in a smaller message.
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

  /// protoc sets the JSON name of every field; readers of a descriptor derive the usual one themselves.
  private static func withoutUsualName(
    _ field: Google_Protobuf_FieldDescriptorProto
  ) -> Google_Protobuf_FieldDescriptorProto {
    guard field.jsonName == Field.defaultJSONName(field.name ?? "") else { return field }
    var field = field
    field.jsonName = nil
    return field
  }
}
