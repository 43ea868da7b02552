// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// A clock that stands still until it is told. Who sleeps on it passes the time at once, and the sleep is noted.
final class ManualClock: Clock, Sendable {
  struct Instant: InstantProtocol {
    var time: Duration

    func advanced(by duration: Duration) -> Instant { Instant(time: time + duration) }
    func duration(to other: Instant) -> Duration { other.time - time }
    static func < (left: Instant, right: Instant) -> Bool { left.time < right.time }
  }

  private let state = Locked((now: Duration.zero, sleeps: [Duration]()))
  private let onSleep: @Sendable () -> Void

  init(onSleep: @escaping @Sendable () -> Void = {}) {
    self.onSleep = onSleep
  }

  var now: Instant { Instant(time: state.withLock { $0.now }) }
  var minimumResolution: Duration { .nanoseconds(1) }
  var sleeps: [Duration] { state.withLock { $0.sleeps } }

  func advance(by duration: Duration) {
    state.withLock { $0.now += duration }
  }

  func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    onSleep()
    try Task.checkCancellation()
    state.withLock { state in
      state.sleeps.append(deadline.time - state.now)
      state.now = max(state.now, deadline.time)
    }
  }
}

/// The same numbers each time: SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64 = 42

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var bits = state
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }
}

/// Collects what a handler is told.
final class Log<Entry: Sendable>: Sendable {
  private let state = Locked([Entry]())

  var entries: [Entry] { state.withLock { $0 } }
  func append(_ entry: Entry) { state.withLock { $0.append(entry) } }
  func removeAll() { state.withLock { $0 = [] } }
}
