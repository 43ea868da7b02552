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
