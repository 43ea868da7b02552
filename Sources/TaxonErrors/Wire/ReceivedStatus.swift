// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

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
  /// From `retry-after`, which servers and proxies send as seconds or as a date (RFC 9110 §10.2.3).
  public var retryAfter: Duration?

  /// A status from its trailers. `.ok` is no failure and becomes `.unknown`.
  ///
  /// - Parameter now: Seconds since 1970, against which a date in `retryAfter` is read; without, a date says nothing.
  public init(
    code: StatusCode, message: String = "", details: [UInt8]? = nil, pushback: String? = nil, retryAfter: String? = nil,
    now: @autoclosure () -> Int64? = nil
  ) {
    self.code = code == .ok ? .unknown : code
    self.message = message
    self.details = details
    self.pushback = pushback.map { RetryPushback(header: $0) }
    self.retryAfter = retryAfter.flatMap { Self.seconds($0) ?? Self.seconds(untilDate: $0, now()) }
  }
}

extension ReceivedStatus {
  /// Digits alone. More seconds than there are stand for the most.
  private static func seconds(_ text: String) -> Duration? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
      return nil
    }
    return Int64(text).map { Duration.seconds($0).bounded } ?? .longest
  }

  private static func seconds(untilDate text: String, _ now: Int64?) -> Duration? {
    guard let now, let date = HTTPDate.seconds(text) else { return nil }
    return .seconds(max(date - now, 0)).bounded
  }
}

/// The error that a failed call amounts to, and what was wrong with how it arrived.
public struct Received<Failure: ErrorUnion>: Sendable {
  /// The error, as one of those that the method declares where it is one.
  public var error: Failure
  /// What the caller should log. Empty when all was well.
  public var notes: [WireNote]
}
