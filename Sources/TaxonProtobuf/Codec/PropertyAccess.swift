// SPDX-License-Identifier: Apache-2.0

/// What is done with a stored property by its Swift type, where the memory alone does not say enough.
///
/// Types rather than objects: calling one counts no references.
protocol PropertyAccess {
  associatedtype Value

  /// Initialises the property from a slot.
  static func lift(
    _ slot: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) throws(MessageDecodingError)

  /// Puts the property into a slot, which is zero.
  static func lower(
    _ source: UnsafeRawPointer, to slot: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  )

  static func areEqual(_ one: UnsafeRawPointer, _ other: UnsafeRawPointer) -> Bool
  static func hash(_ source: UnsafeRawPointer, into hasher: inout Hasher)

  /// Whether an Optional of the type is nil.
  static func isNil(_ source: UnsafeRawPointer) -> Bool

  /// Replaces an enum by the one with a number; false where a closed enum has none.
  static func store(number: Int32, to target: UnsafeMutableRawPointer) -> Bool

  /// The number of an enum that goes on the wire; nil where none does.
  static func number(at source: UnsafeRawPointer) -> Int32?

  /// Initialises an array of messages; `fill` initialises the memory of its elements and counts them.
  static func makeArray(
    _ count: Int, at target: UnsafeMutableRawPointer, _ fill: (UnsafeMutableRawPointer, inout Int) -> Void)
}

extension PropertyAccess {
  static var layout: (size: Int, alignment: Int) { (MemoryLayout<Value>.size, MemoryLayout<Value>.alignment) }

  static func destroy(_ target: UnsafeMutableRawPointer) {
    target.assumingMemoryBound(to: Value.self).deinitialize(count: 1)
  }

  static func isNil(_ source: UnsafeRawPointer) -> Bool { false }
  static func store(number: Int32, to target: UnsafeMutableRawPointer) -> Bool { false }
  static func number(at source: UnsafeRawPointer) -> Int32? { nil }

  static func makeArray(
    _ count: Int, at target: UnsafeMutableRawPointer, _ fill: (UnsafeMutableRawPointer, inout Int) -> Void
  ) {
    preconditionFailure("\(Value.self) is no array of messages")
  }
}

extension PropertyAccess where Value: Hashable {
  static func areEqual(_ one: UnsafeRawPointer, _ other: UnsafeRawPointer) -> Bool {
    one.assumingMemoryBound(to: Value.self).pointee == other.assumingMemoryBound(to: Value.self).pointee
  }

  static func hash(_ source: UnsafeRawPointer, into hasher: inout Hasher) {
    source.assumingMemoryBound(to: Value.self).pointee.hash(into: &hasher)
  }
}

/// Of properties that need no access.
enum EmptyAccess: PropertyAccess {
  typealias Value = Bool

  static func lift(
    _ slot: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) {}

  static func lower(
    _ source: UnsafeRawPointer, to slot: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) {}
}

/// The accesses of types that are known at run time alone.
enum PropertyAccesses {
  static func plain<V: FieldValue>(_ type: V.Type) -> any PropertyAccess.Type { PlainAccess<V>.self }
  static func optional<V: FieldValue>(_ type: V.Type) -> any PropertyAccess.Type { OptionalAccess<V>.self }
  static func array<V: FieldValue>(_ type: V.Type) -> any PropertyAccess.Type { ArrayAccess<V>.self }
  static func `enum`<E: ProtobufEnum>(_ type: E.Type) -> any PropertyAccess.Type { EnumAccess<E>.self }
  static func optionalEnum<E: ProtobufEnum>(_ type: E.Type) -> any PropertyAccess.Type { OptionalEnumAccess<E>.self }
  static func messages<M: Message>(_ type: M.Type) -> any PropertyAccess.Type { MessagesAccess<M>.self }
  static func message<M: Message>(_ type: M.Type) -> any PropertyAccess.Type { MessageAccess<M>.self }
  static func indirect<M: Message>(_ type: M.Type) -> any PropertyAccess.Type { IndirectAccess<M>.self }
  static func boxed<M: Message>(_ type: M.Type) -> any PropertyAccess.Type { BoxedAccess<M>.self }
  static func requiredCycle<M: Message>(_ type: M.Type) -> any PropertyAccess.Type { RequiredCycleAccess<M>.self }
  static func oneof<O: Oneof>(_ type: O.Type) -> any PropertyAccess.Type { OneofAccess<O>.self }
  static func context<C: MessageContext>(_ type: C.Type) -> any PropertyAccess.Type { ContextAccess<C>.self }

  static func map<K: FieldValue, V: FieldValue>(_ key: K.Type, _ value: V.Type) -> any PropertyAccess.Type {
    guard K.self == String.self else { return MapAccess<K, V>.self }
    if V.self == String.self { return TextMapAccess.self }
    return V.self == Google_Protobuf_Value.self ? ValueMapAccess.self : MapAccess<K, V>.self
  }

  /// A field with a default value of its own, which is kept and never freed.
  static func withDefault<V: FieldValue>(_ value: V) -> StoredProperty {
    let memory = UnsafeMutablePointer<V>.allocate(capacity: 1)
    memory.initialize(to: value)
    return StoredProperty(form: .other, access: DefaultAccess<V>.self, constant: UnsafeRawPointer(memory))
  }
}
