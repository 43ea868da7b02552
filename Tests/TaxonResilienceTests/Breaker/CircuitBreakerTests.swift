// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonResilience
import TaxonTesting
import Testing

@Suite struct CircuitBreakerTests {
  let clock = ManualClock()
  let transitions = Log<CircuitBreaker.Transition>()

  private func makeBreaker(_ settings: CircuitBreaker.Settings = .init()) -> CircuitBreaker {
    CircuitBreaker(endpoint: "llm", settings: settings, clock: clock) { [transitions] in transitions.append($0) }
  }

  private func settle(_ breaker: CircuitBreaker, _ outcome: BreakerOutcome, times: Int = 1) throws {
    for _ in 0..<times { try breaker.acquire().settle(outcome) }
  }

  private func timeLeft(_ breaker: CircuitBreaker) -> Duration?? {
    do throws(ConnectionError.CircuitOpen) {
      try breaker.acquire().settle(.neutral)
      return nil
    } catch {
      return .some(error.retryAfter)
    }
  }

  @Test func opensAfterFiveFailuresInARow() throws {
    let breaker = makeBreaker()
    try settle(breaker, .failure, times: 4)
    #expect(breaker.state == .closed)
    try settle(breaker, .failure)
    #expect(breaker.state == .open)
    #expect(breaker.timeLeft == .seconds(60))
  }

  @Test func startsCountingAgainAfterASuccess() throws {
    let breaker = makeBreaker()
    try settle(breaker, .failure, times: 4)
    try settle(breaker, .success)
    try settle(breaker, .failure, times: 4)
    #expect(breaker.state == .closed)
  }

  @Test func countsNeutralOutcomesNowhere() throws {
    let breaker = makeBreaker()
    try settle(breaker, .failure, times: 4)
    try settle(breaker, .neutral, times: 100)
    #expect(breaker.state == .closed)
    try settle(breaker, .failure)
    #expect(breaker.state == .open)
  }

  @Test func rejectsWithTheDeclaredErrorAndTheTimeLeft() throws {
    let breaker = makeBreaker()
    try settle(breaker, .failure, times: 5)
    clock.advance(by: .seconds(18))
    do throws(ConnectionError.CircuitOpen) {
      try breaker.acquire().settle(.success)
      Issue.record("let through")
    } catch {
      #expect(error.code == "CIRCUIT_OPEN")
      #expect(error.endpoint == "llm")
      #expect(error.retryAfter == .seconds(42))
    }
  }

  @Test func letsOneProbeThroughWhenItsTimeIsOver() throws {
    let breaker = makeBreaker()
    try settle(breaker, .failure, times: 5)
    clock.advance(by: .seconds(60))
    let probe = try breaker.acquire()
    #expect(breaker.state == .halfOpen)
    #expect(timeLeft(breaker) == .some(nil))
    probe.settle(.success)
    #expect(breaker.state == .closed)
    #expect(timeLeft(breaker) == nil)
  }

  @Test func staysOpenUntilTheLastMoment() throws {
    let breaker = makeBreaker()
    try settle(breaker, .failure, times: 5)
    clock.advance(by: .seconds(60) - .nanoseconds(1))
    #expect(timeLeft(breaker) == .some(.nanoseconds(1)))
    clock.advance(by: .nanoseconds(1))
    #expect(timeLeft(breaker) == nil)
  }

  @Test func opensAgainForTheWholeTimeWhenTheProbeFails() throws {
    let breaker = makeBreaker()
    try settle(breaker, .failure, times: 5)
    clock.advance(by: .seconds(90))
    try settle(breaker, .failure)
    #expect(breaker.state == .open)
    #expect(breaker.timeLeft == .seconds(60))
  }

  @Test func neitherClosesNorOpensWhenTheProbeIsNeutral() throws {
    let breaker = makeBreaker()
    try settle(breaker, .failure, times: 5)
    clock.advance(by: .seconds(60))
    try settle(breaker, .neutral, times: 3)
    #expect(breaker.state == .halfOpen)
    try settle(breaker, .success)
    #expect(breaker.state == .closed)
  }

  @Test func givesBackThePermitOfAProbeThatIsDropped() throws {
    let breaker = makeBreaker()
    try settle(breaker, .failure, times: 5)
    clock.advance(by: .seconds(60))
    func drop() throws {
      let permit = try breaker.acquire()
      _ = consume permit
    }
    try drop()
    try drop()
    #expect(breaker.state == .halfOpen)
    #expect(timeLeft(breaker) == nil)
  }

  @Test func letsAsManyProbesThroughAsItIsTold() throws {
    let breaker = makeBreaker(.init(halfOpenPermits: 2))
    try settle(breaker, .failure, times: 5)
    clock.advance(by: .seconds(60))
    let first = try breaker.acquire()
    let second = try breaker.acquire()
    #expect(timeLeft(breaker) == .some(nil))
    first.settle(.neutral)
    let third = try breaker.acquire()
    #expect(timeLeft(breaker) == .some(nil))
    third.settle(.failure)
    #expect(breaker.state == .open)
    second.settle(.success)
    #expect(breaker.state == .open)
  }

