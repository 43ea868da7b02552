// SPDX-License-Identifier: Apache-2.0
import Taxon

extension Orchestrator.Client {
  /// Executes every task that is pending, one after the other; a failure ends only its own task.
  ///
  /// - Throws: When the pending tasks cannot be listed.
  public func executeAll(
    options: CallOptions = CallOptions()
  ) async throws(Orchestrator.ListTasksError) -> PartialSuccess<String, TaskRecord> {
    var pending: [TaskRecord] = []
    var token = ""
    repeat {
      let page = try await listTasks(.init(status: .pending, pageToken: token), options: options)
      pending += page.tasks
      token = page.nextPageToken
    } while !token.isEmpty
    return await PartialSuccess.of(pending, key: \.taskID) { task in
      try await executeTask(.init(taskID: task.taskID), options: options)
    }
  }
}
