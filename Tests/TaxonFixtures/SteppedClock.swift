// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// A clock that goes on when it is told; who sleeps on it passes the time at once.
package final class SteppedClock: Clock {
  package struct Instant: InstantProtocol {
    package var time: Duration

    package func advanced(by duration: Duration) -> Instant { Instant(time: time + duration) }
    package func duration(to other: Instant) -> Duration { other.time - time }
    package static func < (left: Instant, right: Instant) -> Bool { left.time < right.time }
  }

  private let time = Locked(Duration.zero)

  /// A clock that begins at zero.
  package init() {}

  package var now: Instant { Instant(time: time.withLock { $0 }) }
  package var minimumResolution: Duration { .nanoseconds(1) }

  package func advance(by duration: Duration) { time.withLock { $0 += duration } }

  package func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    try Task.checkCancellation()
    time.withLock { $0 = max($0, deadline.time) }
  }
}
