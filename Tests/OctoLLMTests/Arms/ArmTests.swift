// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon
import TaxonFixtures
import TaxonTesting
import Testing

@Suite struct ArmTests {
  @Test func anArmWithTheCapabilitiesDoesTheWork() async throws {
    let arms = ArmRegistry([.summariser, .calculator(), .lexicographer()])
    #expect(try await arms.carryOut(.valid("6 * 7", needs: ["arithmetic"])) == "42")
    #expect(try await arms.carryOut(.valid("One. Two three!")) == "3 words in 2 sentences: One")
    #expect(try await arms.carryOut(.valid("What is an arm?", needs: ["define"])).hasPrefix("arm: a part"))
  }

  @Test func withoutSuchAnArmNoneIsAvailable() async throws {
    let error = await execution([.summariser], .valid(needs: ["text", "vision"]))
    guard case .armUnavailable(let error) = error else { throw error ?? RPCError(.ok) }
    #expect(error.requiredCapabilities == ["text", "vision"])
    #expect(error.message == "No arm available with capabilities: text, vision")
    #expect(error.isRetrySafe)
  }

  @Test func aFullArmHasNoPlaceUntilATaskLeaves() async throws {
    let begun = Signal()
    let end = Signal()
    let arms = ArmRegistry([
      Arm("small", capabilities: [], capacity: 1) { _ in
        begun.send()
        await end.wait()
        return "done"
      }
    ])
    async let first = arms.carryOut(.valid())
    await begun.wait()
    let error = await failure(of: ResourceError.self) { try await arms.carryOut(.valid()) }
    guard case .capacityExceeded(let error) = error else { throw error ?? RPCError(.ok) }
    #expect(error.resource == "arm small" && error.capacity == 1)
    end.send()
    #expect(try await first == "done")
    #expect(try await arms.carryOut(.valid()) == "done")
  }

  @Test func theNextArmTakesWhatAFullOneCannot() async throws {
    let begun = Signal()
    let end = Signal()
    let arms = ArmRegistry([
      Arm("first", capabilities: [], capacity: 1) { _ in
        begun.send()
        await end.wait()
        return "first"
      },
      Arm("second", capabilities: []) { _ in "second" },
    ])
    async let first = arms.carryOut(.valid())
    await begun.wait()
    #expect(try await arms.carryOut(.valid()) == "second")
    end.send()
    #expect(try await first == "first")
  }

  @Test func anArmThatIsAskedTooOftenSaysWhenToComeBack() async throws {
    let clock = ManualClock()
    let limiter = RateLimiter(limit: 1, window: .seconds(60), clock: clock)
    let arm = Arm.calculator(limiter: limiter)
    #expect(await execution([arm], .valid("1")) == nil)
    clock.advance(by: .seconds(20))
    let error = await execution([arm], .valid("1"))
    guard case .rateLimit(let error) = error else { throw error ?? RPCError(.ok) }
    #expect(error.limit == 1 && error.window == 60)
    #expect(error.retryAfter == .seconds(40))
  }

  @Test func anArmThatTakesTooLongIsStopped() async throws {
    let arms = ArmRegistry([.endless], clock: ManualClock())
    let error = await failure(of: Orchestrator.ExecuteTaskError.self) { try await arms.carryOut(.valid(timeout: 7)) }
    guard case .timeout(let error) = error else { throw error ?? RPCError(.ok) }
    #expect(error.message == "Arm endless timed out after 7s")
  }

  @Test func whatIsNoSumIsInvalidInput() async throws {
    let error = await execution([.calculator()], .valid("1 +"))
    guard case .invalidInput(let error) = error else { throw error ?? RPCError(.ok) }
    #expect(error.field == "contract.description")
  }

  @Test func aWordThatIsNotThereIsTheThirdPartysError() async throws {
    let error = await execution([.lexicographer()], .valid("define snark"))
    guard case .thirdPartyAPI(let error) = error else { throw error ?? RPCError(.ok) }
    #expect(error.service == "lexicon" && error.statusCode == 404)
  }

  @Test func similarTasksAreFoundAndAFailingStoreIsAVectorDBError() async throws {
    let store = try TaskStore()
    let id = try await store.create(.valid("Count all octopuses in the sea")).taskID
    _ = try await store.create(.valid("Tidy up"))
    let arm = Arm.retriever(TaskIndex(store))
    let output = try await ArmRegistry([arm]).carryOut(.valid("octopuses in a tank"))
    #expect(output.hasPrefix(id))
    #expect(output.split(separator: "\n").count == 1)

    store.close()
    let error = await execution([arm], .valid("octopuses"))
    guard case .vectorDB(let error) = error else { throw error ?? RPCError(.ok) }
    #expect(error.operation == "query" && error.collection == "tasks")
    #expect(error.causes.isEmpty, "the cause is not a taxonomy error, and stays here")
    #expect(error.cause != nil)
  }

  private func execution(_ arms: [Arm], _ contract: TaskContract) async -> Orchestrator.ExecuteTaskError? {
    await failure { try await ArmRegistry(arms).carryOut(contract) }
  }
}
