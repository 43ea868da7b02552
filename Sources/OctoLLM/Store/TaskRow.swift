// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Taxon

/// A task as the table `tasks` has it.
struct TaskRow: Codable, Sendable, FetchableRecord, MutablePersistableRecord {
  static let databaseTableName = "tasks"
  /// Oldest first.
  static let history = hasMany(ChangeRow.self).order(ChangeRow.CodingKeys.position).forKey("history")

  /// Tasks are listed in its order; the database chooses it.
  var position: Int64?
  var id: String
  var description: String
  var priority: Int32
  var timeout: Int32?
  /// JSON, like the labels.
  var requiredCapabilities: [String]
  var labels: [String: String]
  var status: String
  var createdAt: Date
  var output: String?

  enum CodingKeys: String, CodingKey, ColumnExpression {
    case position, id, description, priority, timeout, labels, status, output
    case requiredCapabilities = "required_capabilities"
    case createdAt = "created_at"
  }

  init(id: String, contract: TaskContract, status: TaskStatus, createdAt: Date) {
    self.id = id
    description = contract.description
    priority = contract.priority
    timeout = contract.timeout
    requiredCapabilities = contract.requiredCapabilities
    labels = contract.labels
    self.status = status.word
    self.createdAt = createdAt
  }

  mutating func didInsert(_ inserted: InsertionSuccess) {
    position = inserted.rowID
  }

  var contract: TaskContract {
    TaskContract(
      description: description, priority: priority, timeout: timeout, requiredCapabilities: requiredCapabilities,
      labels: labels)
  }
}

/// A line of a task's history, as the table `task_history` has it.
struct ChangeRow: Codable, Sendable, FetchableRecord, PersistableRecord {
  static let databaseTableName = "task_history"

  var position: Int64?
  var taskID: String
  var status: String
  var at: Date
  var errorCode: String?

  enum CodingKeys: String, CodingKey, ColumnExpression {
    case position, status, at
    case taskID = "task_id"
    case errorCode = "error_code"
  }

  var change: StatusChange {
    StatusChange(status: TaskStatus(word: status) ?? .unspecified, at: .init(at), errorCode: errorCode)
  }
}

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
