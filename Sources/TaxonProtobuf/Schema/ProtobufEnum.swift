// SPDX-License-Identifier: Apache-2.0

/// An enum of a schema. Numbers that the code has no name for are kept in a case of their own.
public protocol ProtobufEnum: FieldValue, CustomStringConvertible {
  /// The full name and the values.
  static var descriptor: EnumDescriptor { get }

  /// The value with this number; every number has one.
  init(rawValue: Int32)

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
