// SPDX-License-Identifier: Apache-2.0
import CProtobufC

/// What is put into the slots of a message to be packed.
enum MessageWriter {
  /// The elements of a repeated field.
  @inline(__always)
  static func array<Value: FieldValue>(
    _ values: [Value], to slot: UnsafeMutableRawPointer, _ arena: MessageArena
  ) {
    if values.isEmpty { return }
    let memory = arena.allocate(values.count * Value.stride)
    Value.lowerArray(values, to: memory, arena)
    slot.storeBytes(of: memory, as: UnsafeMutableRawPointer.self)
    Slot.set(slot, values.count)
  }

  /// Numbers, which lie in an array as protobuf-c wants them.
  @inline(__always)
  static func numbers<Value>(_ values: [Value], to slot: UnsafeMutableRawPointer) {
    if values.isEmpty { return }
    values.withUnsafeBytes { slot.storeBytes(of: $0.baseAddress, as: UnsafeRawPointer?.self) }
    Slot.set(slot, values.count)
  }

  /// A map.
  @inline(__always)
  static func map<Key: FieldValue, Value: FieldValue>(
    _ values: [Key: Value], to slot: UnsafeMutableRawPointer, _ entry: Unmanaged<MessageDescriptor>,
    _ arena: MessageArena
  ) {
    if values.isEmpty { return }
    let pointers = arena.allocate(values.count * 8).bindMemory(to: UnsafeMutableRawPointer.self, capacity: values.count)
    let descriptor = entry.takeUnretainedValue()
    var position = 0
    for (key, value) in values {
      let entry = descriptor.makeInstance(in: arena)
      key.lower(to: entry + Slot.offset(0), arena)
      Slot.set(entry + Slot.offset(0), 1)
      value.lower(to: entry + Slot.offset(1), arena)
      Slot.set(entry + Slot.offset(1), 1)
      pointers[position] = entry
      position += 1
    }
    slot.storeBytes(of: UnsafeMutableRawPointer(pointers), as: UnsafeMutableRawPointer.self)
    Slot.set(slot, values.count)
  }
}

extension MessageDescriptor {
  /// A message with no field set except the required ones, which are written even when they are zero.
  func makeInstance(in arena: MessageArena) -> UnsafeMutableRawPointer {
    let size = table.pointee.sizeof_message
    let base = arena.allocate(size)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    base.storeBytes(of: UnsafeRawPointer(table), as: UnsafeRawPointer.self)
    markRequired(base)
    return base
  }

  /// Sets the required fields.
  func markRequired(_ base: UnsafeMutableRawPointer) {
    for index in required {
      base.storeBytes(of: 1, toByteOffset: layout[index].offset + Slot.quantifier, as: Int.self)
    }
  }
}

/// A message that is ready to be packed: its size is known, and the caller chooses where the bytes go.
public struct MessageEncoder: ~Copyable {
  /// Bytes that the encoded message takes.
  public let byteCount: Int

  /// A message of protobuf-c's, or the struct of a leaf.
  private let source: UnsafeRawPointer
  private let leaf: LeafTable?

  init(_ base: UnsafeMutableRawPointer, _ arena: MessageArena) throws(MessageEncodingError) {
    self.init(part: base, arena)
    if let missing = arena.state.pointee.missing {
      let descriptor = missing.descriptor.takeUnretainedValue()
      throw MessageEncodingError(
        reason: .missingRequiredField(descriptor.fields[missing.field].name), messageName: descriptor.name)
    }
    try checkSize(MessageDescriptor.of(base))
  }

  /// For a part of a message, whose size is checked together with the rest.
  init(part base: UnsafeMutableRawPointer, _ arena: MessageArena) {
    GroupWriter(arena: arena).prepare(base)
    source = UnsafeRawPointer(base)
    leaf = nil
    byteCount = protobuf_c_message_get_packed_size(base.assumingMemoryBound(to: ProtobufCMessage.self))
  }

  init(_ memory: UnsafeRawPointer, _ leaf: LeafTable) throws(MessageEncodingError) {
    source = memory
    self.leaf = leaf
    byteCount = leaf.byteCount(memory)
    try checkSize(leaf.content.pointee.table.content.pointee.descriptor.takeUnretainedValue())
  }

  @inline(__always)
  private func checkSize(_ descriptor: @autoclosure () -> MessageDescriptor) throws(MessageEncodingError) {
    // protobuf's own bound, and protobuf-c's: it refuses lengths above it.
    if byteCount <= Int(Int32.max) { return }
    throw MessageEncodingError(reason: .tooLarge(byteCount: byteCount), messageName: descriptor().name)
  }

  /// Writes the message to the start of `destination`, which must have `byteCount` bytes at least.
  ///
  /// Returns the number of bytes, `byteCount`.
  @discardableResult
  public func pack(into destination: UnsafeMutableRawBufferPointer) -> Int {
    precondition(destination.count >= byteCount, "the destination is smaller than the message")
    guard byteCount > 0, let start = destination.baseAddress else { return 0 }
    if let leaf {
      leaf.write(source, to: start)
      return byteCount
    }
    let message = source.assumingMemoryBound(to: ProtobufCMessage.self)
    return protobuf_c_message_pack(message, start.assumingMemoryBound(to: UInt8.self))
  }

  /// The encoded message as an array of its own.
  public func bytes() -> [UInt8] {
    var bytes = [UInt8](unfilled: byteCount)
    bytes.withUnsafeMutableBytes { _ = pack(into: $0) }
    return bytes
  }
}
