// SPDX-License-Identifier: Apache-2.0

/// A failed call as it arrived.
public struct ReceivedStatus: Hashable, Sendable {
  /// From `grpc-status`.
  public var code: StatusCode
  /// From `grpc-message`, percent-decoded.
  public var message: String
  /// From `grpc-status-details-bin`, base64-decoded; nil when there is none.
  public var details: [UInt8]?
  /// From `grpc-retry-pushback-ms`.
  public var pushback: RetryPushback?

  /// A status from its trailers. `.ok` is no failure and becomes `.unknown`.
  public init(code: StatusCode, message: String = "", details: [UInt8]? = nil, pushback: String? = nil) {
    self.code = code == .ok ? .unknown : code
    self.message = message
    self.details = details
    self.pushback = pushback.map { RetryPushback(header: $0) }
  }
}

/// The error that a failed call amounts to, and what was wrong with how it arrived.
public struct Received<Failure: ErrorUnion>: Sendable {
  /// The error, as one of those that the method declares where it is one.
  public var error: Failure
  /// What the caller should log. Empty when all was well.
  public var notes: [WireNote]
}
