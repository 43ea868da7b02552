// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import TaxonResilience
import Testing

/// Pauses that a server or an error asks for.
@Suite struct RetryHintDelayTests {
  private func decide(
    _ error: RPCError, by policy: RetryPolicy = RetryPolicy(maxRetries: 100), attempt: Int = 1,
    timeLeft: Duration? = nil, pushback: RetryPushback? = nil,
    using generator: inout SeededGenerator
  ) -> RetryDecision {
    policy.decide(
      error, attempt: attempt, isIdempotent: true, timeLeft: timeLeft, pushback: pushback, using: &generator)
  }

  private func delays(_ policy: RetryPolicy, _ hint: Duration, attempt: Int) throws -> [Duration] {
    var generator = SeededGenerator()
    let error = try failure(retryAfter: hint)
    return try (0..<500).map { _ in
      guard case .retry(let delay, .hint) = decide(error, by: policy, attempt: attempt, using: &generator) else {
        throw ForeignError()
      }
      return delay
    }
  }

  @Test func aHintGrowsFromAttemptToAttemptUpToTheCap() throws {
    let steady = RetryPolicy(maxRetries: 100, backoff: Backoff(jitter: 1...1))
    let first = try (1...11).map { try delays(steady, .milliseconds(100), attempt: $0)[0] / .seconds(1) }
    let expected = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 60]
    for (delay, wanted) in zip(first, expected) { #expect(abs(delay - wanted) < 1e-9) }
  }

  @Test func aHintHasJitterUpwardsAlone() throws {
    let policy = RetryPolicy(maxRetries: 100)
    let first = try delays(policy, .milliseconds(100), attempt: 1)
    #expect(first.allSatisfy { $0 >= .milliseconds(100) && $0 <= .milliseconds(150) })
    #expect(first.min()! < .milliseconds(102) && first.max()! > .milliseconds(148))
    // At the cap too, so that clients do not return together.
    let last = try delays(policy, .milliseconds(100), attempt: 50)
    #expect(last.allSatisfy { $0 >= .seconds(40) && $0 <= .seconds(60) })
    #expect(last.min()! < .seconds(41) && last.max()! > .seconds(59))
    let near = try delays(policy, .seconds(59), attempt: 1)
    #expect(near.allSatisfy { $0 >= .seconds(59) && $0 <= .seconds(60) })
    #expect(try delays(policy, .seconds(60), attempt: 3).allSatisfy { $0 == .seconds(60) })
  }

  @Test(arguments: [Duration.seconds(61), .seconds(10_000_000_000), .seconds(Int64.max)])
  func aHintBeyondTheLongestPauseEndsTheCall(_ hint: Duration) throws {
    var generator = SeededGenerator()
    let error = try failure(retryAfter: hint)
    let expected = RetryDecision.stop(.delayTooLong(needed: min(hint, .longest), longest: .seconds(60)))
    #expect(decide(error, using: &generator) == expected)
    #expect(decide(try failure(), pushback: .after(hint), using: &generator) == expected)
    // Another policy would wait.
    let patient = RetryPolicy(backoff: Backoff(cap: .seconds(Int64.max)))
    guard case .retry(let delay, .hint) = decide(error, by: patient, using: &generator) else {
      Issue.record("no retry")
      return
    }
    #expect(delay >= min(hint, .longest) && delay <= .longest)
  }

  @Test func noTimeAndLessIsNoHint() throws {
    var generator = SeededGenerator()
    for hint in [Duration.zero, .seconds(-5), .seconds(Int64.min)] {
      guard case .retry(let delay, .backoff) = decide(try failure(retryAfter: hint), using: &generator) else {
        Issue.record("no backoff")
        continue
      }
      #expect(delay >= .milliseconds(500))
    }
  }

  @Test func aHintThatFitsTheDeadlineIsKeptThoughItsGrowthDoesNot() throws {
    var generator = SeededGenerator()
    let error = try failure(retryAfter: .seconds(7))
    #expect(decide(error, attempt: 3, timeLeft: .seconds(8), using: &generator) == .retry(after: .seconds(7), .hint))
    #expect(
      decide(error, attempt: 3, timeLeft: .seconds(7), using: &generator)
        == .stop(.deadline(needed: .seconds(7), left: .seconds(7))))
  }

  @Test func aPushbackIsObeyedToTheLetter() throws {
    var generator = SeededGenerator()
    #expect(
      decide(try failure(pushback: "250"), attempt: 3, using: &generator)
        == .retry(after: .milliseconds(250), .pushback))
    #expect(decide(try failure(pushback: "0"), attempt: 3, using: &generator) == .retry(after: .zero, .pushback))
    #expect(decide(try failure(pushback: "-1"), using: &generator) == .stop(.pushback))
  }

  @Test func aServersRetryInfoThatIsAlsoItsPushbackGrows() throws {
    // As a server of Taxon writes it: both say 250 ms.
    let wire = WireStatus(RPCError(.unavailable).retryAfter(.milliseconds(250)))
    let error = RPCError.received(
      ReceivedStatus(code: wire.code, details: wire.details, pushback: wire.retryPushback.map(String.init))
    ).error
    #expect(error.context.pushback == .after(.milliseconds(250)))
    var generator = SeededGenerator()
    let steady = RetryPolicy(backoff: Backoff(jitter: 1...1))
    #expect(decide(error, by: steady, attempt: 3, using: &generator) == .retry(after: .seconds(1), .hint))
  }

  @Test(arguments: [
    Backoff(base: .seconds(1e20), factor: .infinity, cap: .seconds(1e20), jitter: 0...(.infinity)),
    Backoff(factor: .nan, jitter: (.infinity)...(.infinity)), Backoff(factor: 1 + .ulpOfOne, cap: .seconds(Int64.max)),
    Backoff(base: .zero - .seconds(1e20), factor: -.infinity, cap: .zero - .seconds(1e20)),
  ])
  func anyBackoffYieldsAPauseInBounds(_ backoff: Backoff) {
    var generator = SeededGenerator()
    var changed = backoff
    changed.base = .seconds(1e20)
    changed.cap = .seconds(1e20)
    changed.factor = .nan
    changed.jitter = (-Double.infinity)...(.infinity)
    for backoff in [backoff, changed] {
      for retry in [Int.min, 0, 1, 2, 1000, .max] {
        let delay = backoff.delay(retry: retry, using: &generator)
        #expect(delay >= .zero && delay <= .longest)
      }
    }
  }

  @Test func aBreakersSettingsAreBroughtIntoBounds() throws {
    var settings = CircuitBreaker.Settings(failureThreshold: 1)
    settings.openDuration = .seconds(1e20)
    let breaker = CircuitBreaker(endpoint: "x", settings: settings)
    try breaker.acquire().settle(.failure)
    do throws(ConnectionError.CircuitOpen) {
      try breaker.acquire().settle(.neutral)
      Issue.record("not open")
    } catch {
      #expect(error.retryAfter.map { $0 > .seconds(300_000_000_000) } == true)
      #expect(WireStatus(error).retryPushback == Int64(Int32.max))
    }
  }
}
