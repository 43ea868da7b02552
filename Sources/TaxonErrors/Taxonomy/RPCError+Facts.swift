// SPDX-License-Identifier: Apache-2.0

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
    var isSafe = false
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
