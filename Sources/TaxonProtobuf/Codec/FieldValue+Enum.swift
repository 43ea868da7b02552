// SPDX-License-Identifier: Apache-2.0

extension ProtobufEnum {
  /// Four bytes.
  @inlinable public static var stride: Int { 4 }

  /// Takes a value out of memory that protobuf-c has filled. Throws for a number that a closed enum does not have:
  /// the message is unpacked anew then, without the value (`MessageDescriptor.unpackAgain`).
  @inlinable
  public static func lift(_ memory: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) -> Self {
    guard let value = Self(rawValue: memory.load(as: Int32.self)) else {
      throw MessageDecodingError.unknownEnumValue
    }
    return value
  }

  /// Whether its number is zero.
  @inlinable public var isDefault: Bool { rawValue == 0 }

  /// Puts the value where protobuf-c will find it.
  @inlinable
  public func lower(to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    memory.storeBytes(of: rawValue, as: Int32.self)
  }
}
