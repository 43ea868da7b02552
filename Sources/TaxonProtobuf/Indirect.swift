// SPDX-License-Identifier: Apache-2.0

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
