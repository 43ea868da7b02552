// SPDX-License-Identifier: Apache-2.0
import Logging
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

/// Where a list goes on. A token is good for the filter it was made for, so that a client cannot mix up two lists.
public struct PageToken: Hashable, Sendable {
  let status: TaskStatus
  let position: Int64

  init(status: TaskStatus, position: Int64) {
    self.status = status
    self.position = position
  }

  /// Reads a token; nil when it was not made by `text`.
  public init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let status = Int32(parts[0]), let position = Int64(parts[1]), position >= 0 else {
      return nil
    }
    self.init(status: TaskStatus(rawValue: status), position: position)
  }

  /// The token as it travels; opaque to clients.
  public var text: String { "\(status.rawValue).\(position)" }
}

/// Reads from a replica when the primary fails: an answer that may be a little old is better than none.
///
/// When both fail, the replica's error is thrown with the primary's as its cause.
public struct FallbackReader: TaskReader {
  private let primary: any TaskReader
  private let replica: any TaskReader
  private let logger: Logger

  /// A reader of the primary, with a replica behind it.
  public init(primary: any TaskReader, replica: any TaskReader, logger: Logger = Logger(label: "octollm.store")) {
    self.primary = primary
    self.replica = replica
    self.logger = logger
  }

  /// The task with this id; nil when there is none.
  public func task(_ id: String) async throws -> TaskRecord? {
    try await reading(["task_id": "\(id)"]) { try await $0.task(id) }
  }

  /// A page of tasks, oldest first.
  public func tasks(_ query: TaskQuery) async throws -> TaskPage {
    try await reading([:]) { try await $0.tasks(query) }
  }

  private func reading<Value>(
    _ metadata: Logger.Metadata, _ body: (any TaskReader) async throws -> Value
  ) async throws -> Value {
    try await withFallback {
      try await body(primary)
    } fallback: { error in
      logger.warning("primary database failed, reading from the replica", metadata: metadata.adding(error))
      do {
        return try await body(replica)
      } catch {
        logger.error("both primary and replica failed", metadata: metadata.adding(error))
        throw RPCError.lift(error)
      }
    }
  }
}
