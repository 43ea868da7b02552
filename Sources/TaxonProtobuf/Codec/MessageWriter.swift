// SPDX-License-Identifier: Apache-2.0
import CProtobufC

/// A message to be packed, into which generated code puts the fields by their index in the table.
public struct MessageWriter {
  @usableFromInline let base: UnsafeMutableRawPointer
  @usableFromInline let arena: MessageArena

  /// A writer for a message that is not inside another.
  @usableFromInline
  init(root descriptor: borrowing MessageDescriptor, _ arena: MessageArena) {
    descriptor.link()
    base = descriptor.makeInstance(in: arena)
    self.arena = arena
  }

  /// A writer for a message inside another; the outer one has linked its descriptor.
  @usableFromInline
  init(_ descriptor: borrowing MessageDescriptor, _ arena: MessageArena) {
    base = descriptor.makeInstance(in: arena)
    self.arena = arena
  }

  @inlinable
  @inline(__always)
  func slot(_ index: Int) -> UnsafeMutableRawPointer { base + Slot.offset(index) }

  @inlinable
  @inline(__always)
  func set(_ slot: UnsafeMutableRawPointer, _ quantifier: Int) {
    slot.storeBytes(of: quantifier, toByteOffset: 16, as: Int.self)
  }

  /// A singular field; a default value is not written unless the field is required.
  @inlinable
  public mutating func value<Value: FieldValue>(_ index: Int, _ value: Value) { putValue(index, value) }

  /// A singular field with presence.
  @inlinable
  public mutating func optional<Value: FieldValue>(_ index: Int, _ value: Value?) { putOptional(index, value) }

  /// A required field that can be nil, because its message contains itself through required fields alone. Encoding
  /// throws when it is nil.
  public mutating func required<Value: FieldValue>(_ index: Int, _ value: Value?) {
    if value == nil {
      set(slot(index), 0)
      arena.state.pointee.missing = (Unmanaged.passUnretained(MessageDescriptor.of(base)), index)
    }
    optional(index, value)
  }

  /// A repeated field.
  @inlinable
  public mutating func array<Value: FieldValue>(_ index: Int, _ values: [Value]) { putArray(index, values) }

  /// A map.
  @inlinable
  public mutating func map<Key: FieldValue, Value: FieldValue>(_ index: Int, _ values: [Key: Value]) {
    if values.isEmpty { return }
    let slot = slot(index)
    let entries = arena.allocateForWriter(values.count * 8)
    let descriptor = MessageDescriptor.entry(of: base, index)
    var position = 0
    for (key, value) in values {
      let entry = MessageWriter(descriptor, arena)
      let keySlot = entry.slot(0)
      let valueSlot = entry.slot(1)
      key.lower(to: keySlot, arena)
      entry.set(keySlot, 1)
      value.lower(to: valueSlot, arena)
      entry.set(valueSlot, 1)
      entries.storeBytes(of: entry.base, toByteOffset: position, as: UnsafeMutableRawPointer.self)
      position += 8
    }
    slot.storeBytes(of: entries, as: UnsafeMutableRawPointer.self)
    set(slot, values.count)
  }

  /// The member of a oneof that is set; `index` is that of its first member.
  @inlinable
  public mutating func oneof<Value: FieldValue>(_ index: Int, _ number: UInt32, _ value: Value) {
    let slot = slot(index)
    value.lower(to: slot, arena)
    set(slot, Int(number))
  }

  /// The fields that the table does not have.
  @inlinable
  public mutating func unknownFields(_ fields: UnknownFields) {
    if !fields.isEmpty { fields.lower(to: base, arena) }
  }
}

extension MessageWriter {
  @inlinable
  @inline(__always)
  mutating func putValue<Value: FieldValue>(_ index: Int, _ value: Value) {
    if value.isDefault { return }
    let slot = slot(index)
    value.lower(to: slot, arena)
    set(slot, 1)
  }

  @inlinable
  @inline(__always)
  mutating func putOptional<Value: FieldValue>(_ index: Int, _ value: Value?) {
    guard let value else { return }
    let slot = slot(index)
    value.lower(to: slot, arena)
    set(slot, 1)
  }

  @inlinable
  @inline(__always)
  mutating func putArray<Value: FieldValue>(_ index: Int, _ values: [Value]) {
    if values.isEmpty { return }
    let slot = slot(index)
    let memory = arena.allocateForWriter(values.count * Value.stride)
    Value.lowerArray(values, to: memory, arena)
    slot.storeBytes(of: memory, as: UnsafeMutableRawPointer.self)
    set(slot, values.count)
  }
}

extension MessageArena {
  @usableFromInline
  func allocateForWriter(_ byteCount: Int) -> UnsafeMutableRawPointer { allocate(byteCount) }
}

extension MessageDescriptor {
  /// A message with no field set except the required ones, which are written even when they are zero.
  func makeInstance(in arena: MessageArena) -> UnsafeMutableRawPointer {
    let size = table.pointee.sizeof_message
    let base = arena.allocate(size)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    base.storeBytes(of: UnsafeRawPointer(table), as: UnsafeRawPointer.self)
    for index in required {
      base.storeBytes(of: 1, toByteOffset: layout[index].offset + Slot.quantifier, as: Int.self)
    }
    return base
  }

  /// The descriptor of the entries of a map field.
  @usableFromInline
  static func entry(of message: UnsafeRawPointer, _ index: Int) -> MessageDescriptor {
    // Generated code calls this for the fields that its table calls maps.
    of(message).entries[index]!
  }
}

// The same for the standard library's types: generated code calls these, so that the compiler need not specialise the
// generic functions in each module, which takes a good part of its time.

