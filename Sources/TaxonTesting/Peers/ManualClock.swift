// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// A clock that stands still until it is told, for whatever takes a `Clock`: a channel's pauses, breakers, faults.
///
/// Who sleeps on it passes the time at once, and the sleep is noted: a retry after a minute takes no time, and the test sees the
/// minute. With `sleepersWait`, who sleeps waits until the test has moved the clock far enough.
///
/// ```swift
/// let clock = ManualClock()
/// configuration.clock = clock
/// …
/// #expect(clock.sleeps == [.seconds(1), .seconds(2)])
/// ```
public final class ManualClock: Clock, Sendable {
  /// A time on the clock, counted from its beginning.
  public struct Instant: InstantProtocol {
    /// Since the clock began.
    public var time: Duration

    /// So much time since the clock began.
    public init(time: Duration) { self.time = time }

    /// The instant so much later.
    public func advanced(by duration: Duration) -> Instant { Instant(time: time + duration) }
    /// How much later another one is.
    public func duration(to other: Instant) -> Duration { other.time - time }
    /// Whether one is earlier than the other.
    public static func < (left: Instant, right: Instant) -> Bool { left.time < right.time }
  }

  private struct Sleeper {
    let number: Int
    let deadline: Duration
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var now = Duration.zero
    var sleeps: [Duration] = []
    var sleepers: [Sleeper] = []
    var cancelled: Set<Int> = []
    var count = 0
    /// Who waits for so many sleepers.
    var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
  }

  private let state = Locked(State())
  private let sleepersWait: Bool
  private let onSleep: @Sendable () -> Void

  /// A clock that begins at zero.
  ///
  /// - Parameters:
  ///   - sleepersWait: True: who sleeps waits for `advance(by:)`. False: sleeping moves the clock.
  ///   - onSleep: Called when somebody begins to sleep.
  public init(sleepersWait: Bool = false, onSleep: @escaping @Sendable () -> Void = {}) {
    self.sleepersWait = sleepersWait
    self.onSleep = onSleep
  }

  /// The time.
  public var now: Instant { Instant(time: state.withLock { $0.now }) }
  /// A nanosecond.
  public var minimumResolution: Duration { .nanoseconds(1) }
  /// How long each sleep was to last, in the order in which they began.
  public var sleeps: [Duration] { state.withLock { $0.sleeps } }
  /// How many wait for the clock to go on.
  public var sleepers: Int { state.withLock { $0.sleepers.count } }

  /// Returns when so many wait for the clock to go on: before a test moves it.
  public func waitForSleepers(_ count: Int = 1) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.sleepers.count < count { state.waiting.append((count, continuation)) }
        return state.sleepers.count >= count
      }
      if isThere { continuation.resume() }
    }
  }

  /// Moves the clock, and wakes those whose time has come.
  public func advance(by duration: Duration) {
    let due = state.withLock { state in
      state.now += duration
      let now = state.now
      defer { state.sleepers.removeAll { $0.deadline <= now } }
      return state.sleepers.filter { $0.deadline <= now }.sorted { ($0.deadline, $0.number) < ($1.deadline, $1.number) }
    }
    for sleeper in due { sleeper.continuation.resume() }
  }

  /// Sleeps until an instant.
  ///
  /// - Throws: `CancellationError` when the task is cancelled.
  public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    onSleep()
    try Task.checkCancellation()
    let number = state.withLock { state in
      state.sleeps.append(deadline.time - state.now)
      state.count += 1
      if !sleepersWait { state.now = max(state.now, deadline.time) }
      return state.count
    }
    guard sleepersWait else { return }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let (outcome, ready) = state.withLock {
          state -> (Result<Void, any Error>?, [CheckedContinuation<Void, Never>]) in
          if state.cancelled.remove(number) != nil { return (.failure(CancellationError()), []) }
          if deadline.time <= state.now { return (.success(()), []) }
          state.sleepers.append(Sleeper(number: number, deadline: deadline.time, continuation: continuation))
          let count = state.sleepers.count
          defer { state.waiting.removeAll { $0.count <= count } }
          return (nil, state.waiting.filter { $0.count <= count }.map(\.continuation))
        }
        if let outcome { continuation.resume(with: outcome) }
        for waiter in ready { waiter.resume() }
      }
    } onCancel: {
      let sleeper = state.withLock { state -> Sleeper? in
        guard let index = state.sleepers.firstIndex(where: { $0.number == number }) else {
          state.cancelled.insert(number)
          return nil
        }
        return state.sleepers.remove(at: index)
      }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
    state.withLock { _ = $0.cancelled.remove(number) }
  }
}
