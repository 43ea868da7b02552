// SPDX-License-Identifier: Apache-2.0
import Taxon

/// Lets at most `limit` through within any window of time.
public final class RateLimiter: Sendable {
  /// How many in one window; at least 1.
  public let limit: Int
  /// How long the window is.
  public let window: Duration
  /// When those were let through that still count, oldest first.
  private let admitted = Locked<[Duration]>([])
  private let now: @Sendable () -> Duration

  /// A limiter whose window is empty.
  public init(limit: Int, window: Duration, clock: some Clock<Duration> = ContinuousClock()) {
    self.limit = max(1, limit)
    self.window = window
    let start = clock.now
    now = { start.duration(to: clock.now) }
  }

  /// Lets one through, or says how long it takes until there is room.
  ///
  /// - Returns: nil for one who is let through.
  public func admit() -> Duration? {
    let now = now()
    return admitted.withLock { admitted in
      if let recent = admitted.firstIndex(where: { now - $0 < window }) {
        admitted.removeSubrange(..<recent)
      } else {
        admitted.removeAll(keepingCapacity: true)
      }
      guard admitted.count < limit else { return admitted[0] + window - now }
      admitted.append(now)
      return nil
    }
  }
}
