// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

/// Runs a body until it succeeds or its failure is to be the answer. For code outside of calls: a client's calls are
/// retried by their channel already.
///
/// ```swift
/// let reply = try await retrying { attempt in try await model.complete(prompt) }
/// ```
///
/// Throws the last failure; also when the task is cancelled during a pause.
///
/// - Parameters:
///   - isIdempotent: whether a second run does no harm even if the first had its effect.
///   - timeout: for all attempts and pauses; it cuts no attempt short.
///   - budget: shared by all calls to one endpoint.
///   - isRetryable: which failures are worth a retry; by default, those whose retry class says so. An error that is no
///     taxonomy error, and has no conversion to one, has no such class.
///   - onFailure: told each failure and what is done about it.
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
      var failure = RetryPolicy.Failure(RPCError.lift(error))
      if let isRetryable { failure.isRetryable = isRetryable(error) }
      let timeLeft = timeout.map { $0.bounded - start.duration(to: clock.now) }
      let decision = retrier.failed(failure, timeLeft: timeLeft, using: &generator)
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
