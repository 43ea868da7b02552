// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

extension Schema {
  /// The schema of a `google.protobuf.FileDescriptorSet`, which has all imports of its files, unchecked.
  ///
  /// - Throws: When the bytes are not such a message.
  package static func read(descriptorSet: [UInt8]) throws -> Schema {
    try Generator(descriptorSet: descriptorSet, generating: []).schema()
  }

  /// The messages and extensions of all files, as types without Swift: what a `DynamicMessage` can be of.
  package func types() -> TypeRegistry {
    var builder = DynamicTypeBuilder()
    for message in allMessages { builder.types[message.fullName] = DynamicMessageType() }
    for enumeration in files.flatMap(\.allEnums) {
      builder.enums[enumeration.fullName] = EnumDescriptor(
        enumeration.fullName, isClosed: enumeration.isClosed,
        values: enumeration.values.map { (name: $0.name, number: $0.number) })
    }
    var registry = TypeRegistry()
    for message in allMessages where !message.isMapEntry {
      let descriptor = builder.descriptor(of: message)
      builder.types[message.fullName]?.descriptor = descriptor
      registry.insert(descriptor)
    }
    for declared in files.flatMap(\.extensions) {
      guard let type = builder.type(of: declared.field) else { continue }
      registry.insert(
        extension: declared.fullName, UInt32(declared.field.number), type, of: declared.extendee.fullName)
    }
    return registry
  }
}

/// Makes tables of the messages of a schema.
private struct DynamicTypeBuilder {
  var types: [String: DynamicMessageType] = [:]
  var enums: [String: EnumDescriptor] = [:]

  func descriptor(of message: SchemaMessage) -> MessageDescriptor {
    var fields: [Field] = []
    var seen: Set<String> = []
    for field in message.fields {
      // The members of a oneof stand next to each other.
      guard let oneof = field.oneof else {
        fields += line(field)
        continue
      }
      if seen.insert(oneof.name).inserted { for member in oneof.fields { fields += line(member) } }
    }
    return MessageDescriptor(message.fullName, fields, reserved: message.reservedNames)
  }

  private func line(_ field: SchemaField) -> [Field] {
    guard let type = type(of: field) else { return [] }
    return [Field(field.name, UInt32(field.number), type, json: field.jsonName)]
  }

  /// nil for a field whose type the schema does not have.
  func type(of field: SchemaField) -> TaxonProtobuf.FieldType? {
    if field.shape == .map {
      guard let (key, value) = field.mapTypes, let key = type(of: key, .lengthPrefixed),
        let value = type(of: value, .lengthPrefixed)
      else { return nil }
      return .map(key, value)
    }
    guard let type = type(of: field.type, field.encoding) else { return nil }
    switch field.shape {
    case .plain: return type
    case .optional, .map: return .optional(type)
    case .required: return .required(type)
    case .repeated(packed: true): return .packed(type)
    case .repeated(packed: false): return .repeated(type)
    case .oneof: return .oneof(field.oneof?.name ?? "", type)
    }
  }

  private func type(of type: FieldType, _ encoding: SchemaField.Encoding) -> TaxonProtobuf.FieldType? {
    switch type {
    case .scalar(let scalar): self.type(of: scalar)
    case .enumeration(let enumeration): enums[enumeration.fullName].map { .enum($0) }
    case .message(let message):
      types[message.fullName].map { type in
        switch encoding {
        case .lengthPrefixed: .message(type)
        case .delimited: .message(type, encoding: .delimited)
        case .group: .message(type, encoding: .group)
        }
      }
    }
  }

  private func type(of scalar: ScalarType) -> TaxonProtobuf.FieldType {
    switch scalar {
    case .double: .double
    case .float: .float
    case .int32: .int32
    case .int64: .int64
    case .uint32: .uint32
    case .uint64: .uint64
    case .sint32: .sint32
    case .sint64: .sint64
    case .fixed32: .fixed32
    case .fixed64: .fixed64
    case .sfixed32: .sfixed32
    case .sfixed64: .sfixed64
    case .bool: .bool
    case .string: .string
    case .bytes: .bytes
    }
  }
}
