// SPDX-License-Identifier: Apache-2.0
import Logging
import Taxon

/// The orchestrator: keeps tasks in the store and has arms carry them out.
///
/// Each method's signature says what it can throw; `catching` lifts what the code inside throws into it.
public struct OrchestratorService: Orchestrator.Service {
  let store: TaskStore
  let reader: any TaskReader
  let arms: ArmRegistry
  let access: Access
  let logger: Logger
  private let watches = OpenWatches()

  /// An orchestrator.
  ///
  /// - Parameters:
  ///   - store: Where tasks are kept.
  ///   - replica: Where they are read when the store fails.
  ///   - arms: What carries them out; by default, the standard ones.
  ///   - access: Who may do what.
  public init(
    store: TaskStore, replica: (any TaskReader)? = nil, arms: ArmRegistry? = nil, access: Access = .open,
    logger: Logger = Logger(label: "octollm.orchestrator")
  ) {
    self.store = store
    reader = replica.map { FallbackReader(primary: store, replica: $0, logger: logger) } ?? store
    self.arms = arms ?? .standard(tasks: reader)
    self.access = access
    self.logger = logger
  }

  /// Checks the contract and keeps the task.
  public func createTask(
    _ request: CreateTaskRequest, context: ServerContext
  ) async throws(Orchestrator.CreateTaskError) -> TaskRecord {
    try await Orchestrator.CreateTaskError.catching {
      try access.writer(context, to: "create tasks")
      try request.validate()
      return try await store.create(request.contract ?? TaskContract())
    }
  }

  /// Finds one task.
  public func getTask(
    _ request: GetTaskRequest, context: ServerContext
  ) async throws(Orchestrator.GetTaskError) -> TaskRecord {
    let task = try await Orchestrator.GetTaskError.catching {
      try access.caller(context)
      return try await reader.task(request.taskID)
    }
    guard let task else { throw .taskNotFound(taskID: request.taskID) }
    return task
  }

  /// Lists tasks, oldest first.
  public func listTasks(
    _ request: ListTasksRequest, context: ServerContext
  ) async throws(Orchestrator.ListTasksError) -> ListTasksResponse {
    try await Orchestrator.ListTasksError.catching {
      try access.caller(context)
      let page = try await reader.tasks(request.query())
      return ListTasksResponse(tasks: page.tasks, nextPageToken: page.next?.text ?? "")
    }
  }

  /// Sets a task's state.
  public func updateTaskStatus(
    _ request: UpdateTaskStatusRequest, context: ServerContext
  ) async throws(Orchestrator.UpdateTaskStatusError) -> TaskRecord {
    try await Orchestrator.UpdateTaskStatusError.catching {
      let caller = try access.writer(context, to: "update tasks")
      try request.validate()
      return try await store.update(request.taskID) { task in
        // The method is declared idempotent: asking again changes nothing.
        if task.status == request.status { return nil }
        guard !task.status.isFinal else {
          throw ValidationError.authorization(
            action: "change a task that is \(task.status.word) to \(request.status.word)", principal: caller.name)
        }
        return .init(request.status)
      }
    }
  }
}

extension OrchestratorService {
  /// Has an arm carry out a task, and keeps the outcome.
  public func executeTask(
    _ request: ExecuteTaskRequest, context: ServerContext
  ) async throws(Orchestrator.ExecuteTaskError) -> TaskRecord {
    try await Orchestrator.ExecuteTaskError.catching {
      try access.writer(context, to: "execute tasks")
      let task = try await begin(request.taskID)
      guard task.status == .running, let contract = task.contract else { return task }
      let log: Logger.Metadata = ["task_id": "\(task.taskID)", "priority": "\(contract.priority)"]
      logger.info("task.processing.started", metadata: log)
      let start = ContinuousClock.now
      do {
        let output = try await arms.carryOut(contract)
        let done = try await keep(.init(.completed, output: output), for: task)
        logger.info(
          "task.processing.completed", metadata: log.merging(["duration": "\(start.duration(to: .now))"]) { $1 })
        return done
      } catch {
        // The server logs the error itself when it answers; here is what became of the task.
        let change = outcome(of: error)
        logger.notice("task.processing.ended", metadata: log.merging(["status": "\(change.status.word)"]) { $1 })
        do {
          try await keep(change, for: task)
        } catch let second {
          // The first error is the one the caller should hear.
          logger.error("task.processing.unrecorded", metadata: log.adding(second))
        }
        throw error
      }
    }
  }

