// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// A choice of declared errors, with a case `other` for every failure that is none of them: a category, a taxonomy, or
/// what one method raises. It answers whatever the error in it answers.
public protocol ErrorUnion: TaxonomyError {
  /// Every declared error in it, those of nested categories too.
  static var members: [any DeclaredError.Type] { get }
  /// The category or taxonomy that it stands for; nil for what a method raises.
  static var category: ErrorCategory? { get }
  /// The case of a member or of an undeclared error; nil for anything else.
  init?(_ error: any TaxonomyError)
  /// The case for a failure that is not a member.
  static func other(_ error: RPCError) -> Self
  /// The error in it.
  var wrapped: any TaxonomyError { get }
}

extension ErrorUnion {
  /// None.
  public static var category: ErrorCategory? { nil }
  /// Who declared it.
  public var domain: String { wrapped.domain }
  /// What it is.
  public var code: String { wrapped.code }
  /// The gRPC status with which it travels.
  public var status: StatusCode { wrapped.status }
  /// The text for people.
  public var message: String { wrapped.message }
  /// The HTTP status with which it travels.
  public var httpStatus: Int { wrapped.httpStatus }
  /// How bad it is for the operators of the service.
  public var severity: Severity { wrapped.severity }
  /// Whether the same call may succeed later.
  public var retry: RetryClass { wrapped.retry }
  /// What it tells a circuit breaker.
  public var breaker: BreakerClass { wrapped.breaker }
  /// Whether the server had done nothing yet, so that any method may be retried.
  public var isRetrySafe: Bool { wrapped.isRetrySafe }
  /// How long to wait before a retry.
  public var retryAfter: Duration? { wrapped.retryAfter }
  /// Names of the categories it is in, outermost first.
  public var categories: [String] { wrapped.categories }
  /// Its safe fields as text.
  public var metadata: [String: String] { wrapped.metadata }
  /// The fields of the request that it says are wrong.
  public var violations: [Google_Rpc_BadRequest.FieldViolation] { wrapped.violations }
  /// Such as "TASK_NOT_FOUND: Task 42 not found".
  public var description: String { wrapped.description }
  /// Hands the error in it to a visitor.
  public func acceptVisitor<Visitor: ErrorVisitor>(_ visitor: Visitor) -> Visitor.Answer {
    wrapped.acceptVisitor(visitor)
  }

  /// What this occurrence carries.
  public var context: ErrorContext {
    get { wrapped.context }
    set {
      var error = wrapped
      error.context = newValue
      // A union should take back whatever it wraps; what a hand-written one does not becomes `other`, and loses nothing.
      self = Self(error) ?? error as? Self ?? .taking(error)
    }
  }

  /// The case for any taxonomy error: a member, also out of another union, else `other`.
  static func taking(_ error: any TaxonomyError) -> Self {
    let innermost = unwrapped(error)
    if let union = Self(innermost) { return union }
    // What is not a member is declared, or else it were undeclared or a union; a foreign implementation of TaxonomyError
    // is treated as an error that nobody declared.
    if let declared = innermost as? any DeclaredError { return other(RPCError(declared)) }
    return other(RPCError(describing: innermost))
  }
}
