// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonResilience
import TaxonTesting
import Testing

@Suite struct CircuitBreakerCallTests {
  let clock = ManualClock()

  private func makeBreaker() -> CircuitBreaker {
    CircuitBreaker(endpoint: "llm", settings: .init(failureThreshold: 1, openDuration: .seconds(10)), clock: clock)
  }

  @Test func returnsWhatTheCallReturnsAndThrowsWhatItThrows() async throws {
    let breaker = makeBreaker()
    #expect(try await breaker.call { 42 } == 42)
    await #expect(throws: ForeignError(number: 1)) { try await breaker.call { throw ForeignError(number: 1) } }
    #expect(breaker.state == .open)
  }

  @Test func doesNotMakeACallWhileItIsOpen() async throws {
    let breaker = makeBreaker()
    try breaker.acquire().settle(.failure)
    clock.advance(by: .seconds(4))
    do {
      try await breaker.call { Issue.record("called") }
      Issue.record("nothing was thrown")
    } catch let error as ConnectionError.CircuitOpen {
      #expect(error.retryAfter == .seconds(6))
    }
  }

  @Test func rejectsInTheTypeOfTheCall() async throws {
    let breaker = makeBreaker()
    try breaker.acquire().settle(.failure)
    do throws(CallError) {
      try await breaker.call { () async throws(CallError) in throw CallError.deadlineExceeded() }
      Issue.record("nothing was thrown")
    } catch {
      #expect(error.as(ConnectionError.CircuitOpen.self)?.endpoint == "llm")
      #expect(error.code == "CIRCUIT_OPEN")
    }
  }

  @Test func staysClosedForErrorsOfTheCaller() async throws {
    let breaker = makeBreaker()
    await #expect(throws: CallError.self) {
      try await breaker.call { () async throws(CallError) in throw CallError.methodNotFound(path: "/a/b") }
    }
    #expect(breaker.state == .closed)
  }

  @Test func neitherClosesNorOpensWhenAProbeIsCancelled() async throws {
    let breaker = makeBreaker()
    try breaker.acquire().settle(.failure)
    clock.advance(by: .seconds(10))
    await #expect(throws: CancellationError.self) { try await breaker.call { throw CancellationError() } }
    #expect(breaker.state == .halfOpen)
    try await breaker.call {}
    #expect(breaker.state == .closed)
  }

  @Test func readsTheOutcomeFromTheError() throws {
    #expect(BreakerOutcome(ForeignError()) == .failure)
    #expect(BreakerOutcome(CancellationError()) == .neutral)
    #expect(BreakerOutcome(RPCError.cancelled) == .neutral)
    #expect(BreakerOutcome(RPCError(.unavailable)) == .failure)
    #expect(BreakerOutcome(RPCError(.notFound)) == .neutral)
    #expect(BreakerOutcome(try failure(breaker: .success)) == .success)
    #expect(BreakerOutcome(ConnectionError.circuitOpen(endpoint: "llm")) == .neutral)
    #expect(BreakerOutcome(CallError.deadlineExceeded()) == .failure)
  }
}
