// SPDX-License-Identifier: Apache-2.0

// How values, enums, lists and maps are moved between properties and slots.

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
