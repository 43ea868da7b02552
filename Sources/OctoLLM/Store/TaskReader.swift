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

/// Which tasks to list.
public struct TaskQuery: Hashable, Sendable {
  /// Only tasks in this state; unspecified: all.
  public var status: TaskStatus
  /// How many at most; at least 1.
  public var size: Int
  /// The last task of the page before.
  public var after: PageToken?

  /// The first 100 tasks in any state, unless said otherwise.
  public init(status: TaskStatus = .unspecified, size: Int = 100, after: PageToken? = nil) {
    self.status = status
    self.size = max(1, size)
    self.after = after
  }
}

/// Some of the tasks, and where to go on.
public struct TaskPage: Hashable, Sendable {
  /// Oldest first.
  public var tasks: [TaskRecord]
  /// For the next page; nil when this is the last.
  public var next: PageToken?
}
