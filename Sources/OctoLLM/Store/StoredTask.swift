// SPDX-License-Identifier: Apache-2.0
import GRDB
import Taxon

/// A task with its history.
struct StoredTask: Decodable, FetchableRecord {
  var task: TaskRow
  var history: [ChangeRow]

  static func request(_ tasks: QueryInterfaceRequest<TaskRow>) -> QueryInterfaceRequest<StoredTask> {
    tasks.including(all: TaskRow.history).asRequest(of: StoredTask.self)
  }

  var record: TaskRecord {
    TaskRecord(
      taskID: task.id, contract: task.contract, status: TaskStatus(word: task.status) ?? .unspecified,
      createdAt: .init(task.createdAt), history: history.map(\.change), output: task.output)
  }
}
