// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon
import TaxonFixtures
import Testing

@Suite struct ExecutionTests {
  @Test func anExecutedTaskIsCompletedWithItsOutput() async throws {
    let (service, id) = try await task(.valid("6 * 7", needs: ["arithmetic"]), [.calculator()])
    let task = try await service.executeTask(.init(taskID: id), context: .init())
    #expect(task.output == "42")
    #expect(task.history.map(\.status) == [.pending, .running, .completed])
    #expect(try await service.executeTask(.init(taskID: id), context: .init()) == task, "it is not done twice")
  }

  @Test func aTaskWhoseArmFailsIsFailedAndSaysWhy() async throws {
    let (service, id) = try await task(.valid("define snark"), [.lexicographer()])
    do {
      _ = try await service.executeTask(.init(taskID: id), context: .init())
      Issue.record("executed")
    } catch .thirdPartyAPI(let error) {
      #expect(error.service == "lexicon")
    }
    let after = try await service.getTask(.init(taskID: id), context: .init())
    #expect(after.history.last?.status == .failed)
    #expect(after.history.last?.errorCode == "THIRD_PARTY_API_ERROR")
  }

  @Test func aTaskWithWhichNothingHappenedWaitsAgain() async throws {
    let (service, id) = try await task(.valid(needs: ["vision"]), [.summariser])
    do {
      _ = try await service.executeTask(.init(taskID: id), context: .init())
      Issue.record("executed")
    } catch .armUnavailable {
    }
    let after = try await service.getTask(.init(taskID: id), context: .init())
    #expect(after.status == .pending)
    #expect(after.history.last?.errorCode == "ARM_UNAVAILABLE")
  }

  @Test func whatAnArmThrowsUndeclaredIsOtherAndKeepsItsCause() async throws {
    struct Surprise: Error {}
    let (service, id) = try await task(.valid(), [Arm("odd", capabilities: []) { _ in throw Surprise() }])
    do {
      _ = try await service.executeTask(.init(taskID: id), context: .init())
      Issue.record("executed")
    } catch .other(let error) {
      #expect(error.code == "INTERNAL_ERROR")
      #expect(error.cause is Surprise)
    }
  }

  @Test func aTaskThatRunsOrIsCancelledCannotBeExecuted() async throws {
    let (service, id) = try await task(.valid(), [.summariser])
    _ = try await service.updateTaskStatus(.init(taskID: id, status: .running), context: .init())
    do {
      _ = try await service.executeTask(.init(taskID: id), context: .init())
      Issue.record("executed")
    } catch .capacityExceeded(let error) {
      #expect(error.resource == "task \(id)")
    }
    _ = try await service.updateTaskStatus(.init(taskID: id, status: .cancelled), context: .init())
    do {
      _ = try await service.executeTask(.init(taskID: id), context: .init())
      Issue.record("executed")
    } catch .invalidInput(let error) {
      #expect(error.field == "task_id")
    }
  }

  @Test func aTaskThatIsGivenUpWaitsAgain() async throws {
    let begun = Signal()
    let arm = Arm("slow", capabilities: []) { _ in
      begun.send()
      await untilCancelled()
      throw CancellationError()
    }
    let (service, id) = try await task(.valid(), [arm])
    let execution = Task { try await service.executeTask(.init(taskID: id), context: .init()) }
    await begun.wait()
    execution.cancel()
    let error = await failure(of: Orchestrator.ExecuteTaskError.self) { try await execution.value }
    #expect(error?.status == .cancelled)
    #expect(try await service.getTask(.init(taskID: id), context: .init()).status == .pending)
  }

  @Test func whatSomebodyCancelsMeanwhileStaysCancelled() async throws {
    let begun = Signal()
    let end = Signal()
    let arm = Arm("slow", capabilities: []) { _ in
      begun.send()
      await end.wait()
      return "done"
    }
    let (service, id) = try await task(.valid(), [arm])
    async let execution = service.executeTask(.init(taskID: id), context: .init())
    await begun.wait()
    _ = try await service.updateTaskStatus(.init(taskID: id, status: .cancelled), context: .init())
    end.send()
    #expect(try await execution.status == .cancelled)
  }

  private func task(_ contract: TaskContract, _ arms: [Arm]) async throws -> (OrchestratorService, String) {
    let service = OrchestratorService.quietly(try TaskStore(), arms: arms)
    return (service, try await service.createTask(.init(contract: contract), context: .init()).taskID)
  }
}
