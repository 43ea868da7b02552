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
  let watches = OpenWatches()

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
