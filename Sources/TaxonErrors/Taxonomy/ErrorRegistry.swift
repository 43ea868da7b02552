// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// Finds the type of an error by its identity or by the URL of its message.
///
/// Every generated file that declares errors has a registry of them, such as `ErrorRegistry.octollmV1Errors` for
/// octollm/v1/errors.proto; `[.octollmV1Errors, .shopV1Errors]` has those of both.
public struct ErrorRegistry: Sendable, ExpressibleByArrayLiteral {
  private var byIdentity: [ErrorIdentity: any DeclaredError.Type] = [:]
  private var byName: [String: any DeclaredError.Type] = [:]

  /// A registry of these errors. Of two with one identity the later counts.
  public init(_ types: [any DeclaredError.Type] = []) {
    for type in types {
      byIdentity[type.declaration.identity] = type
      byName[type.descriptor.name] = type
    }
  }

  /// All errors of several registries.
  public init(_ registries: ErrorRegistry...) {
    for registry in registries { merge(registry) }
  }

  /// All errors of several registries.
  public init(arrayLiteral registries: ErrorRegistry...) {
    for registry in registries { merge(registry) }
  }

  /// Adds the errors of another registry.
  public mutating func merge(_ other: ErrorRegistry) {
    byIdentity.merge(other.byIdentity) { _, later in later }
    byName.merge(other.byName) { _, later in later }
  }

  /// The errors of both.
  public static func + (left: ErrorRegistry, right: ErrorRegistry) -> ErrorRegistry {
    ErrorRegistry(left, right)
  }

  /// Every error in it, in no order.
  public var types: [any DeclaredError.Type] { Array(byIdentity.values) }

  /// The type of an error; nil for an unknown one.
  public subscript(domain: String, code: String) -> (any DeclaredError.Type)? {
    byIdentity[ErrorIdentity(domain: domain, code: code)]
  }

  /// The type of a message, by a type URL such as "type.googleapis.com/octollm.v1.ValidationError.TaskNotFound"; nil
  /// for an unknown one.
  public subscript(typeURL url: String) -> (any DeclaredError.Type)? {
    byName[Google_Protobuf_Any.messageName(ofURL: url)]
  }
}
