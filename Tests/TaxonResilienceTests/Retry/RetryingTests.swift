// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonResilience
import TaxonTesting
import Testing

@Suite struct RetryingTests {
  let clock = ManualClock()
  let policy = RetryPolicy(backoff: Backoff(jitter: 1...1))

  @Test func runsUntilItSucceeds() async throws {
    let attempts = Log<Int>()
    let value = try await retrying(policy, clock: clock) { attempt in
      attempts.append(attempt)
      if attempt < 3 { throw try failure() }
      return 42
    }
    #expect(value == 42)
    #expect(attempts.entries == [1, 2, 3])
    #expect(clock.sleeps == [.seconds(1), .seconds(2)])
  }

  @Test func throwsTheLastFailureInItsType() async throws {
    var count = 0
    do throws(ConnectionError) {
      try await retrying(policy, clock: clock) { attempt throws(ConnectionError) in
        count = attempt
        throw .callRefused(endpoint: "arms", reason: "\(attempt)")
      }
      Issue.record("nothing was thrown")
    } catch {
      #expect(error.as(ConnectionError.CallRefused.self)?.reason == "4")
    }
    #expect(count == 4)
    #expect(clock.sleeps == [.seconds(1), .seconds(2), .seconds(4)])
  }

  @Test func doesNotRetryWhatFailsTheSameWayAgain() async throws {
    await #expect(throws: CallError.methodNotFound(path: "/a/b")) {
      try await retrying(policy, clock: clock) { _ in throw CallError.methodNotFound(path: "/a/b") }
    }
    #expect(clock.sleeps.isEmpty)
  }

  @Test func doesNotRetryForeignErrorsUnlessToldWhich() async throws {
    await #expect(throws: ForeignError()) {
      try await retrying(policy, clock: clock) { _ in throw ForeignError() }
    }
    #expect(clock.sleeps.isEmpty)
    let value = try await retrying(policy, clock: clock, on: { ($0 as? ForeignError)?.number == 1 }) { attempt in
      if attempt == 1 { throw ForeignError(number: 1) }
      return attempt
    }
    #expect(value == 2)
  }

  @Test func repeatsOnlyWhatIsSafeWhenASecondRunDoesHarm() async throws {
    await #expect(throws: RPCError.self) {
      try await retrying(policy, clock: clock, isIdempotent: false) { attempt in
        throw try failure(isRetrySafe: attempt == 1)
      }
    }
    #expect(clock.sleeps.count == 1)
  }

  @Test func stopsWhenThePauseWouldEndAfterTheTimeout() async throws {
    let decisions = Log<RetryDecision>()
    await #expect(throws: RPCError.self) {
      try await retrying(
        policy, clock: clock, timeout: .seconds(5), onFailure: { _, decision in decisions.append(decision) }
      ) { _ in
        clock.advance(by: .seconds(1))
        throw try failure()
      }
    }
    #expect(
      decisions.entries == [
        .retry(after: .seconds(1), .backoff), .stop(.deadline(needed: .seconds(2), left: .seconds(2))),
      ])
  }

  @Test func throwsTheLastFailureWhenItIsCancelledDuringAPause() async throws {
    let task = Task {
      try await retrying(policy, clock: ManualClock(onSleep: { withUnsafeCurrentTask { $0?.cancel() } })) { _ in
        throw CallError.lift(try failure())
      }
    }
    await #expect(throws: CallError.self) { try await task.value }
  }

  @Test func asksTheBudgetItSharesWithOthers() async throws {
    let budget = RetryBudget(.init(maxTokens: 4, tokenRatio: 1))
    await #expect(throws: RPCError.self) {
      try await retrying(policy, clock: clock, budget: budget) { _ in throw try failure() }
    }
    #expect(clock.sleeps.count == 1)
    await retrying(policy, clock: clock, budget: budget) { _ in }
    await retrying(policy, clock: clock, budget: budget) { _ in }
    #expect(budget.failed())
  }

  @Test func drawsThePausesFromTheGeneratorItIsGiven() async throws {
    var generator = SeededGenerator()
    var same = SeededGenerator()
    try await retrying(.standard, clock: clock, using: &generator) { attempt in
      if attempt == 1 { throw try failure() }
    }
    #expect(clock.sleeps == [Backoff().delay(retry: 1, using: &same)])
  }
}
