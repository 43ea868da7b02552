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

enum PlainAccess<Value: FieldValue>: PropertyAccess {
  static func lift(
    _ slot: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) throws(MessageDecodingError) {
    target.initializeMemory(as: Value.self, to: try Value.lift(slot, arena))
  }

  static func lower(
    _ source: UnsafeRawPointer, to slot: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) {
    let value = source.assumingMemoryBound(to: Value.self)
    if value.pointee.isDefault { return }
    value.pointee.lower(to: slot, arena)
    Slot.set(slot, 1)
  }
}

/// As for any value, and for an enum by its number.
enum EnumAccess<Value: ProtobufEnum>: PropertyAccess {
  static func lift(
    _ slot: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) throws(MessageDecodingError) {
    try PlainAccess<Value>.lift(slot, to: target, property, arena)
  }

  static func lower(
    _ source: UnsafeRawPointer, to slot: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) {
    PlainAccess<Value>.lower(source, to: slot, property, arena)
  }

  static func store(number: Int32, to target: UnsafeMutableRawPointer) -> Bool {
    guard let value = Value(rawValue: number) else { return false }
    target.assumingMemoryBound(to: Value.self).pointee = value
    return true
  }

  static func number(at source: UnsafeRawPointer) -> Int32? {
    let number = source.assumingMemoryBound(to: Value.self).pointee.rawValue
    return number == 0 ? nil : number
  }
}

enum OptionalEnumAccess<Element: ProtobufEnum>: PropertyAccess {
  typealias Value = Element?

  static func lift(
    _ slot: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) throws(MessageDecodingError) {
    try OptionalAccess<Element>.lift(slot, to: target, property, arena)
  }

  static func lower(
    _ source: UnsafeRawPointer, to slot: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) {
    OptionalAccess<Element>.lower(source, to: slot, property, arena)
  }

  static func store(number: Int32, to target: UnsafeMutableRawPointer) -> Bool {
    guard let value = Element(rawValue: number) else { return false }
    target.assumingMemoryBound(to: Value.self).pointee = value
    return true
  }

  static func number(at source: UnsafeRawPointer) -> Int32? {
    source.assumingMemoryBound(to: Value.self).pointee?.rawValue
  }
}

enum OptionalAccess<Element: FieldValue>: PropertyAccess {
  typealias Value = Element?

  static func lift(
    _ slot: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) throws(MessageDecodingError) {
    let value = Slot.isSet(slot) ? try Element.lift(slot, arena) : nil
    target.initializeMemory(as: Value.self, to: value)
  }

  static func lower(
    _ source: UnsafeRawPointer, to slot: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) {
    guard let value = source.assumingMemoryBound(to: Value.self).pointee else { return }
    value.lower(to: slot, arena)
    Slot.set(slot, 1)
  }
}

enum ArrayAccess<Element: FieldValue>: PropertyAccess {
  typealias Value = [Element]

  static func lift(
    _ slot: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) throws(MessageDecodingError) {
    try Element.liftArray(in: slot, to: target, arena)
  }

  static func lower(
    _ source: UnsafeRawPointer, to slot: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) {
    MessageWriter.array(source.assumingMemoryBound(to: Value.self).pointee, to: slot, arena)
  }
}

/// An array of messages.
enum MessagesAccess<Element: Message>: PropertyAccess {
  typealias Value = [Element]

  static func lift(
    _ slot: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) throws(MessageDecodingError) {
    try Element.liftArray(in: slot, to: target, arena)
  }

  static func lower(
    _ source: UnsafeRawPointer, to slot: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) {
    MessageWriter.array(source.assumingMemoryBound(to: Value.self).pointee, to: slot, arena)
  }

  static func makeArray(
    _ count: Int, at target: UnsafeMutableRawPointer, _ fill: (UnsafeMutableRawPointer, inout Int) -> Void
  ) {
    Element.makeArray(count, at: target, fill)
  }
}

/// A message or an Optional of one. The table does the work; what is left asks for the type.
enum MessageAccess<Value: Message>: PropertyAccess {
  static func lift(
    _ slot: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) throws(MessageDecodingError) {
    target.initializeMemory(as: Value.self, to: try Value.lift(slot, arena))
  }

  static func lower(
    _ source: UnsafeRawPointer, to slot: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) {
    source.assumingMemoryBound(to: Value.self).pointee.lower(to: slot, arena)
    Slot.set(slot, 1)
  }

  static func isNil(_ source: UnsafeRawPointer) -> Bool {
    if case .none = source.assumingMemoryBound(to: Value?.self).pointee { true } else { false }
  }
}

extension Message {
  /// nil as it lies in memory; never freed.
  static var nothing: UnsafeRawPointer {
    let memory = UnsafeMutablePointer<Self?>.allocate(capacity: 1)
    UnsafeMutableRawPointer(memory).initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<Self?>.size)
    memory.initialize(to: nil)
    return UnsafeRawPointer(memory)
  }
}

