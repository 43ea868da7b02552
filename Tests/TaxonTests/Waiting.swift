// SPDX-License-Identifier: Apache-2.0
import Taxon

/// Waits until the task is cancelled.
func untilCancelled() async {
  let isCancelled = Signal()
  await withTaskCancellationHandler {
    await isCancelled.wait()
  } onCancel: {
    isCancelled.send()
  }
}

/// Counts what happens; a test awaits that it has happened so often.
final class Tally: Sendable {
  private struct State {
    var count = 0
    var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let state = Locked(State())

  /// How often it has happened.
  var count: Int { state.withLock { $0.count } }

  /// It happened once more, or so many times more. Returns how often that makes.
  @discardableResult func add(_ number: Int = 1) -> Int {
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
  func reaches(_ count: Int) async {
    await withCheckedContinuation { continuation in
      let isReached = state.withLock { state in
        if state.count < count { state.waiting.append((count, continuation)) }
        return state.count >= count
      }
      if isReached { continuation.resume() }
    }
  }
}
