// SPDX-License-Identifier: Apache-2.0
import Taxon

/// What channels decided, for the walk to print and to check.
final class EventLog: Sendable {
  private let events = Locked<[CallEvent]>([])

  func add(_ event: CallEvent) {
    events.withLock { $0.append(event) }
  }

  /// What came since the last time.
  func take() -> [CallEvent] {
    events.withLock { events in
      defer { events = [] }
      return events
    }
  }
}

extension [CallEvent] {
  /// The attempts that failed, with what was decided about each.
  var failures: [(error: any TaxonomyError, decision: RetryDecision)] {
    compactMap { event in
      if case .attemptFailed(_, _, let error, let decision) = event { (error, decision) } else { nil }
    }
  }

  /// The changes of a breaker's state.
  var transitions: [CircuitBreaker.Transition] {
    compactMap { event in if case .breaker(let transition) = event { transition } else { nil } }
  }
}
