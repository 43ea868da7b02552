// SPDX-License-Identifier: Apache-2.0

/// A field of proto2 with a default value of its own: the property has it where the field is not set.
///
/// The value with a dollar sign is the field itself: `order.count` is 1 where `order.$count` is nil, and
/// `order.$count = nil` takes the field away.
@propertyWrapper
public struct Default<Value: FieldValue>: Hashable, Sendable {
  /// What the message has; nil where it does not have the field.
  public var projectedValue: Value?
  private let defaultValue: Value

  /// A field that is not set.
  public init(_ defaultValue: Value) { self.defaultValue = defaultValue }

  /// What the message has, else the default value.
  public var wrappedValue: Value {
    get { projectedValue ?? defaultValue }
    set { projectedValue = newValue }
  }

  /// Equality of what the messages have: a field that is not set differs from one that is set to its default value.
  public static func == (one: Self, other: Self) -> Bool { one.projectedValue == other.projectedValue }

  /// Hash of what the message has.
  public func hash(into hasher: inout Hasher) { hasher.combine(projectedValue) }
}
