// SPDX-License-Identifier: Apache-2.0
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

  /// The parts of the wire form that never change, encoded once.
  let wireFacts: WireFacts

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
    wireFacts = WireFacts(
      identity: ErrorIdentity(domain: domain, code: code), status: status, httpStatus: self.httpStatus,
      categories: categories, severity: severity, retry: retry, breaker: breaker, isSafe: isSafe)
  }

  /// The error's name everywhere and for ever.
  public var identity: ErrorIdentity { ErrorIdentity(domain: domain, code: code) }
}