  @Test func letsAnotherProbeThroughWhenOneHangsForTheOpenTime() throws {
    let breaker = makeBreaker()
    try settle(breaker, .failure, times: 5)
    clock.advance(by: .seconds(60))
    let hanging = try breaker.acquire()
    clock.advance(by: .seconds(59))
    #expect(timeLeft(breaker) == .some(nil))
    clock.advance(by: .seconds(1))
    let second = try breaker.acquire()
    // One for each open time, not one for each caller from then on.
    #expect(timeLeft(breaker) == .some(nil))
    second.settle(.success)
    #expect(breaker.state == .closed)
    hanging.settle(.failure)
    #expect(breaker.state == .closed)
  }

  @Test func closesForAProbeThatIsAnsweredWhileItGoesOn() throws {
    let breaker = makeBreaker(.init(failureThreshold: 1))
    try settle(breaker, .failure)
    clock.advance(by: .seconds(60))
    var stream = try breaker.acquire()
    stream.answered()
    #expect(breaker.state == .closed)
    // Its end counts as that of any call.
    stream.settle(.failure)
    #expect(breaker.state == .open)
  }

  @Test func takesAnAnswerForNothingUnlessItIsHalfOpen() throws {
    let breaker = makeBreaker(.init(failureThreshold: 2))
    try settle(breaker, .failure)
    var stream = try breaker.acquire()
    stream.answered()
    stream.settle(.failure)
    #expect(breaker.state == .open)
  }

  @Test func doesNotCountALateFailureFromBeforeItOpened() throws {
    let breaker = makeBreaker()
    let late = try breaker.acquire()
    try settle(breaker, .failure, times: 5)
    clock.advance(by: .seconds(60))
    let probe = try breaker.acquire()
    late.settle(.failure)
    #expect(breaker.state == .halfOpen)
    probe.settle(.success)
    #expect(breaker.state == .closed)
  }

  @Test func doesNotCloseForALateSuccessFromBeforeItOpened() throws {
    let breaker = makeBreaker()
    let first = try breaker.acquire()
    let second = try breaker.acquire()
    try settle(breaker, .failure, times: 5)
    first.settle(.success)
    #expect(breaker.state == .open)
    clock.advance(by: .seconds(60))
    let probe = try breaker.acquire()
    second.settle(.success)
    #expect(breaker.state == .halfOpen)
    probe.settle(.failure)
    #expect(breaker.state == .open)
  }

  @Test func doesNotLendALatePermitToAnotherHalfOpenTime() throws {
    let breaker = makeBreaker(.init(halfOpenPermits: 2))
    try settle(breaker, .failure, times: 5)
    clock.advance(by: .seconds(60))
    let first = try breaker.acquire()
    let second = try breaker.acquire()
    first.settle(.failure)
    clock.advance(by: .seconds(60))
    let third = try breaker.acquire()
    second.settle(.neutral)
    let fourth = try breaker.acquire()
    #expect(timeLeft(breaker) == .some(nil))
    third.settle(.success)
    fourth.settle(.success)
    #expect(breaker.state == .closed)
  }

  @Test func reportsEachChangeOfItsState() throws {
    let breaker = makeBreaker(.init(failureThreshold: 1, openDuration: .seconds(10)))
    try breaker.acquire().settle(throwing: RPCError(.unavailable))
    clock.advance(by: .seconds(10))
    try settle(breaker, .success)
    #expect(transitions.entries.map(\.from) == [.closed, .open, .halfOpen])
    #expect(transitions.entries.map(\.to) == [.open, .halfOpen, .closed])
    #expect(
      transitions.entries.map(\.description) == [
        "circuit breaker for llm: closed → open for 10.0 seconds after grpc.io/UNAVAILABLE",
        "circuit breaker for llm: open → half-open",
        "circuit breaker for llm: half-open → closed",
      ])
  }

  @Test func mayBeAskedByItsOwnHandler() throws {
    let states = Log<CircuitBreaker.State>()
    let box = Log<CircuitBreaker>()
    let breaker = CircuitBreaker(endpoint: "llm", settings: .init(failureThreshold: 1), clock: clock) { _ in
      states.append(box.entries[0].state)
    }
    box.append(breaker)
    try settle(breaker, .failure)
    #expect(states.entries == [.open])
    // The handler holds the box, and the box the breaker that holds the handler.
    box.removeAll()
  }

  @Test func raisesSettingsToTheirBounds() throws {
    let settings = CircuitBreaker.Settings(failureThreshold: 0, openDuration: .seconds(-1), halfOpenPermits: 0)
    #expect(settings == .init(failureThreshold: 1, openDuration: .zero, halfOpenPermits: 1))
  }

  @Test func losesNoPermitUnderConcurrentUse() async throws {
    let breaker = makeBreaker(.init(failureThreshold: 3, openDuration: .zero, halfOpenPermits: 2))
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        group.addTask {
          for round in 0..<2000 {
            guard let permit = try? breaker.acquire() else { continue }
            switch (task + round) % 4 {
            case 0: permit.settle(.success)
            case 1: permit.settle(.failure)
            case 2: permit.settle(.neutral)
            default: _ = consume permit
            }
          }
        }
      }
    }
    try settle(breaker, .success, times: 2)
    #expect(breaker.state == .closed)
  }
}
