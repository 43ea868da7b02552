// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// Measures whether the body of a request comes too slowly. Only the time counts in which the server waits for it. No I/O.
struct BodyClock {
  private let timeout: TimeAmount
  private let rate: Int64
  private var waited = TimeAmount.zero
  private var count: Int64 = 0
  private var since: NIODeadline?

  /// - Parameter rate: Bytes a second; 0 asks nothing.
  init(timeout: Duration, rate: Int) {
    self.timeout = TimeAmount(saturating: timeout)
    self.rate = Int64(rate)
  }

  /// More of the body is waited for from now on.
  mutating func wait(_ now: NIODeadline) { if since == nil { since = now } }

  /// Nothing is waited for: the peer may pause, or there is no room for more.
  mutating func pause(_ now: NIODeadline) {
    guard let since else { return }
    waited = waited + (now - since)
    self.since = nil
  }

  /// Bytes of the body came.
  mutating func receive(_ count: Int, _ now: NIODeadline) {
    pause(now)
    self.count += Int64(count)
  }

  /// When the peer is too slow, if nothing more comes; nil while nothing is waited for.
  var deadline: NIODeadline? {
    guard let since else { return nil }
    guard rate > 0 else { return since + timeout }
    // So long all that came may have taken.
    let (seconds, rest) = count.quotientAndRemainder(dividingBy: rate)
    let earned = TimeAmount.seconds(min(seconds, 1 << 32)) + .nanoseconds(rest * 1_000_000_000 / rate)
    return since + min(timeout, max(timeout, earned) - waited)
  }
}
