// SPDX-License-Identifier: Apache-2.0

/// Message types by their full names: what a `google.protobuf.Any` is looked up in.
///
/// Every registry knows the well-known types of `google.protobuf`.
public struct TypeRegistry: Sendable {
  private var types: [String: any Message.Type] = [:]

  /// A registry of these types, and of all messages of these files and of those that they import.
  public init(_ types: [any Message.Type] = [], files: [ProtoFileDescriptor] = []) {
    for file in files { insert(file) }
    for type in types { insert(type) }
  }

  /// Adds a type; one of the same name is replaced.
  public mutating func insert(_ type: any Message.Type) {
    types[type.descriptor.name] = type
  }

  /// Adds all messages of a file and of those that it imports.
  public mutating func insert(_ file: ProtoFileDescriptor) {
    for file in file.closure {
      for type in file.messages { insert(type) }
    }
  }

  /// Adds all types of another registry.
  public mutating func formUnion(_ other: TypeRegistry) {
    types.merge(other.types) { $1 }
  }

  /// The type with this full name, such as `google.protobuf.Timestamp`; nil for one that is not registered.
  public func type(named name: String) -> (any Message.Type)? {
    types[name] ?? Self.wellKnown[name]
  }

  private static let wellKnown: [String: any Message.Type] = {
    let types: [any Message.Type] = [
      Google_Protobuf_Any.self, Google_Protobuf_Timestamp.self, Google_Protobuf_Duration.self,
      Google_Protobuf_FieldMask.self, Google_Protobuf_Struct.self, Google_Protobuf_Value.self,
      Google_Protobuf_ListValue.self, Google_Protobuf_Empty.self, Google_Protobuf_DoubleValue.self,
      Google_Protobuf_FloatValue.self, Google_Protobuf_Int64Value.self, Google_Protobuf_UInt64Value.self,
      Google_Protobuf_Int32Value.self, Google_Protobuf_UInt32Value.self, Google_Protobuf_BoolValue.self,
      Google_Protobuf_StringValue.self, Google_Protobuf_BytesValue.self,
    ]
    return Dictionary(uniqueKeysWithValues: types.map { ($0.descriptor.name, $0) })
  }()
}