/// A map. The compiler makes code of its own for a type that names what it maps, and faster code than for a map of anything.
protocol MapPropertyAccess: PropertyAccess where Value == [Key: Element] {
  associatedtype Key: FieldValue
  associatedtype Element: FieldValue
}

extension MapPropertyAccess {
  @inline(__always)
  static func lift(
    _ slot: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) throws(MessageDecodingError) {
    target.initializeMemory(as: Value.self, to: try MessageReader.map(slot, arena))
  }

  @inline(__always)
  static func lower(
    _ source: UnsafeRawPointer, to slot: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) {
    // The table has it for this form of access.
    let entry = Unmanaged<MessageDescriptor>.fromOpaque(property.pointee.constant!)
    MessageWriter.map(source.assumingMemoryBound(to: Value.self).pointee, to: slot, entry, arena)
  }
}

enum MapAccess<Key: FieldValue, Element: FieldValue>: MapPropertyAccess {
  typealias Value = [Key: Element]
}

enum TextMapAccess: MapPropertyAccess {
  typealias Key = String
  typealias Element = String
  typealias Value = [Key: Element]
}

/// The map of a Struct.
enum ValueMapAccess: MapPropertyAccess {
  typealias Key = String
  typealias Element = Google_Protobuf_Value
  typealias Value = [Key: Element]
}

enum DefaultAccess<Element: FieldValue>: PropertyAccess {
  typealias Value = Default<Element>

  static func lift(
    _ slot: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) throws(MessageDecodingError) {
    // The table has it for this form of access.
    var value = Default(property.pointee.constant!.assumingMemoryBound(to: Element.self).pointee)
    if Slot.isSet(slot) { value.projectedValue = try Element.lift(slot, arena) }
    target.initializeMemory(as: Value.self, to: value)
  }

  static func lower(
    _ source: UnsafeRawPointer, to slot: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) {
    guard let value = source.assumingMemoryBound(to: Value.self).pointee.projectedValue else { return }
    value.lower(to: slot, arena)
    Slot.set(slot, 1)
  }
}

enum IndirectAccess<Element: Message>: PropertyAccess {
  typealias Value = Indirect<Element>

  static func lift(
    _ slot: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) throws(MessageDecodingError) {
    let value = Slot.isSet(slot) ? try Element.lift(slot, arena) : nil
    target.initializeMemory(as: Value.self, to: Value(wrappedValue: value))
  }

  static func lower(
    _ source: UnsafeRawPointer, to slot: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) {
    guard let value = source.assumingMemoryBound(to: Value.self).pointee.wrappedValue else { return }
    value.lower(to: slot, arena)
    Slot.set(slot, 1)
  }
}

/// A required field that can be nil, because its message contains itself through required fields alone. Encoding throws
/// when it is nil.
enum RequiredCycleAccess<Element: Message>: PropertyAccess {
  typealias Value = Indirect<Element>

  static func lift(
    _ slot: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) throws(MessageDecodingError) {
    try IndirectAccess<Element>.lift(slot, to: target, property, arena)
  }

  static func lower(
    _ source: UnsafeRawPointer, to slot: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) {
    // A message of protobuf-c's sets what is required from the start.
    Slot.set(slot, 0)
    IndirectAccess<Element>.lower(source, to: slot, property, arena)
  }

  /// Whether nothing is there to be written.
  static func isNil(_ source: UnsafeRawPointer) -> Bool {
    source.assumingMemoryBound(to: Value.self).pointee.wrappedValue == nil
  }
}

enum BoxedAccess<Element: Message>: PropertyAccess {
  typealias Value = Boxed<Element>

  static func lift(
    _ slot: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) throws(MessageDecodingError) {
    target.initializeMemory(as: Value.self, to: Value(wrappedValue: try Element.lift(slot, arena)))
  }

  static func lower(
    _ source: UnsafeRawPointer, to slot: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) {
    source.assumingMemoryBound(to: Value.self).pointee.wrappedValue.lower(to: slot, arena)
    Slot.set(slot, 1)
  }
}

enum OneofAccess<Element: Oneof>: PropertyAccess {
  typealias Value = Element?

  static func lift(
    _ slot: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) throws(MessageDecodingError) {
    try Element.lift(OneofReader(slot, arena), to: target)
  }

  static func lower(
    _ source: UnsafeRawPointer, to slot: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) {
    source.assumingMemoryBound(to: Value.self).pointee?.write(to: OneofWriter(slot: slot, arena: arena))
  }
}

/// What an error carries beside its fields: not on the wire, and no part of equality.
enum ContextAccess<Value: MessageContext>: PropertyAccess {
  static func lift(
    _ slot: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) {
    target.initializeMemory(as: Value.self, to: Value())
  }

  static func lower(
    _ source: UnsafeRawPointer, to slot: UnsafeMutableRawPointer, _ property: UnsafePointer<StoredProperty>,
    _ arena: MessageArena
  ) {}
  static func areEqual(_ one: UnsafeRawPointer, _ other: UnsafeRawPointer) -> Bool { true }
  static func hash(_ source: UnsafeRawPointer, into hasher: inout Hasher) {}
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
