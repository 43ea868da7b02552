// SPDX-License-Identifier: Apache-2.0
import Taxon

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
