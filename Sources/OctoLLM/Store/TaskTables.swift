// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Taxon

extension TaskStore {
  /// How the tables came to be. A migration that was released is never changed: add another.
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("tasks and their history") { database in
      let states = TaskStatus.all.map(\.word)
      try database.create(table: "tasks") { table in
        table.autoIncrementedPrimaryKey("position")
        table.column("id", .text).notNull().unique()
        table.column("description", .text).notNull()
        table.column("priority", .integer).notNull()
        table.column("timeout", .integer)
        table.column("required_capabilities", .jsonText).notNull()
        table.column("labels", .jsonText).notNull()
        table.column("status", .text).notNull().check { states.contains($0) }.indexed()
        table.column("created_at", .datetime).notNull()
        table.column("output", .text)
      }
      try database.create(table: "task_history") { table in
        table.autoIncrementedPrimaryKey("position")
        table.column("task_id", .text).notNull().indexed().references("tasks", column: "id", onDelete: .cascade)
        table.column("status", .text).notNull().check { states.contains($0) }
        table.column("at", .datetime).notNull()
        table.column("error_code", .text)
      }
    }
    return migrator
  }
}

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

extension Google_Protobuf_Timestamp {
  /// The moment, to the millisecond, as the database keeps it.
  init(_ date: Date) {
    let milliseconds = Int64((date.timeIntervalSince1970 * 1000).rounded())
    let seconds = milliseconds >= 0 ? milliseconds / 1000 : (milliseconds - 999) / 1000
    self.init(seconds: seconds, nanos: Int32(milliseconds - seconds * 1000) * 1_000_000)
  }

  /// The moment.
  public var date: Date {
    Date(timeIntervalSince1970: Double(seconds) + Double(nanos) / 1_000_000_000)
  }
}
