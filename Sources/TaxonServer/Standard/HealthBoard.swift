// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

/// The statuses of services, and who waits for one to change.
///
/// A watcher that is slow to write gets the status as it is then, and not each one that was meanwhile.
final class HealthBoard: Sendable {
  typealias Status = HealthService.Status
  typealias WatcherID = UInt64

  private struct Watcher {
    let service: String
    /// What it was told last; nil: nothing yet. The inner nil: that the service is not known.
    var told: Status??
    var continuation: UnsafeContinuation<Void, Never>?
  }

  private struct State {
    var statuses: [String: Status] = ["": .serving]
    var watchers: [WatcherID: Watcher] = [:]
    var nextID: WatcherID = 0
    var isShutDown = false

    func status(of service: String) -> Status? {
      statuses[service].map { isShutDown ? .notServing : $0 }
    }

    /// What the watcher has not been told.
    func news(for watcher: Watcher) -> Status?? {
      let status = status(of: watcher.service)
      return watcher.told == .some(status) ? nil : .some(status)
    }

    /// Takes the continuations of those for whom there is something new.
    mutating func takeWoken() -> [UnsafeContinuation<Void, Never>] {
      var woken: [UnsafeContinuation<Void, Never>] = []
      for (id, watcher) in watchers {
        guard let continuation = watcher.continuation, isShutDown || news(for: watcher) != nil else { continue }
        woken.append(continuation)
        watchers[id]?.continuation = nil
      }
      return woken
    }
  }

  private let state = Locked(State())

  var all: [String: Status] {
    state.withLock { state in state.isShutDown ? state.statuses.mapValues { _ in .notServing } : state.statuses }
  }

  func status(of service: String) -> Status? { state.withLock { $0.status(of: service) } }

  func set(_ status: Status?, for service: String) {
    change { $0.statuses[service] = status }
  }

  func shutDown() {
    change { $0.isShutDown = true }
  }

  private func change(_ body: (inout State) -> Void) {
    let woken = state.withLock { state in
      body(&state)
      return state.takeWoken()
    }
    for continuation in woken { continuation.resume() }
  }

  // MARK: Watchers

  func watch(_ service: String) -> WatcherID {
    state.withLock { state in
      state.nextID += 1
      state.watchers[state.nextID] = Watcher(service: service)
      return state.nextID
    }
  }

  func leave(_ id: WatcherID) {
    state.withLock { $0.watchers[id] = nil }
  }

  /// The status that the watcher does not know, once there is one; at first, the one that there is. The inner nil: the
  /// service is not known. The outer nil: the server shuts down, and there is nothing more to say.
  ///
  /// - Throws: CANCELLED when the task is cancelled.
  func next(_ id: WatcherID) async throws(RPCError) -> Status?? {
    while true {
      let (news, isOver) = state.withLock { state -> (Status??, Bool) in
        guard let watcher = state.watchers[id] else { return (nil, true) }
        let news = state.news(for: watcher)
        if let news { state.watchers[id]?.told = .some(news) }
        return (news, state.isShutDown)
      }
      if let news { return .some(news) }
      if isOver { return nil }
      await wait(id)
      if Task.isCancelled { throw .cancelled }
    }
  }

  private func wait(_ id: WatcherID) async {
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        let isReady = state.withLock { state in
          guard let watcher = state.watchers[id], !state.isShutDown, !Task.isCancelled else { return true }
          if state.news(for: watcher) != nil { return true }
          state.watchers[id]?.continuation = continuation
          return false
        }
        if isReady { continuation.resume() }
      }
    } onCancel: {
      let continuation = state.withLock { state in
        defer { state.watchers[id]?.continuation = nil }
        return state.watchers[id]?.continuation
      }
      continuation?.resume()
    }
  }
}