  /// Marks a task as running, unless it is completed.
  private func begin(_ id: String) async throws -> TaskRecord {
    try await store.update(id) { task in
      switch task.status {
      case .completed: return nil
      case .cancelled: throw ValidationError.invalidInput(field: "task_id", description: "The task is cancelled")
      case .running: throw ResourceError.capacityExceeded(resource: "task \(id)", capacity: 1)
      default: return .init(.running)
      }
    }
  }

  /// What becomes of a task when its arm throws. One with which nothing has happened, or that was given up, waits again.
  private func outcome(of error: any Error) -> TaskStore.Change {
    let error = Orchestrator.ExecuteTaskError.lift(error)
    return .init(error.isRetrySafe || error.status == .cancelled ? .pending : .failed, errorCode: error.code)
  }

  /// Keeps a task's outcome, also when the caller has gone by now and this task is cancelled.
  @discardableResult
  private func keep(_ change: TaskStore.Change, for task: TaskRecord) async throws -> TaskRecord {
    let store = store
    return try await Task {
      try await store.update(task.taskID) { task in
        // It may have been cancelled while the arm was at work; that stands.
        task.status == .running ? change : nil
      }
    }.value
  }
}

extension OrchestratorService {
  /// Tells the changes of a task's state until nothing more happens to it.
  public func watchTask(
    _ request: WatchTaskRequest, responses: ResponseWriter<StatusChange, Orchestrator.WatchTaskError>,
    context: ServerContext
  ) async throws(Orchestrator.WatchTaskError) {
    try await Orchestrator.WatchTaskError.catching {
      try access.caller(context)
      let store = store
      try await watches.run {
        var told = 0
        for try await task in try store.states(of: request.taskID) {
          guard let task else { throw ValidationError.taskNotFound(taskID: request.taskID) }
          // Changes that came while the last were being written come together.
          try await responses.write(contentsOf: task.history.dropFirst(told))
          told = task.history.count
          if task.status.isAtRest { return }
        }
        // The observation ends by itself only when the task that reads it is cancelled.
        throw RPCError.cancelled
      }
    }
  }

  /// Ends the calls that watch tasks.
  public func serverIsShuttingDown() { watches.end() }
}

/// Calls that go on until something happens, and that a server must not wait for when it shuts down.
private final class OpenWatches: Sendable {
  private struct State {
    var tasks: [Int: Task<Void, any Error>] = [:]
    var nextNumber = 0
    var isOver = false
  }

  private let state = Locked(State())

  /// Runs a watch until it ends, the caller's task is cancelled or all watches are ended.
  ///
  /// - Throws: UNAVAILABLE, which a client may try again, when all watches are ended; what `body` throws.
  func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
    let (number, task) = try state.withLock { state in
      guard !state.isOver else { throw Self.over }
      state.nextNumber += 1
      let task = Task { try await body() }
      state.tasks[state.nextNumber] = task
      return (state.nextNumber, task)
    }
    defer { state.withLock { $0.tasks[number] = nil } }
    do {
      try await withTaskCancellationHandler {
        try await task.value
      } onCancel: {
        task.cancel()
      }
    } catch {
      if task.isCancelled, !Task.isCancelled { throw Self.over }
      throw error
    }
  }

  /// Ends all open watches, and lets none begin.
  func end() {
    let tasks = state.withLock { state in
      state.isOver = true
      return Array(state.tasks.values)
    }
    for task in tasks { task.cancel() }
  }

  private static var over: RPCError { RPCError(.unavailable, "The server is shutting down; watch again") }
}
