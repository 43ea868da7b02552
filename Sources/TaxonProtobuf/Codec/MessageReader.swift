// SPDX-License-Identifier: Apache-2.0

/// What is taken out of the slots of an unpacked message.
enum MessageReader {
  @inline(__always)
  static func hasUnknownFields(_ base: UnsafeRawPointer) -> Bool { base.load(fromByteOffset: 8, as: UInt32.self) != 0 }

  /// The value of a field of bytes.
  @inline(__always)
  static func bytes(_ slot: UnsafeRawPointer) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      start: slot.load(fromByteOffset: 8, as: UnsafeRawPointer?.self), count: slot.load(as: Int.self))
  }

  /// The elements of a repeated field.
  @inline(__always)
  static func array<Value: FieldValue>(
    _ slot: UnsafeRawPointer, _ arena: MessageArena
  ) throws(MessageDecodingError) -> [Value] {
    let count = slot.load(fromByteOffset: Slot.quantifier, as: Int.self)
    // protobuf-c sets the pointer when there are elements.
    return count == 0 ? [] : try Value.liftArray(slot.load(as: UnsafeRawPointer.self), count, arena)
  }

  /// A map; of entries with the same key the last one counts.
  @inline(__always)
  static func map<Key: FieldValue, Value: FieldValue>(
    _ slot: UnsafeRawPointer, _ arena: MessageArena
  ) throws(MessageDecodingError) -> [Key: Value] {
    let count = slot.load(fromByteOffset: Slot.quantifier, as: Int.self)
    var result: [Key: Value] = [:]
    guard count > 0 else { return result }
    result.reserveCapacity(count)
    let entries = slot.load(as: UnsafePointer<UnsafeRawPointer>.self)
    for position in 0..<count {
      let entry = entries[position]
      if hasUnknownFields(entry) { try MessageDescriptor.of(entry).checkUnpacked(entry, arena) }
      let key = try Key.lift(entry + Slot.offset(0), arena)
      do throws(MessageDecodingError) {
        result[key] = try Value.lift(entry + Slot.offset(1), arena)
      } catch {
        guard try isReplaced(key, entries, after: position, of: count, error, arena) else { throw error }
      }
    }
    return result
  }

  /// Whether an entry of a map that lacks a required field does not count, because a later one has its key.
  private static func isReplaced<Key: FieldValue>(
    _ key: Key, _ entries: UnsafePointer<UnsafeRawPointer>, after position: Int, of count: Int,
    _ error: MessageDecodingError, _ arena: MessageArena
  ) throws(MessageDecodingError) -> Bool {
    guard error.reason == .missingRequiredField else { return false }
    for later in position + 1..<count where try Key.lift(entries[later] + Slot.offset(0), arena) == key { return true }
    return false
  }
}
