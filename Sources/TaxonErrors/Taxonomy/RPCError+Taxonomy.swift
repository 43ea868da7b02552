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

  /// Hands the error itself to a visitor, not the known one in it: that it is undeclared may matter.
  public func acceptVisitor<Visitor: ErrorVisitor>(_ visitor: Visitor) -> Visitor.Answer { visitor.undeclared(self) }
}
