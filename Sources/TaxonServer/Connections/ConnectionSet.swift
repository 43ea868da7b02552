// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonProtobuf

/// The connections of a server, and the means to wait until they are gone.
final class ConnectionSet: Sendable {
  private struct State {
    var connections: [ObjectIdentifier: NIOLoopBound<ServerConnection>] = [:]
    var isShuttingDown = false
    var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
    /// Waiters whose time was over before they waited.
    var late: Set<UInt64> = []
    var nextWaiter: UInt64 = 0
  }

  private let state = Locked(State())
  private let observer = Locked<(@Sendable (any Channel, Bool) -> Void)?>(nil)

  /// What becomes of a new connection.
  enum Admission {
    case accepted
    /// The server is shutting down already.
    case late
    /// There are as many as there may be; this one was not taken in.
    case tooMany
  }

  /// Takes a connection in.
  func add(_ connection: ServerConnection, on eventLoop: any EventLoop, limit: Int) -> Admission {
    let bound = NIOLoopBound(connection, eventLoop: eventLoop)
    return state.withLock { state in
      guard state.connections.count < limit else { return .tooMany }
      state.connections[ObjectIdentifier(connection)] = bound
      return state.isShuttingDown ? .late : .accepted
    }
  }

  /// Has each channel observed that begins, on its loop: tests see what becomes of it.
  func observe(_ observer: @escaping @Sendable (_ channel: any Channel, _ isListening: Bool) -> Void) {
    self.observer.withLock { $0 = observer }
  }

  /// A channel has begun, with a connection or to listen.
  func began(_ channel: any Channel, isListening: Bool = false) { observer.withLock { $0 }?(channel, isListening) }

  func remove(_ id: ObjectIdentifier) {
    let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      state.connections[id] = nil
      guard state.connections.isEmpty else { return [] }
      defer { state.waiting = [:] }
      return Array(state.waiting.values)
    }
    for continuation in waiting { continuation.resume() }
  }

  /// Asks every connection to end its calls and close; connections that come from now on are asked as well.
  func beginShutdown() {
    state.withLock { $0.isShuttingDown = true }
    each { $0.beginShutdown() }
  }

  /// Closes every connection; its calls are cancelled.
  func close() {
    each { $0.close() }
  }

  /// Those that are there now, in no order.
  var all: [NIOLoopBound<ServerConnection>] { state.withLock { Array($0.connections.values) } }

  private func each(_ body: @escaping @Sendable (ServerConnection) -> Void) {
    for connection in all {
      connection.eventLoop.execute { body(connection.value) }
    }
  }

  /// Returns when there are no connections any more, or when the time is over.
  func waitUntilEmpty(within limit: Duration) async {
    let number = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    let alarm = Task {
      do { try await Task.sleep(for: limit) } catch { return }
      let continuation = state.withLock { state in
        let continuation = state.waiting.removeValue(forKey: number)
        if continuation == nil { state.late.insert(number) }
        return continuation
      }
      continuation?.resume()
    }
    await withCheckedContinuation { continuation in
      let isOver = state.withLock { state in
        if state.connections.isEmpty || state.late.remove(number) != nil { return true }
        state.waiting[number] = continuation
        return false
      }
      if isOver { continuation.resume() }
    }
    alarm.cancel()
  }
}
