// SPDX-License-Identifier: Apache-2.0

/// An unpacked message, from which generated code takes the fields by their index in the table.
public struct MessageReader {
  @usableFromInline let base: UnsafeRawPointer
  @usableFromInline let arena: MessageArena

  @usableFromInline
  init(_ base: UnsafeRawPointer, _ arena: MessageArena) {
    self.base = base
    self.arena = arena
  }

  @inlinable
  @inline(__always)
  func slot(_ index: Int) -> UnsafeRawPointer { base + Slot.offset(index) }

  @inlinable
  @inline(__always)
  var hasUnknownFields: Bool { base.load(fromByteOffset: 8, as: UInt32.self) != 0 }

  /// Number of elements, presence, or the number of the oneof's member.
  @inlinable
  @inline(__always)
  func quantifier(_ slot: UnsafeRawPointer) -> UInt32 { slot.load(fromByteOffset: 16, as: UInt32.self) }

  /// A singular field; its default where the message does not have it.
  @inlinable
  public func value<Value: FieldValue>(_ index: Int) throws(MessageDecodingError) -> Value {
    try Value.lift(slot(index), arena)
  }

  /// A singular field; nil where the message does not have it.
  @inlinable
  public func optional<Value: FieldValue>(_ index: Int) throws(MessageDecodingError) -> Value? {
    try takeOptional(index)
  }

  /// A repeated field.
  @inlinable
  public func array<Value: FieldValue>(_ index: Int) throws(MessageDecodingError) -> [Value] { try takeArray(index) }

  @inlinable
  @inline(__always)
  func takeOptional<Value: FieldValue>(_ index: Int) throws(MessageDecodingError) -> Value? {
    let slot = slot(index)
    return quantifier(slot) == 0 ? nil : try Value.lift(slot, arena)
  }

  @inlinable
  @inline(__always)
  func takeArray<Value: FieldValue>(_ index: Int) throws(MessageDecodingError) -> [Value] {
    let slot = slot(index)
    let count = slot.load(fromByteOffset: 16, as: Int.self)
    // protobuf-c sets the pointer when there are elements.
    return count == 0 ? [] : try Value.liftArray(slot.load(as: UnsafeRawPointer.self), count, arena)
  }

  /// A map; of entries with the same key the last one counts.
  @inlinable
  public func map<Key: FieldValue, Value: FieldValue>(
    _ index: Int
  ) throws(MessageDecodingError) -> [Key: Value] {
    let slot = slot(index)
    let count = slot.load(fromByteOffset: 16, as: Int.self)
    var result: [Key: Value] = [:]
    guard count > 0 else { return result }
    result.reserveCapacity(count)
    let entries = slot.load(as: UnsafePointer<UnsafeRawPointer>.self)
    for position in 0..<count {
      let entry = try MessageReader(inside: entries[position], arena)
      let key = try entry.value(0) as Key
      do {
        result[key] = try entry.value(1) as Value
      } catch {
        guard try isReplaced(key, entries, after: position, of: count, error) else { throw error }
      }
    }
    return result
  }

  /// Whether an entry of a map that lacks a required field does not count, because a later one has its key.
  @usableFromInline
  func isReplaced<Key: FieldValue>(
    _ key: Key, _ entries: UnsafePointer<UnsafeRawPointer>, after position: Int, of count: Int,
    _ error: MessageDecodingError
  ) throws(MessageDecodingError) -> Bool {
    guard error.reason == .missingRequiredField else { return false }
    for later in position + 1..<count {
      let other = try MessageReader(inside: entries[later], arena).value(0) as Key
      if other == key { return true }
    }
    return false
  }

  /// The number of the member of a oneof that is set, 0 for none; `index` is that of its first member.
  @inlinable
  public func oneof(_ index: Int) -> UInt32 { quantifier(slot(index)) }

  /// The fields that the table does not have.
  @inlinable
  public var unknownFields: UnknownFields {
    hasUnknownFields ? UnknownFields(lifting: base) : UnknownFields()
  }
}

extension MessageReader {
  /// A reader for a message inside another.
  @usableFromInline
  init(inside base: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) {
    try MessageDescriptor.of(base).checkUnpacked(base, arena)
    self.init(base, arena)
  }
}

// The same for the standard library's types: generated code calls these, so that the compiler need not specialise the
// generic functions in each module, which takes a good part of its time.

