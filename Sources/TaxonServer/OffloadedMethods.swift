// SPDX-License-Identifier: Apache-2.0

/// Methods of a service whose handlers run off the event loops of their connections. Written as a list of names:
///
/// ```swift
/// struct Pictures: Gallery.Service {
///   var offloadedMethods: OffloadedMethods { ["Render"] }
/// ```
public struct OffloadedMethods: Sendable, Hashable, ExpressibleByArrayLiteral {
  /// Nil: every method.
  let names: Set<String>?

  /// Every method of the service.
  public static let all = OffloadedMethods(names: nil)

  private init(names: Set<String>?) { self.names = names }

  /// Methods by their names in the schema, such as "Render".
  public init(_ names: some Sequence<String>) { self.init(names: Set(names)) }

  /// Methods by their names in the schema, such as "Render".
  public init(arrayLiteral names: String...) { self.init(names) }
}
