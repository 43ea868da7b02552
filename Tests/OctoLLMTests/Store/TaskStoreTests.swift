// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Taxon
import Testing

@testable import OctoLLM

@Suite struct TaskStoreTests {
  @Test func aTaskIsFoundAsItWasCreated() async throws {
    let store = try TaskStore()
    let contract = TaskContract(
      description: "Tidy up", priority: 3, timeout: 20, requiredCapabilities: ["a", "b"], labels: ["who": "ada"])
    let created = try await store.create(contract)
    #expect(created.contract == contract)
    #expect(created.status == .pending)
    #expect(created.history.map(\.status) == [.pending])
    #expect(try await store.task(created.taskID) == created)
    #expect(try await store.task("42") == nil)
  }

  @Test func aFileKeepsTasks() async throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).sqlite").path
    defer { for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) } }
    let id = try await TaskStore(path: path).create(.valid()).taskID
    #expect(try await TaskStore(path: path).task(id)?.contract == .valid())
    #expect(try await TaskStore(replica: path).task(id)?.contract == .valid())
  }

  @Test func whatCannotBeOpenedIsADatabaseErrorWithItsCause() throws {
    #expect {
      try TaskStore(path: "/nonexistent/tasks.sqlite")
    } throws: { error in
      guard case .database(let error) = error as? SystemError else { return false }
      return error.operation == "open" && error.cause is GRDB.DatabaseError
    }
  }

  @Test func aChangeIsWrittenIntoTheHistory() async throws {
    let times = [0.0, 1.5, 2.25].map { Date(timeIntervalSince1970: $0) }
    let clock = Times(times)
    let store = try TaskStore(now: { clock.next() })
    let id = try await store.create(.valid()).taskID
    try await store.update(id) { _ in .init(.running) }
    let task = try await store.update(id) { _ in .init(.failed, errorCode: "TIMEOUT_ERROR") }
    #expect(task.history.map(\.status) == [.pending, .running, .failed])
    #expect(task.history.map(\.errorCode) == [nil, nil, "TIMEOUT_ERROR"])
    #expect(task.history.map(\.at?.seconds) == [0, 1, 2])
    #expect(task.history.map(\.at?.nanos) == [0, 500_000_000, 250_000_000])
    #expect(try await store.task(id) == task)
  }

  @Test func aChangeWhoseHistoryFailsIsRolledBack() async throws {
    let store = try TaskStore()
    let task = try await store.create(.valid())
    try await store.database().write { database in
      try database.execute(
        sql: """
          CREATE TRIGGER no_history BEFORE INSERT ON task_history BEGIN SELECT RAISE(ABORT, 'the disk is full'); END
          """)
    }
    let error = await failure(of: Orchestrator.UpdateTaskStatusError.self) {
      try await store.update(task.taskID) { _ in .init(.running) }
    }
    #expect(try await store.task(task.taskID) == task)
    guard case .database(let error) = error else { throw error ?? RPCError(.ok) }
    #expect(error.operation == "insert")
    #expect(error.error.contains("the disk is full"))
    #expect((error.cause as? GRDB.DatabaseError)?.message == "the disk is full")
    #expect(error.message == "Database insert failed")
    #expect(error.publicPayload.error.isEmpty)
  }

  @Test func whatADecisionThrowsRollsBackAndIsThrownOn() async throws {
    let store = try TaskStore()
    let task = try await store.create(.valid())
    await #expect(throws: ValidationError.AuthenticationError.self) {
      try await store.update(task.taskID) { _ in throw ValidationError.AuthenticationError(reason: "no") }
    }
    #expect(try await store.task(task.taskID) == task)
  }

  @Test func aTaskThatIsNotThereCannotBeChanged() async throws {
    let store = try TaskStore()
    let error = await failure(of: ValidationError.self) { try await store.update("42") { _ in .init(.running) } }
    guard case .taskNotFound(let error) = error else { throw error ?? RPCError(.ok) }
    #expect(error.taskID == "42")
  }

  @Test func pagesGoThroughAllTasksInOrder() async throws {
    let store = try TaskStore()
    var ids: [String] = []
    for number in 0..<7 { ids.append(try await store.create(.valid("task \(number)")).taskID) }
    var found: [[String]] = []
    var token: PageToken?
    repeat {
      let page = try await store.tasks(TaskQuery(size: 3, after: token))
      found.append(page.tasks.map(\.taskID))
      token = page.next
    } while token != nil
    #expect(found.map(\.count) == [3, 3, 1])
    #expect(found.flatMap { $0 } == ids)
  }

  @Test func aPageThatIsJustFullIsTheLast() async throws {
    let store = try TaskStore()
    for _ in 0..<3 { _ = try await store.create(.valid()) }
    #expect(try await store.tasks(TaskQuery(size: 3)).next == nil)
  }

  @Test func tasksAreListedByStatus() async throws {
    let store = try TaskStore()
    let ids = [try await store.create(.valid()).taskID, try await store.create(.valid()).taskID]
    try await store.update(ids[0]) { _ in .init(.completed, output: "done") }
    #expect(try await store.tasks(TaskQuery(status: .pending)).tasks.map(\.taskID) == [ids[1]])
    #expect(try await store.tasks(TaskQuery(status: .completed)).tasks.map(\.output) == ["done"])
  }

  @Test(arguments: ["", "x", "1", "1.2.3", "1.-2", "1.x", "99999999999.1"])
  func aPageTokenOfSomebodyElsesMakingIsNone(_ text: String) {
    #expect(PageToken(text) == nil)
  }

  @Test func interruptedTasksArePendingAgain() async throws {
    let store = try TaskStore()
    let running = try await store.create(.valid()).taskID
    let done = try await store.create(.valid()).taskID
    try await store.update(running) { _ in .init(.running) }
    try await store.update(done) { _ in .init(.completed) }
    #expect(try await store.requeueInterrupted() == 1)
    #expect(try await store.task(running)?.history.map(\.status) == [.pending, .running, .pending])
    #expect(try await store.task(done)?.status == .completed)
  }
}

/// Moments, one after the other.
private final class Times: Sendable {
  private let rest: Locked<[Date]>
  init(_ times: [Date]) { rest = Locked(times) }
  func next() -> Date { rest.withLock { $0.removeFirst() } }
}
