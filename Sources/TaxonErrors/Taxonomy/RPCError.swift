// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// A failure that the method at hand does not declare: a plain gRPC status, an error of a schema that is not in hand, or
/// a known error that another method declares. The failure type of methods that declare nothing.
public struct RPCError: ErrorUnion {
  private var content: Content
  /// What this occurrence carries.
  public var context: ErrorContext

  /// A plain gRPC status of one's own; `.ok` is no failure and becomes `.unknown`.
  public init(_ status: StatusCode, _ message: String = "") {
    self.init(Facts(status: status == .ok ? .unknown : status, message: message))
  }

  /// A known error, where it is not declared.
  public init(_ error: any DeclaredError) {
    content = .declared(error)
    context = error.context
  }

  /// An error of a type that follows the taxonomy without a schema.
  init(describing error: any TaxonomyError) {
    self.init(
      Facts(
        identity: error.identity, status: error.status, message: error.message, httpStatus: error.httpStatus,
        severity: error.severity, retry: error.retry, breaker: error.breaker, isSafe: error.isSafe,
        categories: error.categories, metadata: error.metadata))
    context = error.context
    context.retryAfter = error.retryAfter
  }

  init(_ facts: Facts, context: ErrorContext = ErrorContext()) {
    content = .facts(facts)
    self.context = context
  }

  /// The caller gave up.
  public static let cancelled = RPCError(.cancelled, "The call was cancelled")

  /// The known error in it, with this one's context.
  var declared: (any DeclaredError)? {
    guard case .declared(var error) = content else { return nil }
    error.context = context
    return error
  }
}

extension RPCError {
  /// The known error is held inline on purpose: an error type with an existential in it is passed by address, and only
  /// then does Swift 6.3 compile a `catch .aCase(let error)` that uses the error in a closure (as a log line does) where
  /// the other cases fall through to a plain `throws`.
  private enum Content: Hashable, Sendable {
    indirect case facts(Facts)
    case declared(any DeclaredError)

    static func == (left: Self, right: Self) -> Bool {
      switch (left, right) {
      case (.facts(let left), .facts(let right)): left == right
      case (.declared(let left), .declared(let right)): AnyHashable(left) == AnyHashable(right)
      default: false
      }
    }

    func hash(into hasher: inout Hasher) {
      switch self {
      case .facts(let facts): facts.hash(into: &hasher)
      case .declared(let error): error.hash(into: &hasher)
      }
    }
  }
}

extension RPCError {
  /// None: everything here is undeclared.
  public static var members: [any DeclaredError.Type] { [] }

  /// An undeclared error as it is; nil for anything else.
  public init?(_ error: any TaxonomyError) {
    guard let error = error as? RPCError else { return nil }
    self = error
  }

  /// The error as it is.
  public static func other(_ error: RPCError) -> RPCError { error }

  /// The known error in it, else itself.
  public var wrapped: any TaxonomyError { declared ?? self }

  func ask<Answer>(_ ofFacts: (Facts) -> Answer, _ ofError: (any DeclaredError) -> Answer) -> Answer {
    switch content {
    case .facts(let facts): ofFacts(facts)
    case .declared(let error): ofError(error)
    }
  }
}
