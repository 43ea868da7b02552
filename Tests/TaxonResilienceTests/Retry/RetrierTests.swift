// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonResilience
import Testing

@Suite struct RetrierTests {
  private let policy = RetryPolicy(backoff: Backoff(jitter: 1...1))
  private var generator = SeededGenerator()

  @Test mutating func countsTheAttemptsOfItsCall() throws {
    var retrier = Retrier(policy, isIdempotent: true)
    let error = try failure()
    var decisions: [RetryDecision] = []
    for _ in 1...4 { decisions.append(retrier.failed(error, using: &generator)) }
    #expect(
      decisions == [
        .retry(after: .seconds(1), .backoff), .retry(after: .seconds(2), .backoff),
        .retry(after: .seconds(4), .backoff),
        .stop(.attemptsExhausted(retries: 3)),
      ])
    #expect(retrier.failedAttempts == 4)
  }

  @Test mutating func repeatsARefusedStreamOnceWithoutCountingIt() throws {
    var retrier = Retrier(policy, isIdempotent: false)
    let refusal = ConnectionError.callRefused(endpoint: "arms", reason: "REFUSED_STREAM")
    let first = retrier.failed(refusal, refusal: .unprocessed, using: &generator)
    #expect(first == .retry(after: .zero, .transparent))
    #expect(retrier.failedAttempts == 0)
    let second = retrier.failed(refusal, refusal: .unprocessed, using: &generator)
    #expect(second == .retry(after: .seconds(1), .backoff))
    #expect(retrier.failedAttempts == 1)
  }

  @Test mutating func takesAResetForProofWhereARepeatDoesNoHarmAlone() throws {
    let error = try failure()
    var retrier = Retrier(policy, isIdempotent: true)
    #expect(retrier.failed(error, refusal: .refusedStream, using: &generator) == .retry(after: .zero, .transparent))
    retrier = Retrier(policy, isIdempotent: false)
    #expect(retrier.failed(error, refusal: .refusedStream, using: &generator) == .stop(.notIdempotent))
    var trusting = policy
    trusting.repeatsRefusedStreams = true
    retrier = Retrier(trusting, isIdempotent: false)
    #expect(retrier.failed(error, refusal: .refusedStream, using: &generator) == .retry(after: .zero, .transparent))
    #expect(retrier.failed(error, refusal: .refusedStream, using: &generator) == .stop(.notIdempotent))
  }

  @Test mutating func retriesASecondProvenRefusalOfAnyMethodAsAFailure() throws {
    let budget = RetryBudget(.init(maxTokens: 4, tokenRatio: 1))
    var retrier = Retrier(policy, isIdempotent: false, budget: budget)
    let error = try failure()
    #expect(retrier.failed(error, refusal: .unprocessed, using: &generator) == .retry(after: .zero, .transparent))
    #expect(
      retrier.failed(error, refusal: .unprocessed, using: &generator) == .retry(after: .seconds(1), .backoff))
    // The third in a row is one more of them, and takes the token that leaves half.
    #expect(retrier.failed(error, refusal: .unprocessed, using: &generator) == .stop(.budgetExhausted))
    #expect(retrier.failedAttempts == 2)
  }

  @Test mutating func takesNoTokenForWhatNoRetryWouldMendAndForARefusedStream() throws {
    let budget = RetryBudget(.init(maxTokens: 4, tokenRatio: 1))
    var retrier = Retrier(policy, isIdempotent: true, budget: budget)
    for _ in 0..<10 {
      _ = retrier.failed(CallError.methodNotFound(path: "/a/b"), using: &generator)
    }
    _ = retrier.failed(try failure(), refusal: .unprocessed, using: &generator)
    retrier = Retrier(policy, isIdempotent: true, budget: budget)
    let first = retrier.failed(try failure(), using: &generator)
    #expect(first == .retry(after: .seconds(1), .backoff))
    let second = retrier.failed(try failure(), using: &generator)
    #expect(second == .stop(.budgetExhausted))
    retrier.succeeded()
    retrier.succeeded()
    #expect(budget.failed())
  }

  @Test mutating func takesATokenWhenTheServerAsksForNoRetry() throws {
    let budget = RetryBudget(.init(maxTokens: 4, tokenRatio: 1))
    var retrier = Retrier(policy, isIdempotent: true, budget: budget)
    let decision = retrier.failed(try failure(retry: .never, pushback: "-1"), using: &generator)
    #expect(decision == .stop(.notRetryable(try failure().identity)))
    #expect(!budget.failed())
  }
}
