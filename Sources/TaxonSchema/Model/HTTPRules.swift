// SPDX-License-Identifier: Apache-2.0

/// Which HTTP status goes with which gRPC status.
enum HTTPRules {
  /// The usual HTTP status (google/rpc/code.proto).
  static func usual(_ status: Google_Rpc_Code) -> Int32 {
    switch status {
    case .ok: 200
    case .cancelled: 499
    case .unknown, .internal, .dataLoss, .unrecognized: 500
    case .invalidArgument, .failedPrecondition, .outOfRange: 400
    case .deadlineExceeded: 504
    case .notFound: 404
    case .alreadyExists, .aborted: 409
    case .permissionDenied: 403
    case .resourceExhausted: 429
    case .unimplemented: 501
    case .unavailable: 503
    case .unauthenticated: 401
    }
  }

  /// The gRPC status that alone may have this HTTP status.
  private static let owners: [Int32: Google_Rpc_Code] = [
    401: .unauthenticated, 403: .permissionDenied, 404: .notFound, 429: .resourceExhausted, 499: .cancelled,
    501: .unimplemented, 504: .deadlineExceeded,
  ]

  /// What is wrong with the pair and how to mend it, or nil when all is well.
  static func contradiction(_ status: Google_Rpc_Code, _ http: Int32) -> String? {
    let usual = usual(status)
    let mend = "leave http out for \(usual)"
    guard (400...599).contains(http) else {
      return "http \(http) is no error; choose 400 to 599, or \(mend)"
    }
    if let owner = owners[http], owner != status {
      return "status \(status) and http \(http) contradict each other, \(http) belongs to \(owner); "
        + "\(mend), or declare status \(owner)"
    }
    if status == .resourceExhausted {
      guard ![413, 429, 503, 507].contains(http) else { return nil }
      return
        "status \(status) and http \(http) contradict each other, \(status) goes with 413, 429, 503 or 507; \(mend)"
    }
    guard http / 100 != usual / 100 else { return nil }
    let range = usual / 100 == 4 ? "400 to 499" : "500 to 599"
    return "status \(status) and http \(http) contradict each other, \(status) goes with \(range); \(mend)"
  }
}
