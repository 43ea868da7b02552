// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

/// The retries of one call: counts its attempts, and asks the policy and the budget of its endpoint.
public struct Retrier {
  /// Attempts that have failed; a stream that was refused and repeated transparently does not count.
  public private(set) var failedAttempts = 0

  private let policy: RetryPolicy
  private let isIdempotent: Bool
  private let budget: RetryBudget?
  /// The last attempt was refused.
  private var wasRefused = false

  /// Retries of a call that is about to begin.
  ///
  /// - Parameters:
  ///   - isIdempotent: whether a second call does no harm even if the first took effect.
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
    failed(error, isRetryable: error.isRetryable, timeLeft: timeLeft, refusal: refusal, using: &generator)
  }

  /// What to do after an attempt failed, with a pause drawn from the system's random numbers.
  public mutating func failed(
    _ error: some TaxonomyError, timeLeft: Duration? = nil, refusal: Refusal? = nil
  ) -> RetryDecision {
    var generator = SystemGenerator()
    return failed(error, timeLeft: timeLeft, refusal: refusal, using: &generator)
  }

  mutating func failed(
    _ error: some TaxonomyError, isRetryable: Bool, timeLeft: Duration?, refusal: Refusal? = nil,
    using generator: inout some RandomNumberGenerator
  ) -> RetryDecision {
    let isFirstRefusal = refusal != nil && !wasRefused
    wasRefused = refusal != nil
    let isTransparent =
      isFirstRefusal && (refusal == .unprocessed || isIdempotent || policy.repeatsRefusedStreams)
    if !isTransparent { failedAttempts += 1 }
    let pushback = error.pushback
    // A failure that no retry would mend says nothing about the endpoint and takes no token (gRPC A6).
    let takesToken = !isFirstRefusal && (isRetryable || pushback == .stop)
    let hasBudget = takesToken ? budget?.failed() ?? true : true
    return policy.decide(
      error, isRetryable: isRetryable, pushback: pushback, attempt: failedAttempts,
      // What the server did not process has had no effect.
      isIdempotent: isIdempotent || refusal == .unprocessed, timeLeft: timeLeft, isTransparent: isTransparent,
      hasBudget: hasBudget, using: &generator)
  }

  /// Notes that the call succeeded.
  public func succeeded() {
    budget?.succeeded()
  }
}

/// Runs a body until it succeeds or its failure is final. For code outside of calls: a client's calls are retried by
/// their channel already.
///
/// ```swift
/// let reply = try await retrying { attempt in try await model.complete(prompt) }
/// ```
///
/// Throws the last failure; also when the task is cancelled during a pause.
///
/// - Parameters:
///   - isIdempotent: whether a second run does no harm even if the first took effect.
///   - timeout: for all attempts and pauses; it cuts no attempt short.
///   - budget: shared by all calls to one endpoint.
///   - isRetryable: which failures are worth a retry; by default, those whose retry class says so. An error that is not
///     a taxonomy error and cannot be converted to one has no such class.
///   - onFailure: called with each failure and the decision about it.
///   - body: gets the number of the attempt, the first being 1.
@discardableResult
public nonisolated(nonsending) func retrying<T, Failure: Error>(
  _ policy: RetryPolicy = .standard, clock: some Clock<Duration> = ContinuousClock(), isIdempotent: Bool = true,
  timeout: Duration? = nil, budget: RetryBudget? = nil, on isRetryable: ((Failure) -> Bool)? = nil,
  onFailure: (Failure, RetryDecision) -> Void = { _, _ in }, _ body: (_ attempt: Int) async throws(Failure) -> T
) async throws(Failure) -> T {
  var generator = SystemGenerator()
  return try await retrying(
    policy, clock: clock, isIdempotent: isIdempotent, timeout: timeout, budget: budget, on: isRetryable,
    onFailure: onFailure, using: &generator, body)
}

/// Runs a body until it succeeds or its failure is to be the answer, with a random number generator of the caller's.
@discardableResult
public nonisolated(nonsending) func retrying<T, Failure: Error, C: Clock<Duration>>(
  _ policy: RetryPolicy = .standard, clock: C, isIdempotent: Bool = true, timeout: Duration? = nil,
  budget: RetryBudget? = nil, on isRetryable: ((Failure) -> Bool)? = nil,
  onFailure: (Failure, RetryDecision) -> Void = { _, _ in }, using generator: inout some RandomNumberGenerator,
  _ body: (_ attempt: Int) async throws(Failure) -> T
) async throws(Failure) -> T {
  let start = clock.now
  var retrier = Retrier(policy, isIdempotent: isIdempotent, budget: budget)
  while true {
    do {
      let value = try await body(retrier.failedAttempts + 1)
      retrier.succeeded()
      return value
    } catch {
      let failure = RPCError.lift(error)
      let timeLeft = timeout.map { $0.bounded - start.duration(to: clock.now) }
      let decision = retrier.failed(
        failure, isRetryable: isRetryable?(error) ?? failure.isRetryable, timeLeft: timeLeft, using: &generator)
      onFailure(error, decision)
      guard case .retry(let delay, _) = decision else { throw error }
      do {
        try await clock.sleep(until: clock.now.advanced(by: delay), tolerance: nil)
      } catch _ {
        throw error
      }
    }
  }
}

/// The system's random numbers. It has a field because the thread sanitizer confuses the addresses of empty values that
/// are passed inout with others.
struct SystemGenerator: RandomNumberGenerator {
  private var count: UInt64 = 0

  mutating func next() -> UInt64 {
    count &+= 1
    var generator = SystemRandomNumberGenerator()
    return generator.next()
  }
}
