// SPDX-License-Identifier: Apache-2.0

import TaxonProtobuf
import TaxonSchema
import Testing

/// Messages of a schema that is read at run time.
@Suite struct SchemaTypesTests {
  private static let set = Google_Protobuf_FileDescriptorSet(file: [
    Google_Protobuf_FileDescriptorProto(
      name: "a.proto", package: "a",
      messageType: [
        Google_Protobuf_DescriptorProto(
          name: "Node",
          field: [
            field("id", 1, .int32, .required), field("next", 2, .message, .optional, ".a.Node"),
            field("kind", 3, .enum, .optional, ".a.Kind"), field("names", 4, .string, .repeated),
          ], reservedName: ["old"])
      ],
      enumType: [
        Google_Protobuf_EnumDescriptorProto(
          name: "Kind", value: [Google_Protobuf_EnumValueDescriptorProto(name: "LEAF", number: 1)])
      ], syntax: "proto2")
  ])

  private static func field(
    _ name: String, _ number: Int32, _ type: Google_Protobuf_FieldDescriptorProto.Type_,
    _ label: Google_Protobuf_FieldDescriptorProto.Label, _ typeName: String? = nil
  ) -> Google_Protobuf_FieldDescriptorProto {
    Google_Protobuf_FieldDescriptorProto(name: name, number: number, label: label, type: type, typeName: typeName)
  }

  private func node() throws -> (MessageDescriptor, TypeRegistry) {
    let registry = try Schema.read(descriptorSet: Self.set.encoded()).types()
    return (try #require(registry.descriptor(named: "a.Node")), registry)
  }

  @Test func aMessageGoesThroughEveryFormat() throws {
    let (node, registry) = try node()
    let text = "id: 1 old: 5 next { id: 2 kind: LEAF } names: ['a', 'b']"
    let message = try DynamicMessage(
      node, textFormat: Array(text.utf8), options: TextFormatDecodingOptions(registry: registry))
    let json = try message.jsonString(options: JSONEncodingOptions(registry: registry))
    #expect(json == #"{"id":1,"next":{"id":2,"kind":"LEAF"},"names":["a","b"]}"#)
    let again = try DynamicMessage(node, json: Array(json.utf8), options: JSONDecodingOptions(registry: registry))
    #expect(again.bytes == message.bytes)
    #expect(
      try DynamicMessage(node, decoding: again.bytes).textFormatString(
        options: TextFormatEncodingOptions(printsInOneLine: true))
        == #"id: 1 next { id: 2 kind: LEAF } names: "a" names: "b""#)
  }

  @Test(
    arguments: [
      ([], MessageDecodingError.Reason.missingRequiredField), ([8, 1, 0x12, 0], .missingRequiredField),
      ([8, 1, 0x22, 1, 0xFF], .invalidUTF8), ([8], .truncated),
    ] as [([UInt8], MessageDecodingError.Reason)])
  func whatGeneratedCodeRefusesIsRefused(bytes: [UInt8], reason: MessageDecodingError.Reason) throws {
    let (node, _) = try node()
    let error = #expect(throws: MessageDecodingError.self) { try DynamicMessage(node, decoding: bytes) }
    #expect(error?.reason == reason)
  }

  @Test func numbersThatAClosedEnumDoesNotHaveStay() throws {
    let (node, _) = try node()
    let message = try DynamicMessage(node, decoding: [8, 1, 0x18, 9])
    let options = TextFormatEncodingOptions(printsInOneLine: true, printsUnknownFields: true)
    #expect(message.textFormatString(options: options) == "id: 1 3: 9")
  }
}
