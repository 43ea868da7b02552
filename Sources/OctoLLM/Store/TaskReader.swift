// SPDX-License-Identifier: Apache-2.0
import Taxon

/// Where tasks are read: the store itself, a replica, or one behind the other.
///
/// Both functions throw what the database throws; `GRDB.DatabaseError` has a registered conversion to `DATABASE_ERROR`.
public protocol TaskReader: Sendable {
  /// The task with this id; nil when there is none.
  func task(_ id: String) async throws -> TaskRecord?

  /// A page of tasks, oldest first.
  func tasks(_ query: TaskQuery) async throws -> TaskPage
}
