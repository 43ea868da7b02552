// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

/// Keeps calls away from an endpoint that is failing.
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
  /// since it is not known how long they take.
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

  /// The state. An open breaker stays open until its time is over and a permit is asked for.
  public var state: State { machine.withLock { $0.state } }

  /// The time until the next probe; nil unless the breaker is open.
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
  /// The state of a breaker.
  public enum State: Hashable, Sendable {
    /// Calls pass.
    case closed
    /// Calls are rejected.
    case open
    /// A few calls pass, to see whether the endpoint works again.
    case halfOpen
  }
}

extension CircuitBreaker {
  /// The numbers a breaker works with. The defaults are those of OctoLLM's standard.
  public struct Settings: Hashable, Sendable {
    /// Failures in a row that open a closed breaker; at least 1.
    public var failureThreshold: Int
    /// How long an open breaker rejects calls before it lets a probe through, and a half-open one before it lets another
    /// through beside a probe that is still going on.
    public var openDuration: Duration
    /// Probes under way at one time while half-open; at least 1.
    public var halfOpenPermits: Int

    /// Settings; numbers outside their bounds are brought to them.
    public init(failureThreshold: Int = 5, openDuration: Duration = .seconds(60), halfOpenPermits: Int = 1) {
      self.failureThreshold = max(1, failureThreshold)
      self.openDuration = max(.zero, openDuration.bounded)
      self.halfOpenPermits = max(1, halfOpenPermits)
    }
  }
}

extension CircuitBreaker {
  /// Permission to make one call. Settle it with the call's outcome; a permit that is dropped counts as neutral, so
  /// that a caller cannot leave a half-open breaker waiting.
  public struct Permit: ~Copyable, Sendable {
    private let breaker: CircuitBreaker
    private var generation: UInt64
    private var isSettled = false

    init(breaker: CircuitBreaker, generation: UInt64) {
      self.breaker = breaker
      self.generation = generation
    }

    /// Reports that the endpoint answers while the call goes on, as a stream may without end: this closes a half-open
    /// breaker. The outcome must still be settled, and counts like any other.
    public mutating func answered() {
      generation = breaker.answered(generation: generation)
    }

    /// Reports the outcome of the call.
    public consuming func settle(_ outcome: BreakerOutcome) {
      isSettled = true
      breaker.settle(outcome, generation: generation, cause: nil)
    }

    /// Reports that the call failed; what that means to the breaker follows from the error.
    public consuming func settle(throwing error: any Error) {
      isSettled = true
      let error = RPCError.lift(error)
      breaker.settle(BreakerOutcome(error.breaker), generation: generation, cause: error.identity)
    }

    deinit {
      if !isSettled { breaker.settle(.neutral, generation: generation, cause: nil) }
    }
  }
}

extension CircuitBreaker {
  /// Makes a call under the breaker. Throws what the call throws, or `CIRCUIT_OPEN` without making it.
  @discardableResult
  public nonisolated(nonsending) func call<T>(_ body: () async throws -> T) async throws -> T {
    try await call(with: try acquire(), body)
  }

  /// Makes a call under the breaker. Throws what the call throws, or `CIRCUIT_OPEN` in the call's own type without
  /// making it.
  @discardableResult
  public nonisolated(nonsending) func call<T, Failure: ErrorUnion>(
    _ body: () async throws(Failure) -> T
  ) async throws(Failure) -> T {
    let permit: Permit
    do {
      permit = try acquire()
    } catch {
      throw Failure.lift(error)
    }
    return try await call(with: permit, body)
  }

  private nonisolated(nonsending) func call<T, Failure: Error>(
    with permit: consuming Permit, _ body: () async throws(Failure) -> T
  ) async throws(Failure) -> T {
    let value: T
    do {
      value = try await body()
    } catch {
      permit.settle(throwing: error)
      throw error
    }
    permit.settle(.success)
    return value
  }
}

/// What a call tells the breaker of its endpoint.
public enum BreakerOutcome: Hashable, Sendable {
  /// The endpoint works.
  case success
  /// The endpoint is failing.
  case failure
  /// Nothing, such as an error of the caller's own making, or a call that was cancelled.
  case neutral

  /// The outcome of a call that threw: from the error's breaker class. An error that is not a taxonomy error and cannot
  /// be converted to one is a failure; a `CancellationError` is neutral.
  public init(_ error: any Error) {
    self.init(RPCError.lift(error).breaker)
  }

  /// The outcome that a breaker class stands for.
  public init(_ breaker: BreakerClass) {
    switch breaker {
    case .success: self = .success
    case .failure: self = .failure
    default: self = .neutral
    }
  }
}

extension CircuitBreaker {
  /// A change of a breaker's state.
  public struct Transition: Hashable, Sendable {
    /// What the breaker guards.
    public var endpoint: String
    /// The state before.
    public var from: State
    /// The state after.
    public var to: State
    /// The error that caused it, where one did.
    public var cause: ErrorIdentity?
    /// How long calls are rejected now, when it opened.
    public var openFor: Duration?
  }
}

extension CircuitBreaker.Transition: CustomStringConvertible {
  /// A line for a log, such as "circuit breaker for llm: closed → open for 60.0 seconds after llm.example/DOWN".
  public var description: String {
    var text = "circuit breaker for \(endpoint): \(from) → \(to)"
    if let openFor { text += " for \(openFor)" }
    if let cause { text += " after \(cause)" }
    return text
  }
}

extension CircuitBreaker.State: CustomStringConvertible {
  /// "closed", "open" or "half-open".
  public var description: String {
    switch self {
    case .closed: "closed"
    case .open: "open"
    case .halfOpen: "half-open"
    }
  }
}
