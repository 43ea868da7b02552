// SPDX-License-Identifier: Apache-2.0
import TaxonErrors

/// The retries of one call: counts its attempts, and asks the policy and the budget of its endpoint.
public struct Retrier {
  /// Attempts that failed by now; a stream that was refused and repeated transparently is none.
  public private(set) var failedAttempts = 0

  private let policy: RetryPolicy
  private let isIdempotent: Bool
  private let budget: RetryBudget?
  private var wasRepeated = false

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
  ///   - isRefused: the server refused the stream before it processed it. Such a stream is repeated once, whatever the
  ///     method and the error (gRPC A6, "Transparent Retries"); after that the error counts.
  public mutating func failed(
    _ error: some TaxonomyError, timeLeft: Duration? = nil, isRefused: Bool = false,
    using generator: inout some RandomNumberGenerator
  ) -> RetryDecision {
    failed(RetryPolicy.Failure(error), timeLeft: timeLeft, isRefused: isRefused, using: &generator)
  }

  /// What to do after an attempt failed, with a pause drawn from the system's random numbers.
  public mutating func failed(
    _ error: some TaxonomyError, timeLeft: Duration? = nil, isRefused: Bool = false
  ) -> RetryDecision {
    var generator = SystemGenerator()
    return failed(error, timeLeft: timeLeft, isRefused: isRefused, using: &generator)
  }

  mutating func failed(
    _ failure: RetryPolicy.Failure, timeLeft: Duration?, isRefused: Bool = false,
    using generator: inout some RandomNumberGenerator
  ) -> RetryDecision {
    let isTransparent = isRefused && !wasRepeated
    if isTransparent { wasRepeated = true } else { failedAttempts += 1 }
    // What no retry would mend says nothing about the endpoint and takes no token (gRPC A6).
    let takesToken = !isTransparent && (failure.isRetryable || failure.pushback == .stop)
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
