// SPDX-License-Identifier: Apache-2.0

// What MessageWriter does for any type, for those that the standard library has: generated code then calls these, and
// the compiler need not make the functions for each type anew in each module. That takes it a good part of its time.

extension MessageWriter {
  /// A singular field; a default value is not written unless the field is required.
  public mutating func value(_ index: Int, _ value: String) {
    if value.isDefault { return }
    let slot = slot(index)
    value.lower(to: slot, arena)
    set(slot, 1)
  }

  /// A singular field that is there or not there.
  public mutating func optional(_ index: Int, _ value: String?) {
    guard let value else { return }
    let slot = slot(index)
    value.lower(to: slot, arena)
    set(slot, 1)
  }

  /// A repeated field.
  public mutating func array(_ index: Int, _ values: [String]) {
    if values.isEmpty { return }
    let slot = slot(index)
    let memory = arena.allocate(values.count * String.stride)
    String.lowerArray(values, to: memory, arena)
    slot.storeBytes(of: memory, as: UnsafeMutableRawPointer.self)
    set(slot, values.count)
  }

  /// A singular field; a default value is not written unless the field is required.
  public mutating func value(_ index: Int, _ value: [UInt8]) {
    if value.isDefault { return }
    let slot = slot(index)
    value.lower(to: slot, arena)
    set(slot, 1)
  }

  /// A singular field that is there or not there.
  public mutating func optional(_ index: Int, _ value: [UInt8]?) {
    guard let value else { return }
    let slot = slot(index)
    value.lower(to: slot, arena)
    set(slot, 1)
  }

  /// A repeated field.
  public mutating func array(_ index: Int, _ values: [[UInt8]]) {
    if values.isEmpty { return }
    let slot = slot(index)
    let memory = arena.allocate(values.count * [UInt8].stride)
    [UInt8].lowerArray(values, to: memory, arena)
    slot.storeBytes(of: memory, as: UnsafeMutableRawPointer.self)
    set(slot, values.count)
  }

  /// A singular field; a default value is not written unless the field is required.
  @inlinable
  public mutating func value(_ index: Int, _ value: Int32) {
    if value.isDefault { return }
    let slot = slot(index)
    value.lower(to: slot, arena)
    set(slot, 1)
  }

  /// A singular field that is there or not there.
  public mutating func optional(_ index: Int, _ value: Int32?) {
    guard let value else { return }
    let slot = slot(index)
    value.lower(to: slot, arena)
    set(slot, 1)
  }

  /// A repeated field.
  public mutating func array(_ index: Int, _ values: [Int32]) {
    if values.isEmpty { return }
    let slot = slot(index)
    let memory = arena.allocate(values.count * Int32.stride)
    Int32.lowerArray(values, to: memory, arena)
    slot.storeBytes(of: memory, as: UnsafeMutableRawPointer.self)
    set(slot, values.count)
  }

  /// A singular field; a default value is not written unless the field is required.
  @inlinable
  public mutating func value(_ index: Int, _ value: Int64) {
    if value.isDefault { return }
    let slot = slot(index)
    value.lower(to: slot, arena)
    set(slot, 1)
  }

  /// A singular field that is there or not there.
  public mutating func optional(_ index: Int, _ value: Int64?) {
    guard let value else { return }
    let slot = slot(index)
    value.lower(to: slot, arena)
    set(slot, 1)
  }

  /// A repeated field.
  public mutating func array(_ index: Int, _ values: [Int64]) {
    if values.isEmpty { return }
    let slot = slot(index)
    let memory = arena.allocate(values.count * Int64.stride)
    Int64.lowerArray(values, to: memory, arena)
    slot.storeBytes(of: memory, as: UnsafeMutableRawPointer.self)
    set(slot, values.count)
  }

  /// A singular field; a default value is not written unless the field is required.
  @inlinable
  public mutating func value(_ index: Int, _ value: UInt32) {
    if value.isDefault { return }
    let slot = slot(index)
    value.lower(to: slot, arena)
    set(slot, 1)
  }

