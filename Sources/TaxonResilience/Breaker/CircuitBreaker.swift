// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

/// Keeps calls from an endpoint that is failing.
///
/// Closed, it lets every call through and counts failures in a row; at the threshold it opens and rejects calls with
/// `CIRCUIT_OPEN`. After a while it lets a few probes through (half-open): a success closes it, a failure opens it
/// again, and a neutral outcome only gives the probe's permit back. A probe that is still going on after another
/// `openDuration` lets one more through.
public final class CircuitBreaker: Sendable {
  /// What the breaker guards, as errors and transitions name it.
  public let endpoint: String
  /// The numbers it works with.
  public let settings: Settings
  private let machine: Locked<BreakerMachine>
  private let now: @Sendable () -> Duration
  private let onTransition: (@Sendable (Transition) -> Void)?

  /// A closed breaker.
  ///
  /// `onTransition` is called after each change of state, outside the breaker's lock, on the thread that caused it:
  /// handlers of two changes close in time may run in either order.
  public init<C: Clock<Duration>>(
    endpoint: String, settings: Settings = Settings(), clock: C = ContinuousClock(),
    onTransition: (@Sendable (Transition) -> Void)? = nil
  ) {
    self.endpoint = endpoint
    self.settings = settings
    self.onTransition = onTransition
    machine = Locked(BreakerMachine(settings: settings))
    let start = clock.now
    now = { start.duration(to: clock.now) }
  }

  /// A permit for one call, to be settled with the call's outcome.
  ///
  /// Throws `CIRCUIT_OPEN`, with the time left as its retry-after: none while it is half-open and probes are under way,
  /// since nobody knows how long they take.
  public func acquire() throws(ConnectionError.CircuitOpen) -> Permit {
    let (admission, change) = machine.withLock { $0.acquire(at: now()) }
    report(change, cause: nil)
    switch admission {
    case .admitted(let generation):
      return Permit(breaker: self, generation: generation)
    case .rejected(let timeLeft):
      throw ConnectionError.CircuitOpen(endpoint: endpoint, retryAfter: timeLeft)
    }
  }

  /// The state. An open breaker stays open until its time is over and somebody asks for a permit.
  public var state: State { machine.withLock { $0.state } }

  /// Until the next probe is let through; nil unless the breaker is open.
  public var timeLeft: Duration? {
    let time = now()
    return machine.withLock { $0.timeLeft(at: time) }
  }

  func settle(_ outcome: BreakerOutcome, generation: UInt64, cause: ErrorIdentity?) {
    let change = machine.withLock { $0.settle(outcome, generation: generation, at: now()) }
    report(change, cause: cause)
  }

  /// Notes that the call of a permit has been answered, and returns the generation that its outcome counts in.
  func answered(generation: UInt64) -> UInt64 {
    let (generation, change) = machine.withLock { $0.answered(generation: generation) }
    report(change, cause: nil)
    return generation
  }

  private func report(_ change: BreakerMachine.Change?, cause: ErrorIdentity?) {
    guard let change, let onTransition else { return }
    onTransition(
      Transition(
        endpoint: endpoint, from: change.from, to: change.to, cause: cause,
        openFor: change.to == .open ? settings.openDuration.bounded : nil))
  }
}

extension CircuitBreaker {
  /// Where a breaker stands.
  public enum State: Hashable, Sendable {
    /// Calls pass.
    case closed
    /// Calls are rejected.
    case open
    /// A few calls pass, to see whether the endpoint works again.
    case halfOpen
  }
}
