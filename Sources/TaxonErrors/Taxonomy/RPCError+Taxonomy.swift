// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

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
  /// How bad it is for whoever runs the service.
  public var severity: Severity { ask(\.severity) { $0.severity } }
  /// Whether the same call may succeed later.
  public var retry: RetryClass { ask(\.retry) { $0.retry } }
  /// What it tells a circuit breaker.
  public var breaker: BreakerClass { ask(\.breaker) { $0.breaker } }
  /// Whether nothing has happened.
  public var isSafe: Bool { ask(\.isSafe) { $0.isSafe } }
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

  /// The error that a caller gets for it: what came out of a call is not passed on.
  package var asSent: any TaxonomyError {
    if context.isFromCall { return CallError.InternalError(cause: self) }
    return declared ?? self
  }

  /// The trailers with which it leaves the process. What came out of a call is not passed on: it is the cause of an
  /// `INTERNAL_ERROR` here.
  public func wireStatus(_ options: WireOptions) -> WireStatus {
    if context.isFromCall { return CallError.InternalError(cause: self).wireStatus(options) }
    if let declared { return declared.wireStatus(options) }
    let facts = WireFacts(
      identity: identity, status: status, httpStatus: httpStatus, categories: categories, severity: severity,
      retry: retry, breaker: breaker, isSafe: isSafe)
    let fields = metadata.sorted { $0.key < $1.key }.map { (name: $0.key, text: $0.value) }
    let writer = StatusWriter(
      facts: facts, message: message, fields: fields, violations: violations, retryAfter: retryAfter, context: context,
      payloadName: nil, details: options.details)
    return WireStatus(writer, options) { _ in }
  }
}