extension MessageWriter {
  /// A singular field; a default value is not written unless the field is required.
  public mutating func value(_ index: Int, _ value: String) { putValue(index, value) }

  /// A singular field with presence.
  public mutating func optional(_ index: Int, _ value: String?) { putOptional(index, value) }

  /// A repeated field.
  public mutating func array(_ index: Int, _ values: [String]) { putArray(index, values) }

  /// A singular field; a default value is not written unless the field is required.
  public mutating func value(_ index: Int, _ value: [UInt8]) { putValue(index, value) }

  /// A singular field with presence.
  public mutating func optional(_ index: Int, _ value: [UInt8]?) { putOptional(index, value) }

  /// A repeated field.
  public mutating func array(_ index: Int, _ values: [[UInt8]]) { putArray(index, values) }

  /// A singular field; a default value is not written unless the field is required.
  @inlinable
  public mutating func value(_ index: Int, _ value: Int32) { putValue(index, value) }

  /// A singular field with presence.
  public mutating func optional(_ index: Int, _ value: Int32?) { putOptional(index, value) }

  /// A repeated field.
  public mutating func array(_ index: Int, _ values: [Int32]) { putArray(index, values) }

  /// A singular field; a default value is not written unless the field is required.
  @inlinable
  public mutating func value(_ index: Int, _ value: Int64) { putValue(index, value) }

  /// A singular field with presence.
  public mutating func optional(_ index: Int, _ value: Int64?) { putOptional(index, value) }

  /// A repeated field.
  public mutating func array(_ index: Int, _ values: [Int64]) { putArray(index, values) }

  /// A singular field; a default value is not written unless the field is required.
  @inlinable
  public mutating func value(_ index: Int, _ value: UInt32) { putValue(index, value) }

  /// A singular field with presence.
  public mutating func optional(_ index: Int, _ value: UInt32?) { putOptional(index, value) }

  /// A repeated field.
  public mutating func array(_ index: Int, _ values: [UInt32]) { putArray(index, values) }

  /// A singular field; a default value is not written unless the field is required.
  @inlinable
  public mutating func value(_ index: Int, _ value: UInt64) { putValue(index, value) }

  /// A singular field with presence.
  public mutating func optional(_ index: Int, _ value: UInt64?) { putOptional(index, value) }

  /// A repeated field.
  public mutating func array(_ index: Int, _ values: [UInt64]) { putArray(index, values) }

  /// A singular field; a default value is not written unless the field is required.
  @inlinable
  public mutating func value(_ index: Int, _ value: Bool) { putValue(index, value) }

  /// A singular field with presence.
  public mutating func optional(_ index: Int, _ value: Bool?) { putOptional(index, value) }

  /// A repeated field.
  public mutating func array(_ index: Int, _ values: [Bool]) { putArray(index, values) }

  /// A singular field; a default value is not written unless the field is required.
  @inlinable
  public mutating func value(_ index: Int, _ value: Float) { putValue(index, value) }

  /// A singular field with presence.
  public mutating func optional(_ index: Int, _ value: Float?) { putOptional(index, value) }

  /// A repeated field.
  public mutating func array(_ index: Int, _ values: [Float]) { putArray(index, values) }

  /// A singular field; a default value is not written unless the field is required.
  @inlinable
  public mutating func value(_ index: Int, _ value: Double) { putValue(index, value) }

  /// A singular field with presence.
  public mutating func optional(_ index: Int, _ value: Double?) { putOptional(index, value) }

  /// A repeated field.
  public mutating func array(_ index: Int, _ values: [Double]) { putArray(index, values) }
}

/// A message that is ready to be packed: its size is known, and the caller chooses where the bytes go.
public struct MessageEncoder: ~Copyable {
  /// Bytes that the encoded message takes.
  public let byteCount: Int

  private let message: UnsafePointer<ProtobufCMessage>

  @usableFromInline
  init(_ writer: MessageWriter) throws(MessageEncodingError) {
    self.init(part: writer)
    if let missing = writer.arena.state.pointee.missing {
      let descriptor = missing.descriptor.takeUnretainedValue()
      throw MessageEncodingError(
        reason: .missingRequiredField(descriptor.fields[missing.field].name), messageName: descriptor.name)
    }
    // protobuf's own bound, and protobuf-c's: it refuses lengths above it.
    guard byteCount <= Int(Int32.max) else {
      throw MessageEncodingError(
        reason: .tooLarge(byteCount: byteCount), messageName: MessageDescriptor.of(writer.base).name)
    }
  }

  /// For a part of a message, whose size is checked together with the rest.
  init(part writer: MessageWriter) {
    GroupWriter(arena: writer.arena).prepare(writer.base)
    message = UnsafePointer(writer.base.assumingMemoryBound(to: ProtobufCMessage.self))
    byteCount = protobuf_c_message_get_packed_size(message)
  }

  /// Writes the message to the start of `destination`, which must have `byteCount` bytes at least.
  ///
  /// Returns the number of bytes, `byteCount`.
  @discardableResult
  public func pack(into destination: UnsafeMutableRawBufferPointer) -> Int {
    precondition(destination.count >= byteCount, "the destination is smaller than the message")
    guard byteCount > 0, let start = destination.baseAddress else { return 0 }
    return protobuf_c_message_pack(message, start.assumingMemoryBound(to: UInt8.self))
  }

  /// The encoded message as an array of its own.
  public func bytes() -> [UInt8] {
    var bytes = [UInt8](unfilled: byteCount)
    bytes.withUnsafeMutableBytes { _ = pack(into: $0) }
    return bytes
  }
}
