// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon
import Testing

/// The orchestrator's methods, called without a server.
@Suite struct OrchestratorServiceTests {
  @Test func aTaskIsCreatedFoundAndListed() async throws {
    let service = OrchestratorService.quietly(try TaskStore())
    let task = try await service.createTask(.init(contract: .valid()), context: .init())
    #expect(try await service.getTask(.init(taskID: task.taskID), context: .init()) == task)
    #expect(try await service.listTasks(.init(), context: .init()) == .init(tasks: [task]))
  }

  @Test func aTaskThatIsNotThereIsNotFound() async throws {
    let service = OrchestratorService.quietly(try TaskStore())
    do {
      _ = try await service.getTask(.init(taskID: "42"), context: .init())
      Issue.record("found")
    } catch .taskNotFound(let error) {
      #expect(error.taskID == "42")
    }
  }

  @Test func pagesAreChainedByTheirTokens() async throws {
    let service = OrchestratorService.quietly(try TaskStore())
    for _ in 0..<3 { _ = try await service.createTask(.init(contract: .valid()), context: .init()) }
    let first = try await service.listTasks(.init(status: .pending, pageSize: 2), context: .init())
    let second = try await service.listTasks(
      .init(status: .pending, pageSize: 2, pageToken: first.nextPageToken), context: .init())
    #expect(first.tasks.count == 2 && second.tasks.count == 1)
    #expect(second.nextPageToken.isEmpty)
  }

  @Test func aStatusThatIsThereAlreadyChangesNothing() async throws {
    let service = OrchestratorService.quietly(try TaskStore())
    let task = try await service.createTask(.init(contract: .valid()), context: .init())
    for _ in 0..<2 {
      let updated = try await service.updateTaskStatus(.init(taskID: task.taskID, status: .running), context: .init())
      #expect(updated.history.map(\.status) == [.pending, .running])
    }
  }

  @Test(arguments: [TaskStatus.completed, .cancelled]) func whatIsOverStaysOver(_ end: TaskStatus) async throws {
    let service = OrchestratorService.quietly(try TaskStore())
    let id = try await service.createTask(.init(contract: .valid()), context: .init()).taskID
    _ = try await service.updateTaskStatus(.init(taskID: id, status: end), context: .init())
    do {
      _ = try await service.updateTaskStatus(.init(taskID: id, status: .pending), context: .init())
      Issue.record("updated")
    } catch .authorization(let error) {
      #expect(error.action == "change a task that is \(end.word) to pending")
    }
  }

  @Test func aFailingDatabaseIsADatabaseErrorAndItsTextIsInternal() async throws {
    let store = try TaskStore()
    let service = OrchestratorService.quietly(store)
    store.close()
    do {
      _ = try await service.createTask(.init(contract: .valid()), context: .init())
      Issue.record("created")
    } catch .database(let error) {
      #expect(error.error.contains("closed"))
      #expect(error.metadata == ["operation": "access"])
    }
  }

  @Test func readsGoOnWhenTheDatabaseFails() async throws {
    let store = try TaskStore()
    let task = try await store.create(.valid())
    let service = OrchestratorService.quietly(store, replica: try store.snapshot())
    store.close()
    #expect(try await service.getTask(.init(taskID: task.taskID), context: .init()) == task)
  }
}
