// SPDX-License-Identifier: Apache-2.0
import Logging
import Taxon

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
