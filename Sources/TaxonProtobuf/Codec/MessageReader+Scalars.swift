// SPDX-License-Identifier: Apache-2.0

// What MessageReader does for any type, for those that the standard library has: generated code then calls these, and
// the compiler need not make the functions for each type anew in each module. That takes it a good part of its time.

extension MessageReader {
  /// A singular field; its default where the message does not have it.
  public func value(_ index: Int) throws(MessageDecodingError) -> String { try String.lift(slot(index), arena) }

  /// A singular field; nil where the message does not have it.
  public func optional(_ index: Int) throws(MessageDecodingError) -> String? {
    let slot = slot(index)
    return quantifier(slot) == 0 ? nil : try String.lift(slot, arena)
  }

  /// A repeated field.
  public func array(_ index: Int) throws(MessageDecodingError) -> [String] {
    let slot = slot(index)
    let count = slot.load(fromByteOffset: 16, as: Int.self)
    // The pointer is there: protobuf-c sets it when there are elements.
    return count == 0 ? [] : try String.liftArray(slot.load(as: UnsafeRawPointer.self), count, arena)
  }

  /// A singular field; its default where the message does not have it.
  public func value(_ index: Int) throws(MessageDecodingError) -> [UInt8] { try [UInt8].lift(slot(index), arena) }

  /// A singular field; nil where the message does not have it.
  public func optional(_ index: Int) throws(MessageDecodingError) -> [UInt8]? {
    let slot = slot(index)
    return quantifier(slot) == 0 ? nil : try [UInt8].lift(slot, arena)
  }

  /// A repeated field.
  public func array(_ index: Int) throws(MessageDecodingError) -> [[UInt8]] {
    let slot = slot(index)
    let count = slot.load(fromByteOffset: 16, as: Int.self)
    // The pointer is there: protobuf-c sets it when there are elements.
    return count == 0 ? [] : try [UInt8].liftArray(slot.load(as: UnsafeRawPointer.self), count, arena)
  }

  /// A singular field; its default where the message does not have it.
  @inlinable
  public func value(_ index: Int) throws(MessageDecodingError) -> Int32 { try Int32.lift(slot(index), arena) }

  /// A singular field; nil where the message does not have it.
  public func optional(_ index: Int) throws(MessageDecodingError) -> Int32? {
    let slot = slot(index)
    return quantifier(slot) == 0 ? nil : try Int32.lift(slot, arena)
  }

  /// A repeated field.
  public func array(_ index: Int) throws(MessageDecodingError) -> [Int32] {
    let slot = slot(index)
    let count = slot.load(fromByteOffset: 16, as: Int.self)
    // The pointer is there: protobuf-c sets it when there are elements.
    return count == 0 ? [] : try Int32.liftArray(slot.load(as: UnsafeRawPointer.self), count, arena)
  }

  /// A singular field; its default where the message does not have it.
  @inlinable
  public func value(_ index: Int) throws(MessageDecodingError) -> Int64 { try Int64.lift(slot(index), arena) }

  /// A singular field; nil where the message does not have it.
  public func optional(_ index: Int) throws(MessageDecodingError) -> Int64? {
    let slot = slot(index)
    return quantifier(slot) == 0 ? nil : try Int64.lift(slot, arena)
  }

  /// A repeated field.
  public func array(_ index: Int) throws(MessageDecodingError) -> [Int64] {
    let slot = slot(index)
    let count = slot.load(fromByteOffset: 16, as: Int.self)
    // The pointer is there: protobuf-c sets it when there are elements.
    return count == 0 ? [] : try Int64.liftArray(slot.load(as: UnsafeRawPointer.self), count, arena)
  }

  /// A singular field; its default where the message does not have it.
  @inlinable
  public func value(_ index: Int) throws(MessageDecodingError) -> UInt32 { try UInt32.lift(slot(index), arena) }

