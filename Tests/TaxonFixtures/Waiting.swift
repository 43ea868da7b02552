// SPDX-License-Identifier: Apache-2.0
import Logging
import TaxonProtobuf

/// A logger that says nothing.
package let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Waits until the task is cancelled.
package func untilCancelled() async {
  let isCancelled = Signal()
  await withTaskCancellationHandler {
    await isCancelled.wait()
  } onCancel: {
    isCancelled.send()
  }
}

/// Something that is awaited until it has happened.
package final class Signal: Sendable {
  private let state = Locked<(hasHappened: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

  /// It has not happened yet.
  package init() {}

  package func send() {
    let waiting = state.withLock { state in
      state.hasHappened = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  package func wait() async {
    await withCheckedContinuation { continuation in
      let hasHappened = state.withLock { state in
        if !state.hasHappened { state.waiting.append(continuation) }
        return state.hasHappened
      }
      if hasHappened { continuation.resume() }
    }
  }
}

/// Counts what happens; a test awaits that it has happened so often.
package final class Tally: Sendable {
  private struct State {
    var count = 0
    var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let state = Locked(State())

  /// It has not happened yet.
  package init() {}

  /// How often it has happened.
  package var count: Int { state.withLock { $0.count } }

  /// It happened once more, or so many times more. Returns how often that makes.
  @discardableResult package func add(_ number: Int = 1) -> Int {
    let (count, ready) = state.withLock { state in
      state.count += number
      let ready = state.waiting.filter { $0.count <= state.count }
      state.waiting.removeAll { $0.count <= state.count }
      return (state.count, ready)
    }
    for waiter in ready { waiter.continuation.resume() }
    return count
  }

  /// Returns when it has happened so often.
  package func reaches(_ count: Int) async {
    await withCheckedContinuation { continuation in
      let isReached = state.withLock { state in
        if state.count < count { state.waiting.append((count, continuation)) }
        return state.count >= count
      }
      if isReached { continuation.resume() }
    }
  }
}
