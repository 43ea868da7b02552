// SPDX-License-Identifier: Apache-2.0

/// Message types and extensions by their full names: to decode what a `google.protobuf.Any` holds, and to read the keys
/// of extensions in JSON.
///
/// Every generated file adds a registry of what it declares as a static property: `TypeRegistry.octollmV1Orchestrator` is
/// that of octollm/v1/orchestrator.proto. Every registry knows the well-known types of `google.protobuf`.
public struct TypeRegistry: Sendable {
  private struct Content {
    var types: [String: any Message.Type] = [:]
    /// Types without Swift, of a schema that is read at run time.
    var dynamicTypes: [String: MessageDescriptor] = [:]
    /// By the names of the messages that are extended; sorted by number.
    var extensions: [String: [any LowerableExtension]] = [:]
  }

  private indirect enum Box {
    case content(Content)
  }

  /// One word, so that options with a registry are cheap to hand on; nil for an empty registry.
  private var box: Box?

  private var content: Content {
    switch box {
    case .content(let content): content
    case nil: Content()
    }
  }

  private mutating func change(_ body: (inout Content) -> Void) {
    var content = content
    // Nobody else has the dictionaries now, unless another registry has them.
    box = nil
    body(&content)
    box = .content(content)
  }

  /// A registry of these types and extensions.
  public init(_ types: [any Message.Type] = [], extensions: [any AnyMessageExtension] = []) {
    for type in types { insert(type) }
    for field in extensions { insert(field) }
  }

  /// Adds a type; one of the same name is replaced.
  public mutating func insert(_ type: any Message.Type) {
    change { $0.types[type.descriptor.name] = type }
  }

  /// Adds an extension; one of the same message and number is replaced.
  public mutating func insert(_ field: any AnyMessageExtension) {
    // MessageExtension is the only type that conforms.
    guard let field = field as? any LowerableExtension else { return }
    insert(field)
  }

  mutating func insert(_ field: any LowerableExtension) {
    change { content in
      var fields = content.extensions[field.baseName, default: []].filter { $0.number != field.number }
      fields.insert(field, at: fields.firstIndex { $0.number > field.number } ?? fields.endIndex)
      content.extensions[field.baseName] = fields
    }
  }

  /// Adds a message type that is read at run time.
  package mutating func insert(_ descriptor: MessageDescriptor) {
    change { $0.dynamicTypes[descriptor.name] = descriptor }
  }

  /// Adds all types and extensions of another registry.
  public mutating func formUnion(_ other: TypeRegistry) {
    let other = other.content
    change { content in
      content.types.merge(other.types) { $1 }
      content.dynamicTypes.merge(other.dynamicTypes) { $1 }
    }
    for field in other.extensions.values.joined() { insert(field) }
  }

  /// A registry that has what is in either: `.octollmV1Orchestrator.union(.googleRpcErrorDetails)`.
  public func union(_ other: TypeRegistry) -> TypeRegistry {
    var result = self
    result.formUnion(other)
    return result
  }

  /// The extensions of a message, in the order of their numbers.
  func extensions(of messageName: String) -> [any LowerableExtension] {
    guard case .content(let content) = box else { return [] }
    return content.extensions[messageName] ?? []
  }

  /// The type with this full name, such as `google.protobuf.Timestamp`; nil for one that is not registered.
  public func type(named name: String) -> (any Message.Type)? {
    content.types[name] ?? Self.wellKnown[name]
  }

  /// A message type that was read at run time, or one with Swift.
  package func descriptor(named name: String) -> MessageDescriptor? {
    content.dynamicTypes[name] ?? type(named: name)?.descriptor
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

/// A type that a `google.protobuf.Any` may hold.
struct AnyContent {
  let descriptor: MessageDescriptor

  /// Unpacks a message into the arena, checked and mended as code with Swift's types would have it.
  func relower(_ bytes: UnsafeRawBufferPointer, _ arena: MessageArena) throws(MessageDecodingError) -> UnsafeRawPointer
  {
    try descriptor.unpackWhole(bytes, arena)
  }
}

extension TypeRegistry {
  /// The type with this full name, for what is in an Any.
  func content(named name: String) -> AnyContent? { descriptor(named: name).map(AnyContent.init) }
}
