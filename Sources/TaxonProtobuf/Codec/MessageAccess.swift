// SPDX-License-Identifier: Apache-2.0

// How messages, oneofs and what errors carry are moved between properties and slots.

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
