// SPDX-License-Identifier: Apache-2.0
import TaxonErrors

/// Whether a failed attempt is followed by another, and why.
public enum RetryDecision: Hashable, Sendable {
  /// Try again after this long.
  case retry(after: Duration, RetryReason)
  /// The failure is the answer.
  case stop(StopReason)
}

/// Where the pause before a retry comes from.
public enum RetryReason: Hashable, Sendable {
  /// The server refused the stream before it did anything (gRPC A6, "Transparent Retries").
  case transparent
  /// The server named it in `grpc-retry-pushback-ms`.
  case pushback
  /// The error carries it: RetryInfo, or what its schema declares.
  case hint
  /// Nobody named one.
  case backoff
}

/// Why there is no retry.
public enum StopReason: Hashable, Sendable {
  /// The same call would fail in the same way.
  case notRetryable(ErrorIdentity)
  /// The call may have had its effect, and the method does not promise that a second one does no harm.
  case notIdempotent
  /// As many retries as the policy allows were made.
  case attemptsExhausted(retries: Int)
  /// Too many calls to the endpoint fail: retries would make it worse (gRPC A6, "Retry Throttling").
  case budgetExhausted
  /// The server asked for no retry.
  case pushback
  /// The server asks for a longer pause than the policy's longest.
  case delayTooLong(needed: Duration, longest: Duration)
  /// The head of the answer has been handed out (gRPC A6, "When Retries are Valid").
  case committed
  /// The next attempt would begin after the deadline.
  case deadline(needed: Duration, left: Duration)
  /// The endpoint's circuit breaker is open.
  case circuitOpen
}

extension RetryDecision: CustomStringConvertible {
  /// A phrase for logs, such as "retry in 3.0 seconds, as the error asks".
  public var description: String {
    switch self {
    case .retry(let delay, .transparent): "retry in \(delay), as the server refused the call before it did anything"
    case .retry(let delay, .pushback): "retry in \(delay), as the server asks"
    case .retry(let delay, .hint): "retry in \(delay), as the error asks"
    case .retry(let delay, .backoff): "retry in \(delay)"
    case .stop(let reason): "no retry: \(reason)"
    }
  }
}

extension StopReason: CustomStringConvertible {
  /// A phrase for logs, such as "the method is not idempotent".
  public var description: String {
    switch self {
    case .notRetryable(let identity): "\(identity) fails the same way again"
    case .notIdempotent: "the method is not idempotent and the call may have had its effect"
    case .attemptsExhausted(0): "the policy allows none"
    case .attemptsExhausted(let retries): "\(retries) retries were made"
    case .budgetExhausted: "too many calls fail"
    case .pushback: "the server asks for none"
    case .delayTooLong(let needed, let longest): "the server asks for \(needed), and the longest pause is \(longest)"
    case .committed: "the caller has the head of the answer"
    case .deadline(let needed, let left): "it would begin in \(needed), and the call has \(left) left"
    case .circuitOpen: "the circuit breaker is open"
    }
  }
}
