// SPDX-License-Identifier: Apache-2.0

/// The breaker's rules, without a clock or a lock: time comes in as the time since the breaker was made.
///
/// Each change of state begins a new generation. A permit belongs to the generation in which it was given, and an
/// outcome from an earlier one says nothing about the endpoint as it is now.
struct BreakerMachine {
  enum Admission: Equatable {
    case admitted(generation: UInt64)
    /// With the time until the next probe, where that is known.
    case rejected(timeLeft: Duration?)
  }

  struct Change: Equatable {
    var from: CircuitBreaker.State
    var to: CircuitBreaker.State
  }

  private enum Phase {
    case closed(failures: Int)
    case open(until: Duration)
    /// `since`: when the last probe was let through.
    case halfOpen(permitsInUse: Int, since: Duration)
  }

  private let settings: CircuitBreaker.Settings
  private var phase = Phase.closed(failures: 0)
  private var generation: UInt64 = 0

  init(settings: CircuitBreaker.Settings) {
    // Applies the bounds again: the fields can be set without them.
    self.settings = CircuitBreaker.Settings(
      failureThreshold: settings.failureThreshold, openDuration: settings.openDuration,
      halfOpenPermits: settings.halfOpenPermits)
  }

  var state: CircuitBreaker.State {
    switch phase {
    case .closed: .closed
    case .open: .open
    case .halfOpen: .halfOpen
    }
  }

  func timeLeft(at time: Duration) -> Duration? {
    guard case .open(let until) = phase else { return nil }
    return max(.zero, until - time)
  }

  mutating func acquire(at now: @autoclosure () -> Duration) -> (Admission, Change?) {
    switch phase {
    case .closed:
      return (.admitted(generation: generation), nil)
    case .open(let until):
      let time = now()
      if time < until { return (.rejected(timeLeft: until - time), nil) }
      let change = enter(.halfOpen(permitsInUse: 1, since: time))
      return (.admitted(generation: generation), change)
    case .halfOpen(let permitsInUse, let since):
      let time = now()
      // A probe may hang, or be an endless stream: after `openDuration` it does not block the next one.
      guard permitsInUse < settings.halfOpenPermits || time - since >= settings.openDuration else {
        return (.rejected(timeLeft: nil), nil)
      }
      phase = .halfOpen(permitsInUse: permitsInUse + 1, since: time)
      return (.admitted(generation: generation), nil)
    }
  }

  mutating func settle(
    _ outcome: BreakerOutcome, generation: UInt64, at now: @autoclosure () -> Duration
  ) -> Change? {
    guard generation == self.generation else { return nil }
    switch (phase, outcome) {
    case (.closed, .success):
      phase = .closed(failures: 0)
      return nil
    case (.closed(let failures), .failure):
      guard failures + 1 >= settings.failureThreshold else {
        phase = .closed(failures: failures + 1)
        return nil
      }
      return enter(.open(until: now() + settings.openDuration))
    case (.halfOpen, .success):
      return enter(.closed(failures: 0))
    case (.halfOpen, .failure):
      return enter(.open(until: now() + settings.openDuration))
    case (.halfOpen(let permitsInUse, let since), .neutral):
      phase = .halfOpen(permitsInUse: permitsInUse - 1, since: since)
      return nil
    case (.closed, .neutral), (.open, _):
      return nil
    }
  }

  /// A call that goes on has been answered: as a probe it has succeeded. Its outcome is still to be settled.
  ///
  /// - Returns: The generation that the outcome counts in.
  mutating func answered(generation: UInt64) -> (generation: UInt64, Change?) {
    guard generation == self.generation, case .halfOpen = phase else { return (generation, nil) }
    let change = enter(.closed(failures: 0))
    return (self.generation, change)
  }

  private mutating func enter(_ next: Phase) -> Change {
    let from = state
    phase = next
    generation += 1
    return Change(from: from, to: state)
  }
}
