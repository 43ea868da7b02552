// SPDX-License-Identifier: Apache-2.0
import Foundation
import GRDB
import Taxon

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
