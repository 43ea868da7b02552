// SPDX-License-Identifier: Apache-2.0

/// What a field can hold: numbers, Bool, String, `[UInt8]`, enums and messages.
///
/// The Swift type decides how a value lies in protobuf-c's struct, the table of the message how it goes over the wire.
/// The types that conform are those of this module and the generated ones.
public protocol FieldValue: Hashable, Sendable {
  /// Bytes from one element of a repeated field to the next.
  static var stride: Int { get }

  /// Takes a value out of memory that protobuf-c has filled.
  static func lift(_ memory: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) -> Self

  /// Takes the elements of a repeated field out of memory that protobuf-c has filled.
  static func liftArray(
    _ memory: UnsafeRawPointer, _ count: Int, _ arena: MessageArena
  ) throws(MessageDecodingError) -> [Self]

  /// Whether a field without presence leaves this value out.
  var isDefault: Bool { get }

  /// Puts the value where protobuf-c will find it.
  func lower(to memory: UnsafeMutableRawPointer, _ arena: MessageArena)

  /// Puts the elements of a repeated field where protobuf-c will find them.
  static func lowerArray(_ values: [Self], to memory: UnsafeMutableRawPointer, _ arena: MessageArena)
}

extension FieldValue {
  /// One by one.
  @inlinable
  public static func liftArray(
    _ memory: UnsafeRawPointer, _ count: Int, _ arena: MessageArena
  ) throws(MessageDecodingError) -> [Self] {
    var result: [Self] = []
    result.reserveCapacity(count)
    for index in 0..<count { result.append(try lift(memory + index * stride, arena)) }
    return result
  }

  /// One by one.
  @inlinable
  public static func lowerArray(_ values: [Self], to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    var position = memory
    for value in values {
      value.lower(to: position, arena)
      position += stride
    }
  }
}
