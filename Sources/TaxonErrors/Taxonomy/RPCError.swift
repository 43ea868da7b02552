// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// A failure that the method at hand does not declare: a plain gRPC status, an error of a schema that is not in hand, or
/// a known error that another method declares. The failure type of methods that declare nothing.
public struct RPCError: ErrorUnion {
  private var content: Content
  /// What this occurrence carries.
  public var context: ErrorContext

  /// A plain gRPC status, made by this process; `.ok` is not a failure and becomes `.unknown`.
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
        severity: error.severity, retry: error.retry, breaker: error.breaker, isRetrySafe: error.isRetrySafe,
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

extension RPCError {
  /// Who declared it; "grpc.io" for a plain gRPC status.
  public var domain: String { ask(\.identity.domain) { $0.domain } }
  /// What it is; the status's name for a plain gRPC status.
  public var code: String { ask(\.identity.code) { $0.code } }
  /// The gRPC status with which it travels.
  public var status: StatusCode { ask(\.status) { $0.status } }
  /// The text for people.
  public var message: String { ask(\.message) { $0.message } }
  /// The HTTP status with which it travels.
  public var httpStatus: Int { ask(\.httpStatus) { $0.httpStatus } }
  /// How bad it is for the operators of the service.
  public var severity: Severity { ask(\.severity) { $0.severity } }
  /// Whether the same call may succeed later.
  public var retry: RetryClass { ask(\.retry) { $0.retry } }
  /// What it tells a circuit breaker.
  public var breaker: BreakerClass { ask(\.breaker) { $0.breaker } }
  /// Whether the server had done nothing yet, so that any method may be retried.
  public var isRetrySafe: Bool { ask(\.isRetrySafe) { $0.isRetrySafe } }
  /// Names of the categories it is in, outermost first.
  public var categories: [String] { ask(\.categories) { $0.categories } }
  /// Its safe fields as text.
  public var metadata: [String: String] { ask(\.metadata) { $0.metadata } }
  /// How long to wait before a retry.
  public var retryAfter: Duration? { declared.map(\.retryAfter) ?? context.retryAfter }
  /// The fields of the request that it says are wrong.
  public var violations: [Google_Rpc_BadRequest.FieldViolation] {
    declared?.violations ?? details.badRequest?.fieldViolations ?? []
  }

  /// Such as "TASK_NOT_FOUND: Task 42 not found".
  public var description: String {
    let message = message
    return message.isEmpty ? code : "\(code): \(message)"
  }

  /// Hands the error itself to a visitor, not the known one in it: that it is undeclared may matter.
  public func acceptVisitor<Visitor: ErrorVisitor>(_ visitor: Visitor) -> Visitor.Answer { visitor.undeclared(self) }
}

extension RPCError {
  /// What is known of an error that no schema in hand declares.
  struct Facts: Hashable, Sendable {
    var identity: ErrorIdentity
    var status: StatusCode
    var message: String
    var httpStatus: Int
    var severity: Severity
    var retry: RetryClass
    var breaker: BreakerClass
    var isRetrySafe = false
    var categories: [String] = []
    var metadata: [String: String] = [:]
  }

  /// The domain of failures that are a gRPC status and no more; their code is the status's name.
  static let plainDomain = "grpc.io"
}

extension RPCError.Facts {
  /// A plain gRPC status.
  ///
  /// What it says of an endpoint: UNAVAILABLE, DEADLINE_EXCEEDED, INTERNAL, UNKNOWN, DATA_LOSS and RESOURCE_EXHAUSTED
  /// that it is failing, the others nothing. UNAVAILABLE is the one that gRPC means to be tried again as it is.
  /// RESOURCE_EXHAUSTED may be a quota, which recovers, or a message that is too large, which does not: it is tried
  /// again only where the server says after what time.
  init(status: StatusCode, message: String, hasRetryHint: Bool = false) {
    identity = ErrorIdentity(domain: RPCError.plainDomain, code: status.name)
    self.status = status
    self.message = message
    httpStatus = status == .ok ? 500 : status.httpStatus
    switch status {
    case .unavailable:
      (severity, retry, breaker) = (.error, .transient, .failure)
    case .resourceExhausted:
      (severity, retry, breaker) = (.error, hasRetryHint ? .throttled : .never, .failure)
    case .deadlineExceeded, .internalError, .unknown, .dataLoss:
      (severity, retry, breaker) = (.error, .never, .failure)
    case .cancelled:
      (severity, retry, breaker) = (.info, .never, .neutral)
    default:
      (severity, retry, breaker) = (.warning, .never, .neutral)
    }
  }
}
