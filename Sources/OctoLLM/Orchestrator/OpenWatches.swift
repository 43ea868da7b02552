// SPDX-License-Identifier: Apache-2.0
import Taxon

/// Calls that go on until something happens, and that a server must not wait for when it shuts down.
final class OpenWatches: Sendable {
  private struct State {
    var tasks: [Int: Task<Void, any Error>] = [:]
    var nextNumber = 0
    var isOver = false
  }

  private let state = Locked(State())

  /// Runs a watch until it ends, the caller's task is cancelled or all watches are ended.
  ///
  /// - Throws: UNAVAILABLE, which a client may try again, when all watches are ended; what `body` throws.
  func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
    let (number, task) = try state.withLock { state in
      guard !state.isOver else { throw Self.over }
      state.nextNumber += 1
      let task = Task { try await body() }
      state.tasks[state.nextNumber] = task
      return (state.nextNumber, task)
    }
    defer { state.withLock { $0.tasks[number] = nil } }
    do {
      try await withTaskCancellationHandler {
        try await task.value
      } onCancel: {
        task.cancel()
      }
    } catch {
      if task.isCancelled, !Task.isCancelled { throw Self.over }
      throw error
    }
  }

  /// Ends all open watches, and lets none begin.
  func end() {
    let tasks = state.withLock { state in
      state.isOver = true
      return Array(state.tasks.values)
    }
    for task in tasks { task.cancel() }
  }

  private static var over: RPCError { RPCError(.unavailable, "The server is shutting down; watch again") }
}
