// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon
import TaxonFixtures
import Testing

/// Orchestrator.WatchTask and the health of the store, without a server.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct WatchTaskTests {
  private typealias Writer = ResponseWriter<StatusChange, Orchestrator.WatchTaskError>

  /// A watch whose changes come one by one.
  private func watch(
    _ id: String, of service: OrchestratorService, context: ServerContext = ServerContext()
  ) -> (changes: AsyncStream<StatusChange>, end: Task<Orchestrator.WatchTaskError?, Never>) {
    let (changes, continuation) = AsyncStream<StatusChange>.makeStream()
    let writer = Writer { (change) async throws(Orchestrator.WatchTaskError) in continuation.yield(change) }
    let end = Task {
      defer { continuation.finish() }
      return await failure(of: Orchestrator.WatchTaskError.self) {
        try await service.watchTask(.init(taskID: id), responses: writer, context: context)
      }
    }
    return (changes, end)
  }

  @Test func eachChangeIsToldOnceUntilTheTaskIsAtRest() async throws {
    let store = try TaskStore()
    let service = OrchestratorService.quietly(store)
    let id = try await store.create(.valid()).taskID
    let (changes, end) = watch(id, of: service)
    var seen: [TaskStatus] = []
    for await change in changes {
      seen.append(change.status)
      switch seen.count {
      case 1: try await store.update(id) { _ in .init(.running) }
      case 2: try await store.update(id) { _ in .init(.pending) }
      case 3:
        // Both come, though nobody reads in between.
        try await store.update(id) { _ in .init(.running) }
        try await store.update(id) { _ in .init(.failed, errorCode: "TIMEOUT_ERROR") }
      case 5: #expect(change.errorCode == "TIMEOUT_ERROR")
      default: break
      }
    }
    #expect(seen == [.pending, .running, .pending, .running, .failed])
    #expect(await end.value == nil)
  }

  @Test(arguments: [TaskStatus.completed, .failed, .cancelled])
  func aTaskThatIsAtRestIsToldAtOnce(_ status: TaskStatus) async throws {
    let store = try TaskStore()
    let id = try await store.create(.valid()).taskID
    try await store.update(id) { _ in .init(status) }
    let (changes, end) = watch(id, of: .quietly(store))
    var seen: [TaskStatus] = []
    for await change in changes { seen.append(change.status) }
    #expect(seen == [.pending, status])
    #expect(await end.value == nil)
  }

  @Test func aTaskThatIsNotThereIsNotFound() async throws {
    let error = await watch("42", of: .quietly(try TaskStore())).end.value
    #expect(error?.as(ValidationError.TaskNotFound.self)?.taskID == "42")
  }

  @Test func aStoreThatIsClosedIsADatabaseError() async throws {
    let store = try TaskStore()
    store.close()
    let error = await watch("42", of: .quietly(store)).end.value
    #expect(error?.code == "DATABASE_ERROR")
  }

  @Test func whoHasNoTokenMayNotWatch() async throws {
    let access = Access(tokens: ["secret": .init("owner")])
    let error = await watch("42", of: .quietly(try TaskStore(), access: access)).end.value
    #expect(error?.code == "AUTHENTICATION_ERROR")
  }

  @Test func aShutdownEndsWatchesAndLetsNoneBegin() async throws {
    let store = try TaskStore()
    let service = OrchestratorService.quietly(store)
    let id = try await store.create(.valid()).taskID
    let (changes, end) = watch(id, of: service)
    for await _ in changes { service.serverIsShuttingDown() }
    #expect(await end.value?.status == .unavailable)
    #expect(await watch(id, of: service).end.value?.status == .unavailable)
  }

  @Test func aCancelledTaskEndsItsWatchAlone() async throws {
    let store = try TaskStore()
    let service = OrchestratorService.quietly(store)
    let id = try await store.create(.valid()).taskID
    let (given, givenEnd) = watch(id, of: service)
    let (kept, keptEnd) = watch(id, of: service)
    for await _ in given { givenEnd.cancel() }
    #expect(await givenEnd.value?.status == .cancelled)
    var seen: [TaskStatus] = []
    for await change in kept {
      seen.append(change.status)
      if change.status == .pending { try await store.update(id) { _ in .init(.cancelled) } }
    }
    #expect(seen == [.pending, .cancelled])
    #expect(await keptEnd.value == nil)
  }

  @Test func theHealthIsThatOfTheStore() async throws {
    let store = try TaskStore()
    let health = HealthService()
    let storeHealth = StoreHealth(of: Orchestrator.name, on: store, in: health, logger: quiet)
    #expect(health.status(of: Orchestrator.name) == nil)
    await storeHealth.check()
    #expect(health.status(of: Orchestrator.name) == .serving)
    store.close()
    await storeHealth.check()
    #expect(health.status(of: Orchestrator.name) == .notServing)
    #expect(health.status() == .serving)
  }

  @Test func theReadmesStreamingSnippetTellsWhatHappens() async throws {
    let store = try TaskStore()
    let id = try await store.create(.valid("1 + 1", needs: ["arithmetic"])).taskID
    let seen = Locked<[TaskStatus]>([])
    try await store.update(id) { _ in .init(.completed, output: "2") }
    try await withChannel(to: [OrchestratorService.quietly(store)]) { channel, _ in
      await streamingSnippet(Orchestrator.Client(channel), id: id) { change in
        seen.withLock { $0.append(change.status) }
      }
      await streamingSnippet(Orchestrator.Client(channel), id: "42") { _ in Issue.record("there is no such task") }
    }
    #expect(seen.withLock { $0 } == [.pending, .completed])
  }
}
