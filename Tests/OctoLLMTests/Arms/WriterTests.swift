// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon
import TaxonFixtures
import TaxonTesting
import Testing

@Suite struct WriterTests {
  /// Fails as often as it is told to.
  private final class Moody: LanguageModel {
    let provider = "moody"
    let failures: Locked<Int>
    let calls = Locked(0)
    init(failures: Int) { self.failures = Locked(failures) }

    func complete(_ prompt: String) async throws(ExternalError) -> String {
      calls.withLock { $0 += 1 }
      let fails = failures.withLock { rest in
        rest -= 1
        return rest >= 0
      }
      if fails { throw .llmAPI(provider: provider, statusCode: 529, errorMessage: "overloaded") }
      return prompt
    }
  }

  @Test func aFailingModelIsLeftInPeaceUntilItsTimeIsOver() async throws {
    let clock = ManualClock()
    let model = Moody(failures: 3)
    let breaker = CircuitBreaker(
      endpoint: "moody", settings: .init(failureThreshold: 3, openDuration: .seconds(30)), clock: clock)
    let arms = ArmRegistry([.writer(model, breaker: breaker)])
    for _ in 0..<3 {
      let error = await failure(of: ExternalError.self) { try await arms.carryOut(.valid()) }
      guard case .llmAPI(let error) = error else { throw error ?? RPCError(.ok) }
      #expect(error.statusCode == 529)
    }
    clock.advance(by: .seconds(10))
    let error = await failure(of: Orchestrator.ExecuteTaskError.self) { try await arms.carryOut(.valid()) }
    guard case .llmAPI(let error) = error else { throw error ?? RPCError(.ok) }
    #expect(error.errorMessage == "the provider is failing and is not asked")
    #expect(error.retryAfter == .seconds(20))
    #expect(error.causes.map(\.code) == ["CIRCUIT_OPEN"])
    #expect(model.calls.withLock { $0 } == 3)

    clock.advance(by: .seconds(20))
    #expect(try await arms.carryOut(.valid("hello")) == "hello")
    #expect(breaker.state == .closed)
  }

  @Test func aParrotSaysTheWordsAgain() async throws {
    #expect(try await Parrot(pace: .zero).complete("pieces  of eight") == "You say: pieces of eight")
  }

  @Test func aPromptThatIsTooLongIsTheProvidersError() async throws {
    let error = await failure(of: ExternalError.self) { try await Parrot(context: 2).complete("one two three") }
    guard case .llmAPI(let error) = error else { throw error ?? RPCError(.ok) }
    #expect(error.statusCode == 413)
  }

  @Test func aCallerWhoGivesUpIsNoFailureOfTheProvider() async throws {
    let breaker = CircuitBreaker(endpoint: "parrot", settings: .init(failureThreshold: 1))
    let arm = Arm.writer(Parrot(pace: .seconds(3600)), breaker: breaker)
    let task = Task { try await arm.work(.valid()) }
    task.cancel()
    let error = await failure(of: Orchestrator.ExecuteTaskError.self) { try await task.value }
    #expect(error?.status == .cancelled)
    #expect(breaker.state == .closed)
  }
}
