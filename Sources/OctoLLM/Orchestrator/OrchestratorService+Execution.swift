// SPDX-License-Identifier: Apache-2.0
import Logging
import Taxon

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
    return .init(error.isSafe || error.status == .cancelled ? .pending : .failed, errorCode: error.code)
  }

  /// Keeps a task's outcome, also when the caller has gone by now and this task is cancelled.
  @discardableResult
  private func keep(_ change: TaskStore.Change, for task: TaskRecord) async throws -> TaskRecord {
    let store = store
    return try await Task {
      try await store.update(task.taskID) { task in
        // Somebody may have cancelled it while the arm was at work; that stands.
        task.status == .running ? change : nil
      }
    }.value
  }
}
