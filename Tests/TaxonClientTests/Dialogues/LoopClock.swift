// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOEmbedded

/// A clock that shows the time of an event loop which a test moves. To be used on the loop's thread.
struct LoopClock: Clock {
  struct Instant: InstantProtocol {
    var offset: Duration
    func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
    func duration(to other: Instant) -> Duration { other.offset - offset }
    static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
  }

  let loop: EmbeddedEventLoop

  var now: Instant { Instant(offset: .nanoseconds(Int64(loop.now.uptimeNanoseconds))) }
  var minimumResolution: Duration { .nanoseconds(1) }

  // Reached on the loop's thread alone.
  private final class Sleeper: @unchecked Sendable {
    var continuation: CheckedContinuation<Void, Never>?
    var timer: Scheduled<Void>?

    func wake() {
      timer?.cancel()
      timer = nil
      continuation.take()?.resume()
    }
  }

  func sleep(until deadline: Instant, tolerance: Duration?) async throws {
    try Task.checkCancellation()
    let sleeper = Sleeper()
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        sleeper.continuation = continuation
        if Task.isCancelled { return sleeper.wake() }
        // The longest that a deadline has room for is some 290 years.
        let pause = min(max(.zero, now.duration(to: deadline)), .seconds(100 * 365 * 86_400))
        sleeper.timer = loop.scheduleTask(in: TimeAmount(pause)) { sleeper.wake() }
      }
    } onCancel: {
      sleeper.wake()
    }
    try Task.checkCancellation()
  }
}
