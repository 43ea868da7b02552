// SPDX-License-Identifier: Apache-2.0

/// Keeps a required field on the heap, so that a large message does not make the one around it larger. Copies share it
/// until one is changed.
@propertyWrapper
public struct Boxed<Wrapped: Hashable & Sendable>: Hashable, Sendable {
  @usableFromInline
  indirect enum Storage: Hashable, Sendable {
    case value(Wrapped)
  }

  @usableFromInline
  var storage: Storage

  /// Wraps a value.
  @inlinable
  public init(wrappedValue: Wrapped) { storage = .value(wrappedValue) }

  /// The field.
  @inlinable
  public var wrappedValue: Wrapped {
    get {
      switch storage {
      case .value(let value): value
      }
    }
    set { storage = .value(newValue) }
  }
}

/// Keeps an optional field on the heap, so that a message can contain itself. Copies share it until one is changed.
@propertyWrapper
public struct Indirect<Wrapped: Hashable & Sendable>: Hashable, Sendable {
  @usableFromInline
  enum Storage: Hashable, Sendable {
    case none
    indirect case some(Wrapped)
  }

  @usableFromInline
  var storage: Storage

  /// Wraps a value; nil takes no memory.
  @inlinable
  public init(wrappedValue: Wrapped?) {
    storage = wrappedValue.map(Storage.some) ?? .none
  }

  /// The field.
  @inlinable
  public var wrappedValue: Wrapped? {
    get {
      switch storage {
      case .none: nil
      case .some(let value): value
      }
    }
    set { storage = newValue.map(Storage.some) ?? .none }
  }
}

/// A field of proto2 with a default value of its own: the property has it where the field is not set.
///
/// The value with a dollar sign is the field itself: `order.count` is 1 where `order.$count` is nil, and
/// `order.$count = nil` takes the field away.
@propertyWrapper
public struct Default<Value: FieldValue>: Hashable, Sendable {
  /// The field's value; nil when it is not set.
  public var projectedValue: Value?
  private let defaultValue: Value

  /// A field that is not set.
  public init(_ defaultValue: Value) { self.defaultValue = defaultValue }

  /// The field's value, else the default value.
  public var wrappedValue: Value {
    get { projectedValue ?? defaultValue }
    set { projectedValue = newValue }
  }

  /// Equality of the fields: one that is not set differs from one that is set to its default value.
  public static func == (one: Self, other: Self) -> Bool { one.projectedValue == other.projectedValue }

  /// Hash of the field.
  public func hash(into hasher: inout Hasher) { hasher.combine(projectedValue) }
}
