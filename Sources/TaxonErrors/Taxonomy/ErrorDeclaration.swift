// SPDX-License-Identifier: Apache-2.0
import Synchronization
import TaxonProtobuf

/// What a schema says of an error once and for all of its occurrences.
public final class ErrorDeclaration: Sendable {
  /// Who declares it.
  public let domain: String
  /// What it is, in that domain.
  public let code: String
  /// Names of the categories it is in, outermost first.
  public let categories: [String]
  /// The gRPC status with which it travels.
  public let status: StatusCode
  /// The HTTP status with which it travels.
  public let httpStatus: Int
  /// How bad it is for whoever runs the service.
  public let severity: Severity
  /// Whether the same call may succeed later.
  public let retry: RetryClass
  /// What it tells a circuit breaker.
  public let breaker: BreakerClass
  /// Whether nothing has happened when it is raised.
  public let isSafe: Bool
  /// How long to wait before a retry, unless the thrower says otherwise.
  public let retryAfter: Duration?

  private let cache = AtomicLazyReference<any AnyObject & Sendable>()

  /// A declaration, as generated code makes it.
  public init(
    domain: String, code: String, categories: [String] = [], status: StatusCode, httpStatus: Int? = nil,
    severity: Severity, retry: RetryClass, breaker: BreakerClass, isSafe: Bool = false, retryAfter: Duration? = nil
  ) {
    self.domain = domain
    self.code = code
    self.categories = categories
    self.status = status
    self.httpStatus = httpStatus ?? status.httpStatus
    self.severity = severity
    self.retry = retry
    self.breaker = breaker
    self.isSafe = isSafe
    self.retryAfter = retryAfter?.bounded
  }

  /// The error's name everywhere and for ever.
  public var identity: ErrorIdentity { ErrorIdentity(domain: domain, code: code) }

  /// What a layer above makes of the declaration, made when it is first asked for and then kept. Of one type alone: another
  /// one is made each time.
  func cached<Value: AnyObject & Sendable>(_ make: (ErrorDeclaration) -> Value) -> Value {
    if let value = cache.load() as? Value { return value }
    let value = make(self)
    return cache.storeIfNil(value) as? Value ?? value
  }
}
