// SPDX-License-Identifier: Apache-2.0
import TaxonErrors

/// The retries of one call: counts its attempts, and asks the policy and the budget of its endpoint.
public struct Retrier {
  /// Attempts that failed by now; a stream that was refused and repeated transparently is none.
  public private(set) var failedAttempts = 0

  private let policy: RetryPolicy
  private let isIdempotent: Bool
  private let budget: RetryBudget?
  /// The last attempt was refused.
  private var wasRefused = false

  /// Retries of a call that is about to begin.
  ///
  /// - Parameters:
  ///   - isIdempotent: whether a second call does no harm even if the first had its effect.
  ///   - budget: shared by all calls to the endpoint; nil for none.
  public init(_ policy: RetryPolicy, isIdempotent: Bool, budget: RetryBudget? = nil) {
    self.policy = policy
    self.isIdempotent = isIdempotent
    self.budget = budget
  }

  /// What to do after an attempt failed.
  ///
  /// - Parameters:
  ///   - timeLeft: until the deadline, which spans all attempts.
  ///   - refusal: how it is known that the server did not process the attempt; nil when it may have. A first refusal takes
  ///     no token, and is repeated at once (gRPC A6, "Transparent Retries"): one that is proven whatever the method and
  ///     the error, REFUSED_STREAM as `RetryPolicy.repeatsRefusedStreams` says. A second one in a row counts as a failure
  ///     and is retried as one.
  public mutating func failed(
    _ error: some TaxonomyError, timeLeft: Duration? = nil, refusal: Refusal? = nil,
    using generator: inout some RandomNumberGenerator
  ) -> RetryDecision {
    failed(RetryPolicy.Failure(error), timeLeft: timeLeft, refusal: refusal, using: &generator)
  }

  /// What to do after an attempt failed, with a pause drawn from the system's random numbers.
  public mutating func failed(
    _ error: some TaxonomyError, timeLeft: Duration? = nil, refusal: Refusal? = nil
  ) -> RetryDecision {
    var generator = SystemGenerator()
    return failed(error, timeLeft: timeLeft, refusal: refusal, using: &generator)
  }

  mutating func failed(
    _ failure: RetryPolicy.Failure, timeLeft: Duration?, refusal: Refusal? = nil,
    using generator: inout some RandomNumberGenerator
  ) -> RetryDecision {
    let isFirstRefusal = refusal != nil && !wasRefused
    wasRefused = refusal != nil
    let isTransparent =
      isFirstRefusal && (refusal == .unprocessed || isIdempotent || policy.repeatsRefusedStreams)
    if !isTransparent { failedAttempts += 1 }
    var failure = failure
    if refusal == .unprocessed { failure.isSafe = true }
    // What no retry would mend says nothing about the endpoint and takes no token (gRPC A6).
    let takesToken = !isFirstRefusal && (failure.isRetryable || failure.pushback == .stop)
    let hasBudget = takesToken ? budget?.failed() ?? true : true
    return policy.decide(
      failure, attempt: failedAttempts, isIdempotent: isIdempotent, timeLeft: timeLeft, isTransparent: isTransparent,
      hasBudget: hasBudget, using: &generator)
  }

  /// Notes that the call succeeded.
  public func succeeded() {
    budget?.succeeded()
  }
}
