// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

/// How often and after what pauses a failed call is tried again. Whether it may be is decided by the error and the method.
public struct RetryPolicy: Hashable, Sendable {
  /// Retries after the first attempt.
  public var maxRetries: Int
  /// The pauses when neither the server nor the error names one, and how a pause that an error names grows. Its cap bounds
  /// the latter too: when the server asks for a longer one the call ends at once, with the server's error.
  public var backoff: Backoff
  /// When retries stop because too many calls fail; nil for never.
  public var budget: RetryBudget.Settings?
  /// Whether a call that was refused with REFUSED_STREAM is repeated though its method is not idempotent; false by default.
  ///
  /// HTTP/2 promises that such a request was not processed (RFC 9113 §8.7), but the promise does not survive proxies:
  /// HAProxy 2.6 resets a stream with REFUSED_STREAM when the answer's headers are larger than its buffer, long after the
  /// server has done the work, and the call would run twice. Set it only where no proxy stands before the server. What is
  /// proven not to have been processed (it never left, or a GOAWAY names a lower last stream) is repeated in any case.
  public var repeatsRefusedStreams = false

  /// A policy; the defaults are those of OctoLLM's standard.
  public init(maxRetries: Int = 3, backoff: Backoff = Backoff(), budget: RetryBudget.Settings? = .init()) {
    self.maxRetries = max(0, maxRetries)
    self.backoff = backoff
    self.budget = budget
  }

  /// OctoLLM's standard: 3 retries, from 1 s by doubling to 60 s, jitter from 0.5 to 1.
  public static let standard = RetryPolicy()
  /// No retries.
  public static let none = RetryPolicy(maxRetries: 0, budget: nil)

  /// What to do after a failed attempt.
  ///
  /// - Parameters:
  ///   - attempt: the number of attempts that failed by now, this one included; transparent retries don't count.
  ///   - isIdempotent: whether a second call does no harm even if the first took effect.
  ///   - timeLeft: until the deadline, which spans all attempts.
  ///   - pushback: what the server says in `grpc-retry-pushback-ms`; by default, what the error carries of it.
  ///   - isTransparent: the server refused the stream before it processed it. The caller says so at most once a call for
  ///     streams that reached the server (gRPC A6).
  ///   - hasBudget: what the endpoint's `RetryBudget` says.
  public func decide(
    _ error: some TaxonomyError, attempt: Int, isIdempotent: Bool, timeLeft: Duration? = nil,
    pushback: RetryPushback? = nil, isTransparent: Bool = false, hasBudget: Bool = true,
    using generator: inout some RandomNumberGenerator
  ) -> RetryDecision {
    decide(
      error, isRetryable: error.isRetryable, pushback: pushback ?? error.pushback, attempt: attempt,
      isIdempotent: isIdempotent, timeLeft: timeLeft, isTransparent: isTransparent, hasBudget: hasBudget,
      using: &generator)
  }

  /// The same, with the caller's own decision about what may be retried.
  func decide(
    _ error: some TaxonomyError, isRetryable: Bool, pushback: RetryPushback?, attempt: Int, isIdempotent: Bool,
    timeLeft: Duration?, isTransparent: Bool, hasBudget: Bool, using generator: inout some RandomNumberGenerator
  ) -> RetryDecision {
    if isTransparent { return retry(after: .zero, .transparent, timeLeft: timeLeft) }
    if error.as(ConnectionError.CircuitOpen.self) != nil { return .stop(.circuitOpen) }
    guard isRetryable else { return .stop(.notRetryable(error.identity)) }
    if pushback == .stop { return .stop(.pushback) }
    guard isIdempotent || error.isRetrySafe else { return .stop(.notIdempotent) }
    guard attempt <= maxRetries else { return .stop(.attemptsExhausted(retries: maxRetries)) }
    guard hasBudget else { return .stop(.budgetExhausted) }
    let longest = max(.zero, backoff.cap.bounded)
    if case .after(let delay) = pushback {
      let delay = max(.zero, delay.bounded)
      if delay > longest { return .stop(.delayTooLong(needed: delay, longest: longest)) }
      return retry(after: delay, .pushback, timeLeft: timeLeft)
    }
    if let hint = error.retryAfter?.hint {
      if hint > longest { return .stop(.delayTooLong(needed: hint, longest: longest)) }
      let delay = backoff.delay(hint: hint, retry: attempt, using: &generator)
      // As early as the server allows is better than not at all.
      let isLate = timeLeft.map { delay >= $0 } ?? false
      return retry(after: isLate ? hint : delay, .hint, timeLeft: timeLeft)
    }
    return retry(after: backoff.delay(retry: attempt, using: &generator), .backoff, timeLeft: timeLeft)
  }

  private func retry(after delay: Duration, _ reason: RetryReason, timeLeft: Duration?) -> RetryDecision {
    if let timeLeft = timeLeft?.bounded, delay >= timeLeft {
      return .stop(.deadline(needed: delay, left: max(.zero, timeLeft)))
    }
    return .retry(after: delay, reason)
  }
}

extension TaxonomyError {
  /// The same call may succeed later.
  var isRetryable: Bool { retry == .transient || retry == .throttled }

  /// What the server says in `grpc-retry-pushback-ms`, unless RetryInfo says it too: then it is a hint, which grows, where
  /// a pushback is obeyed to the letter.
  var pushback: RetryPushback? { context.isPushbackRetryInfo ? nil : context.pushback }
}

/// Whether a failed attempt is followed by another, and why.
public enum RetryDecision: Hashable, Sendable {
  /// Try again after this long.
  case retry(after: Duration, RetryReason)
  /// The failure is final.
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
  /// The policy's: no other was named.
  case backoff
}

/// Why there is no retry.
public enum StopReason: Hashable, Sendable {
  /// The same call would fail in the same way.
  case notRetryable(ErrorIdentity)
  /// The call may have taken effect, and the method does not promise that a second one does no harm.
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
    case .notRetryable(let identity): "\(identity) would fail in the same way again"
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

/// Keeps retries from overloading an endpoint that fails: a bucket of tokens, from which each retryable failure takes
/// one and to which each success returns a part of one; at half or below there are no retries (gRPC A6, "Throttling
/// Retry Attempts").
public final class RetryBudget: Sendable {
  /// The size of the bucket and what refills it.
  public struct Settings: Hashable, Sendable {
    /// Tokens in a full bucket; from 1 to 1000.
    public var maxTokens: Double
    /// What a success gives back.
    public var tokenRatio: Double

    /// Settings; by default, retries stop after 50 failures without a success and 10 successes allow one more.
    public init(maxTokens: Double = 100, tokenRatio: Double = 0.1) {
      self.maxTokens = min(max(1, maxTokens), 1000)
      self.tokenRatio = max(0, tokenRatio)
    }
  }

  private let settings: Settings
  private let tokens: Locked<Double>

  /// A full bucket.
  public init(_ settings: Settings = Settings()) {
    self.settings = settings
    tokens = Locked(settings.maxTokens)
  }

  /// Takes a token for an attempt that failed with a retryable error, or that the server asked not to retry. True
  /// when there may be a retry.
  public func failed() -> Bool {
    tokens.withLock { tokens in
      tokens = max(0, tokens - 1)
      return tokens > settings.maxTokens / 2
    }
  }

  /// Gives a part of a token back for a call that succeeded.
  public func succeeded() {
    tokens.withLock { $0 = min(settings.maxTokens, $0 + settings.tokenRatio) }
  }
}
