// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonResilience
import Testing

@Suite struct RetryDecisionTests {
  private let policy = RetryPolicy(backoff: Backoff(jitter: 1...1))

  private func decide(
    _ error: RPCError, attempt: Int = 1, isIdempotent: Bool = true, timeLeft: Duration? = nil,
    pushback: RetryPushback? = nil, isTransparent: Bool = false, hasBudget: Bool = true
  ) -> RetryDecision {
    var generator = SeededGenerator()
    return policy.decide(
      error, attempt: attempt, isIdempotent: isIdempotent, timeLeft: timeLeft, pushback: pushback,
      isTransparent: isTransparent, hasBudget: hasBudget, using: &generator)
  }

  @Test func retriesWhatIsTransientOrThrottled() throws {
    #expect(decide(try failure(retry: .transient)) == .retry(after: .seconds(1), .backoff))
    #expect(decide(try failure(retry: .throttled)) == .retry(after: .seconds(1), .backoff))
    let never = try failure(retry: .never)
    #expect(decide(never) == .stop(.notRetryable(never.identity)))
  }

  @Test func waitsLongerEachTimeAndStopsAfterThreeRetries() throws {
    let error = try failure()
    #expect(
      (1...4).map { decide(error, attempt: $0) } == [
        .retry(after: .seconds(1), .backoff), .retry(after: .seconds(2), .backoff),
        .retry(after: .seconds(4), .backoff),
        .stop(.attemptsExhausted(retries: 3)),
      ])
  }

  @Test func doesNotRepeatACallThatMayHaveHadItsEffect() throws {
    #expect(decide(try failure(), isIdempotent: false) == .stop(.notIdempotent))
  }

  @Test func repeatsAnyCallOfWhichNothingHappened() throws {
    #expect(decide(try failure(isRetrySafe: true), isIdempotent: false) == .retry(after: .seconds(1), .backoff))
  }

  @Test func takesThePauseFromThePushbackElseFromTheHintElseFromTheBackoff() throws {
    let hinted = try failure(retryAfter: .seconds(7))
    #expect(decide(hinted, pushback: .after(.seconds(3))) == .retry(after: .seconds(3), .pushback))
    #expect(decide(hinted) == .retry(after: .seconds(7), .hint))
    #expect(decide(try failure()) == .retry(after: .seconds(1), .backoff))
  }

  @Test func findsThePushbackThatCameWithTheError() throws {
    #expect(decide(try failure(pushback: "250")) == .retry(after: .milliseconds(250), .pushback))
    #expect(decide(try failure(pushback: "-1")) == .stop(.pushback))
  }

  @Test func stopsWhenTheServerAsksForNoRetry() throws {
    #expect(decide(try failure(isRetrySafe: true, retryAfter: .seconds(1)), pushback: .stop) == .stop(.pushback))
  }

  @Test func failsAtOnceWhenTheDeadlineLeavesNoRoom() throws {
    let hinted = try failure(retryAfter: .seconds(7))
    #expect(decide(hinted, timeLeft: .seconds(5)) == .stop(.deadline(needed: .seconds(7), left: .seconds(5))))
    #expect(decide(hinted, timeLeft: .seconds(7)) == .stop(.deadline(needed: .seconds(7), left: .seconds(7))))
    #expect(decide(hinted, timeLeft: .seconds(8)) == .retry(after: .seconds(7), .hint))
    #expect(
      decide(try failure(), timeLeft: .milliseconds(500))
        == .stop(.deadline(needed: .seconds(1), left: .milliseconds(500))))
    #expect(
      decide(try failure(), timeLeft: .seconds(-3), pushback: .after(.zero))
        == .stop(.deadline(needed: .zero, left: .zero)))
  }

  @Test func repeatsARefusedStreamAtOnceWhateverTheMethodAndTheError() throws {
    #expect(
      decide(try failure(retry: .never), attempt: 9, isIdempotent: false, isTransparent: true, hasBudget: false)
        == .retry(after: .zero, .transparent))
    #expect(
      decide(try failure(), timeLeft: .zero, isTransparent: true) == .stop(.deadline(needed: .zero, left: .zero)))
  }

  @Test func stopsWhenTheBudgetIsSpent() throws {
    #expect(decide(try failure(), hasBudget: false) == .stop(.budgetExhausted))
  }

  @Test func doesNotRetryAgainstAnOpenBreaker() {
    let error = RPCError(ConnectionError.CircuitOpen(endpoint: "llm", retryAfter: .seconds(1)))
    #expect(decide(error) == .stop(.circuitOpen))
  }

  @Test func retriesNothingWithoutAPolicy() throws {
    var generator = SeededGenerator()
    let decision = RetryPolicy.none.decide(try failure(), attempt: 1, isIdempotent: true, using: &generator)
    #expect(decision == .stop(.attemptsExhausted(retries: 0)))
  }

  @Test func saysWhyToPeople() throws {
    let error = try failure()
    #expect("\(decide(error))" == "retry in 1.0 seconds")
    #expect("\(decide(try failure(retryAfter: .seconds(7))))" == "retry in 7.0 seconds, as the error asks")
    #expect(
      "\(decide(error, timeLeft: .zero))"
        == "no retry: it would begin in 1.0 seconds, and the call has 0.0 seconds left")
    #expect("\(decide(try failure(retry: .never)))" == "no retry: test.dev/FAILED would fail in the same way again")
    #expect("\(RetryDecision.stop(.attemptsExhausted(retries: 3)))" == "no retry: 3 retries were made")
  }

  @Test func hasTheNumbersOfTheStandard() {
    #expect(RetryPolicy.standard.maxRetries == 3)
    #expect(RetryPolicy.standard.backoff == Backoff(base: .seconds(1), factor: 2, cap: .seconds(60), jitter: 0.5...1))
    #expect(CallPolicy.standard.breaker == .init(failureThreshold: 5, openDuration: .seconds(60), halfOpenPermits: 1))
    #expect(CallPolicy.none.breaker == nil)
    #expect(CallPolicy.none.retry.maxRetries == 0)
  }
}