  /// A singular field that is there or not there.
  public mutating func optional(_ index: Int, _ value: UInt32?) {
    guard let value else { return }
    let slot = slot(index)
    value.lower(to: slot, arena)
    set(slot, 1)
  }

  /// A repeated field.
  public mutating func array(_ index: Int, _ values: [UInt32]) {
    if values.isEmpty { return }
    let slot = slot(index)
    let memory = arena.allocate(values.count * UInt32.stride)
    UInt32.lowerArray(values, to: memory, arena)
    slot.storeBytes(of: memory, as: UnsafeMutableRawPointer.self)
    set(slot, values.count)
  }

  /// A singular field; a default value is not written unless the field is required.
  @inlinable
  public mutating func value(_ index: Int, _ value: UInt64) {
    if value.isDefault { return }
    let slot = slot(index)
    value.lower(to: slot, arena)
    set(slot, 1)
  }

  /// A singular field that is there or not there.
  public mutating func optional(_ index: Int, _ value: UInt64?) {
    guard let value else { return }
    let slot = slot(index)
    value.lower(to: slot, arena)
    set(slot, 1)
  }

  /// A repeated field.
  public mutating func array(_ index: Int, _ values: [UInt64]) {
    if values.isEmpty { return }
    let slot = slot(index)
    let memory = arena.allocate(values.count * UInt64.stride)
    UInt64.lowerArray(values, to: memory, arena)
    slot.storeBytes(of: memory, as: UnsafeMutableRawPointer.self)
    set(slot, values.count)
  }

  /// A singular field; a default value is not written unless the field is required.
  @inlinable
  public mutating func value(_ index: Int, _ value: Bool) {
    if value.isDefault { return }
    let slot = slot(index)
    value.lower(to: slot, arena)
    set(slot, 1)
  }

  /// A singular field that is there or not there.
  public mutating func optional(_ index: Int, _ value: Bool?) {
    guard let value else { return }
    let slot = slot(index)
    value.lower(to: slot, arena)
    set(slot, 1)
  }

  /// A repeated field.
  public mutating func array(_ index: Int, _ values: [Bool]) {
    if values.isEmpty { return }
    let slot = slot(index)
    let memory = arena.allocate(values.count * Bool.stride)
    Bool.lowerArray(values, to: memory, arena)
    slot.storeBytes(of: memory, as: UnsafeMutableRawPointer.self)
    set(slot, values.count)
  }

  /// A singular field; a default value is not written unless the field is required.
  @inlinable
  public mutating func value(_ index: Int, _ value: Float) {
    if value.isDefault { return }
    let slot = slot(index)
    value.lower(to: slot, arena)
    set(slot, 1)
  }

  /// A singular field that is there or not there.
  public mutating func optional(_ index: Int, _ value: Float?) {
    guard let value else { return }
    let slot = slot(index)
    value.lower(to: slot, arena)
    set(slot, 1)
  }

  /// A repeated field.
  public mutating func array(_ index: Int, _ values: [Float]) {
    if values.isEmpty { return }
    let slot = slot(index)
    let memory = arena.allocate(values.count * Float.stride)
    Float.lowerArray(values, to: memory, arena)
    slot.storeBytes(of: memory, as: UnsafeMutableRawPointer.self)
    set(slot, values.count)
  }

  /// A singular field; a default value is not written unless the field is required.
  @inlinable
  public mutating func value(_ index: Int, _ value: Double) {
    if value.isDefault { return }
    let slot = slot(index)
    value.lower(to: slot, arena)
    set(slot, 1)
  }

  /// A singular field that is there or not there.
  public mutating func optional(_ index: Int, _ value: Double?) {
    guard let value else { return }
    let slot = slot(index)
    value.lower(to: slot, arena)
    set(slot, 1)
  }

  /// A repeated field.
  public mutating func array(_ index: Int, _ values: [Double]) {
    if values.isEmpty { return }
    let slot = slot(index)
    let memory = arena.allocate(values.count * Double.stride)
    Double.lowerArray(values, to: memory, arena)
    slot.storeBytes(of: memory, as: UnsafeMutableRawPointer.self)
    set(slot, values.count)
  }
}
