// SPDX-License-Identifier: Apache-2.0
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
