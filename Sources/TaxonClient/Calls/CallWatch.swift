// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// Tells of the end of a streaming call, once: when the attempt has ended that was kept.
final class CallWatch<Failure: ErrorUnion>: Sendable {
  private struct State {
    var last: StreamEnd<Failure>?
    var isKept = false
  }

  private let state = Locked(State())
  private let report: @Sendable (StreamEnd<Failure>) -> Void

  init(report: @escaping @Sendable (StreamEnd<Failure>) -> Void) { self.report = report }

  /// How the attempt ended that failed with the error.
  func attemptEnd(_ error: Failure) -> AttemptEnd {
    guard let last = state.withLock({ $0.last }) else { return AttemptEnd(error: error) }
    return AttemptEnd(
      error: error, initial: last.initial, trailing: last.trailing, refusal: last.refusal, notes: last.notes)
  }

  /// A new attempt begins.
  func attempting() { state.withLock { $0.last = nil } }

  /// The attempt has ended.
  func ended(_ end: StreamEnd<Failure>) {
    let isKept = state.withLock { state in
      state.last = end
      return state.isKept
    }
    if isKept { report(end) }
  }

  /// The attempt that is going on, or has just ended, is the one that the caller sees.
  func keep() {
    let end = state.withLock { state in
      state.isKept = true
      return state.last
    }
    if let end { report(end) }
  }
}
