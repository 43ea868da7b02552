// SPDX-License-Identifier: Apache-2.0

/// The status codes of gRPC, numbered as on the wire.
public enum StatusCode: Int32, Hashable, Sendable, CaseIterable {
  /// The call succeeded.
  case ok = 0
  /// The caller gave up.
  case cancelled = 1
  /// The cause is not known.
  case unknown = 2
  /// The request is wrong whatever the state of the system.
  case invalidArgument = 3
  /// The time allowed ran out.
  case deadlineExceeded = 4
  /// What was asked for does not exist.
  case notFound = 5
  /// What should be created exists already.
  case alreadyExists = 6
  /// The caller is known and may not do this.
  case permissionDenied = 7
  /// A quota or a resource is used up.
  case resourceExhausted = 8
  /// The system is not in the state that the call needs.
  case failedPrecondition = 9
  /// The call lost a race with another.
  case aborted = 10
  /// The call went past the valid range.
  case outOfRange = 11
  /// The method does not exist, or is switched off.
  case unimplemented = 12
  /// An invariant of the server is broken.
  case internalError = 13
  /// The service cannot be reached or cannot answer now.
  case unavailable = 14
  /// Data is lost or damaged for good.
  case dataLoss = 15
  /// The caller is not known.
  case unauthenticated = 16
}

extension StatusCode {
  /// The code of a number; `.unknown` for a number that gRPC does not name.
  @inlinable
  public init(wire number: Int32) {
    self = StatusCode(rawValue: number) ?? .unknown
  }

  /// The code of a `grpc-status` header: decimal digits, of which there are at most ten. Nil when it is not a number.
  public init?(text: some Sequence<UInt8>) {
    var number: Int64 = 0
    var count = 0
    for byte in text {
      guard byte >= 0x30, byte <= 0x39, count < 10 else { return nil }
      number = number * 10 + Int64(byte - 0x30)
      count += 1
    }
    guard count > 0 else { return nil }
    self = Int32(exactly: number).map { StatusCode(wire: $0) } ?? .unknown
  }

  /// The code of a name in gRPC's spelling, such as "NOT_FOUND".
  public init?(name: String) {
    guard let code = StatusCode.allCases.first(where: { $0.name == name }) else { return nil }
    self = code
  }

  /// The name in gRPC's spelling, such as "NOT_FOUND".
  public var name: String {
    switch self {
    case .ok: "OK"
    case .cancelled: "CANCELLED"
    case .unknown: "UNKNOWN"
    case .invalidArgument: "INVALID_ARGUMENT"
    case .deadlineExceeded: "DEADLINE_EXCEEDED"
    case .notFound: "NOT_FOUND"
    case .alreadyExists: "ALREADY_EXISTS"
    case .permissionDenied: "PERMISSION_DENIED"
    case .resourceExhausted: "RESOURCE_EXHAUSTED"
    case .failedPrecondition: "FAILED_PRECONDITION"
    case .aborted: "ABORTED"
    case .outOfRange: "OUT_OF_RANGE"
    case .unimplemented: "UNIMPLEMENTED"
    case .internalError: "INTERNAL"
    case .unavailable: "UNAVAILABLE"
    case .dataLoss: "DATA_LOSS"
    case .unauthenticated: "UNAUTHENTICATED"
    }
  }
}

extension StatusCode: CustomStringConvertible {
  /// The name in gRPC's spelling.
  public var description: String { name }
}

extension StatusCode {
  /// What an HTTP answer without a `grpc-status` means (gRPC, "HTTP to gRPC Status Code Mapping").
  public init(httpStatus: Int) {
    switch httpStatus {
    case 400: self = .internalError
    case 401: self = .unauthenticated
    case 403: self = .permissionDenied
    case 404: self = .unimplemented
    case 429, 502, 503, 504: self = .unavailable
    default: self = .unknown
    }
  }

  /// The HTTP status that usually goes with the code (google/rpc/code.proto).
  public var httpStatus: Int {
    switch self {
    case .ok: 200
    case .invalidArgument, .failedPrecondition, .outOfRange: 400
    case .unauthenticated: 401
    case .permissionDenied: 403
    case .notFound: 404
    case .alreadyExists, .aborted: 409
    case .resourceExhausted: 429
    case .cancelled: 499
    case .unknown, .internalError, .dataLoss: 500
    case .unimplemented: 501
    case .unavailable: 503
    case .deadlineExceeded: 504
    }
  }
}
