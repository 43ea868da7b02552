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
