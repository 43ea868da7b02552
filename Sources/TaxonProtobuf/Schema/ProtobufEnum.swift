// SPDX-License-Identifier: Apache-2.0

/// An enum of a schema.
///
/// An open one, as proto3 has it, keeps numbers that the code has no name for in a case of their own. A closed one, as
/// proto2 has it, has no such case: decoding leaves those numbers with the unknown fields of the message.
public protocol ProtobufEnum: FieldValue, CustomStringConvertible {
  /// The full name and the values.
  static var descriptor: EnumDescriptor { get }

  /// The value with this number; nil where a closed enum has none.
  init?(rawValue: Int32)

  /// The number on the wire.
  var rawValue: Int32 { get }
}

extension ProtobufEnum {
  /// The name in the schema, or the number where there is none.
  public var description: String { Self.descriptor.name(of: rawValue) ?? String(rawValue) }

  /// Equality by number.
  @inlinable
  public static func == (one: Self, other: Self) -> Bool { one.rawValue == other.rawValue }

  /// Hash by number.
  @inlinable
  public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}