  /// A singular field; nil where the message does not have it.
  public func optional(_ index: Int) throws(MessageDecodingError) -> UInt32? {
    let slot = slot(index)
    return quantifier(slot) == 0 ? nil : try UInt32.lift(slot, arena)
  }

  /// A repeated field.
  public func array(_ index: Int) throws(MessageDecodingError) -> [UInt32] {
    let slot = slot(index)
    let count = slot.load(fromByteOffset: 16, as: Int.self)
    // The pointer is there: protobuf-c sets it when there are elements.
    return count == 0 ? [] : try UInt32.liftArray(slot.load(as: UnsafeRawPointer.self), count, arena)
  }

  /// A singular field; its default where the message does not have it.
  @inlinable
  public func value(_ index: Int) throws(MessageDecodingError) -> UInt64 { try UInt64.lift(slot(index), arena) }

  /// A singular field; nil where the message does not have it.
  public func optional(_ index: Int) throws(MessageDecodingError) -> UInt64? {
    let slot = slot(index)
    return quantifier(slot) == 0 ? nil : try UInt64.lift(slot, arena)
  }

  /// A repeated field.
  public func array(_ index: Int) throws(MessageDecodingError) -> [UInt64] {
    let slot = slot(index)
    let count = slot.load(fromByteOffset: 16, as: Int.self)
    // The pointer is there: protobuf-c sets it when there are elements.
    return count == 0 ? [] : try UInt64.liftArray(slot.load(as: UnsafeRawPointer.self), count, arena)
  }

  /// A singular field; its default where the message does not have it.
  @inlinable
  public func value(_ index: Int) throws(MessageDecodingError) -> Bool { try Bool.lift(slot(index), arena) }

  /// A singular field; nil where the message does not have it.
  public func optional(_ index: Int) throws(MessageDecodingError) -> Bool? {
    let slot = slot(index)
    return quantifier(slot) == 0 ? nil : try Bool.lift(slot, arena)
  }

  /// A repeated field.
  public func array(_ index: Int) throws(MessageDecodingError) -> [Bool] {
    let slot = slot(index)
    let count = slot.load(fromByteOffset: 16, as: Int.self)
    // The pointer is there: protobuf-c sets it when there are elements.
    return count == 0 ? [] : try Bool.liftArray(slot.load(as: UnsafeRawPointer.self), count, arena)
  }

  /// A singular field; its default where the message does not have it.
  @inlinable
  public func value(_ index: Int) throws(MessageDecodingError) -> Float { try Float.lift(slot(index), arena) }

  /// A singular field; nil where the message does not have it.
  public func optional(_ index: Int) throws(MessageDecodingError) -> Float? {
    let slot = slot(index)
    return quantifier(slot) == 0 ? nil : try Float.lift(slot, arena)
  }

  /// A repeated field.
  public func array(_ index: Int) throws(MessageDecodingError) -> [Float] {
    let slot = slot(index)
    let count = slot.load(fromByteOffset: 16, as: Int.self)
    // The pointer is there: protobuf-c sets it when there are elements.
    return count == 0 ? [] : try Float.liftArray(slot.load(as: UnsafeRawPointer.self), count, arena)
  }

  /// A singular field; its default where the message does not have it.
  @inlinable
  public func value(_ index: Int) throws(MessageDecodingError) -> Double { try Double.lift(slot(index), arena) }

  /// A singular field; nil where the message does not have it.
  public func optional(_ index: Int) throws(MessageDecodingError) -> Double? {
    let slot = slot(index)
    return quantifier(slot) == 0 ? nil : try Double.lift(slot, arena)
  }

  /// A repeated field.
  public func array(_ index: Int) throws(MessageDecodingError) -> [Double] {
    let slot = slot(index)
    let count = slot.load(fromByteOffset: 16, as: Int.self)
    // The pointer is there: protobuf-c sets it when there are elements.
    return count == 0 ? [] : try Double.liftArray(slot.load(as: UnsafeRawPointer.self), count, arena)
  }
}
