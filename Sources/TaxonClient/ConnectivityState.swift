// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// Where a channel stands (gRPC connectivity semantics document).
public enum ConnectivityState: Sendable, Hashable, CaseIterable {
  /// There is no connection, and none is being made: no call was made for a while, or none so far.
  case idle
  /// A name is being resolved or a connection is being made; calls wait.
  case connecting
  /// There is a connection.
  case ready
  /// No connection could be made; calls fail at once, unless they wait for the connection. The channel tries again
  /// after a pause.
  case transientFailure
  /// The channel is shut down, for good.
  case shutdown
}

/// A channel's state, as it is told to whoever wants to know.
final class StateBoard: Sendable {
  private struct Board {
    var state = ConnectivityState.idle
    var watchers: [Int: AsyncStream<ConnectivityState>.Continuation] = [:]
    var nextID = 0
  }

  private let board = Locked(Board())

  var state: ConnectivityState { board.withLock { $0.state } }

  /// The state now, and each one after it. A watcher that does not keep up misses the states between.
  func changes() -> AsyncStream<ConnectivityState> {
    AsyncStream(bufferingPolicy: .bufferingNewest(16)) { continuation in
      let id = board.withLock { board -> Int? in
        continuation.yield(board.state)
        guard board.state != .shutdown else { return nil }
        board.nextID += 1
        board.watchers[board.nextID] = continuation
        return board.nextID
      }
      guard let id else { return continuation.finish() }
      continuation.onTermination = { [weak self] _ in
        _ = self?.board.withLock { $0.watchers.removeValue(forKey: id) }
      }
    }
  }

  /// Writes a new state down. After `shutdown` nothing changes any more.
  func update(_ state: ConnectivityState) {
    let ended = board.withLock { board -> [AsyncStream<ConnectivityState>.Continuation] in
      guard board.state != state, board.state != .shutdown else { return [] }
      board.state = state
      for watcher in board.watchers.values { watcher.yield(state) }
      guard state == .shutdown else { return [] }
      defer { board.watchers = [:] }
      return Array(board.watchers.values)
    }
    for watcher in ended { watcher.finish() }
  }
}
