// SPDX-License-Identifier: Apache-2.0

extension Bool: FieldValue {
  /// Eight bytes: protobuf-c is told that a bool is a uint64 (see `FieldKind.cType`).
  @inlinable public static var stride: Int { 8 }

  /// Takes a value out of memory that protobuf-c has filled.
  @inlinable
  public static func lift(_ memory: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) -> Bool {
    memory.load(as: UInt64.self) != 0
  }

  /// Whether it is false.
  @inlinable public var isDefault: Bool { !self }

  /// Puts the value where protobuf-c will find it.
  @inlinable
  public func lower(to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    memory.storeBytes(of: self ? 1 : 0, as: UInt64.self)
  }
}