extension MessageReader {
  /// A singular field; its default where the message does not have it.
  public func value(_ index: Int) throws(MessageDecodingError) -> String { try String.lift(slot(index), arena) }

  /// A singular field; nil where the message does not have it.
  public func optional(_ index: Int) throws(MessageDecodingError) -> String? { try takeOptional(index) }

  /// A repeated field.
  public func array(_ index: Int) throws(MessageDecodingError) -> [String] { try takeArray(index) }

  /// A singular field; its default where the message does not have it.
  public func value(_ index: Int) throws(MessageDecodingError) -> [UInt8] { try [UInt8].lift(slot(index), arena) }

  /// A singular field; nil where the message does not have it.
  public func optional(_ index: Int) throws(MessageDecodingError) -> [UInt8]? { try takeOptional(index) }

  /// A repeated field.
  public func array(_ index: Int) throws(MessageDecodingError) -> [[UInt8]] { try takeArray(index) }

  /// A singular field; its default where the message does not have it.
  @inlinable
  public func value(_ index: Int) throws(MessageDecodingError) -> Int32 { try Int32.lift(slot(index), arena) }

  /// A singular field; nil where the message does not have it.
  public func optional(_ index: Int) throws(MessageDecodingError) -> Int32? { try takeOptional(index) }

  /// A repeated field.
  public func array(_ index: Int) throws(MessageDecodingError) -> [Int32] { try takeArray(index) }

  /// A singular field; its default where the message does not have it.
  @inlinable
  public func value(_ index: Int) throws(MessageDecodingError) -> Int64 { try Int64.lift(slot(index), arena) }

  /// A singular field; nil where the message does not have it.
  public func optional(_ index: Int) throws(MessageDecodingError) -> Int64? { try takeOptional(index) }

  /// A repeated field.
  public func array(_ index: Int) throws(MessageDecodingError) -> [Int64] { try takeArray(index) }

  /// A singular field; its default where the message does not have it.
  @inlinable
  public func value(_ index: Int) throws(MessageDecodingError) -> UInt32 { try UInt32.lift(slot(index), arena) }

  /// A singular field; nil where the message does not have it.
  public func optional(_ index: Int) throws(MessageDecodingError) -> UInt32? { try takeOptional(index) }

  /// A repeated field.
  public func array(_ index: Int) throws(MessageDecodingError) -> [UInt32] { try takeArray(index) }

  /// A singular field; its default where the message does not have it.
  @inlinable
  public func value(_ index: Int) throws(MessageDecodingError) -> UInt64 { try UInt64.lift(slot(index), arena) }

  /// A singular field; nil where the message does not have it.
  public func optional(_ index: Int) throws(MessageDecodingError) -> UInt64? { try takeOptional(index) }

  /// A repeated field.
  public func array(_ index: Int) throws(MessageDecodingError) -> [UInt64] { try takeArray(index) }

  /// A singular field; its default where the message does not have it.
  @inlinable
  public func value(_ index: Int) throws(MessageDecodingError) -> Bool { try Bool.lift(slot(index), arena) }

  /// A singular field; nil where the message does not have it.
  public func optional(_ index: Int) throws(MessageDecodingError) -> Bool? { try takeOptional(index) }

  /// A repeated field.
  public func array(_ index: Int) throws(MessageDecodingError) -> [Bool] { try takeArray(index) }

  /// A singular field; its default where the message does not have it.
  @inlinable
  public func value(_ index: Int) throws(MessageDecodingError) -> Float { try Float.lift(slot(index), arena) }

  /// A singular field; nil where the message does not have it.
  public func optional(_ index: Int) throws(MessageDecodingError) -> Float? { try takeOptional(index) }

  /// A repeated field.
  public func array(_ index: Int) throws(MessageDecodingError) -> [Float] { try takeArray(index) }

  /// A singular field; its default where the message does not have it.
  @inlinable
  public func value(_ index: Int) throws(MessageDecodingError) -> Double { try Double.lift(slot(index), arena) }

  /// A singular field; nil where the message does not have it.
  public func optional(_ index: Int) throws(MessageDecodingError) -> Double? { try takeOptional(index) }

  /// A repeated field.
  public func array(_ index: Int) throws(MessageDecodingError) -> [Double] { try takeArray(index) }
}
