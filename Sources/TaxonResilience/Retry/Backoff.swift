// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// How the pauses between retries grow: base × factor ^ (retry − 1), at most the cap, times a random factor, so that
/// clients that failed together do not return together. The defaults are those of OctoLLM's standard.
public struct Backoff: Hashable, Sendable {
  /// The pause before the first retry.
  public var base: Duration
  /// How many times as long each pause is as the one before; at least 1.
  public var factor: Double
  /// The longest pause, before the random factor.
  public var cap: Duration
  /// The range of the random factor, at most 1000; 1...1 for none.
  public var jitter: ClosedRange<Double>

  /// A backoff; numbers outside their bounds are brought to them.
  public init(
    base: Duration = .seconds(1), factor: Double = 2, cap: Duration = .seconds(60),
    jitter: ClosedRange<Double> = 0.5...1
  ) {
    self.base = max(.zero, base.bounded)
    self.factor = max(1, factor)
    self.cap = max(.zero, cap.bounded)
    self.jitter = Self.finite(jitter)
  }

  /// The pause before a retry, the first of which is number 1.
  public func delay(retry: Int, using generator: inout some RandomNumberGenerator) -> Duration {
    let seconds = grown(base, retry: retry)
    return Duration(boundedSeconds: seconds * Double.random(in: Self.finite(jitter), using: &generator))
  }

  /// The pause before a retry when one of at least `hint` was asked for: it grows as the others do, its random factor
  /// only lengthens it, and the cap bounds it. `hint` is above zero and at most the cap.
  func delay(hint: Duration, retry: Int, using generator: inout some RandomNumberGenerator) -> Duration {
    let jitter = Self.finite(jitter)
    let spread = 1 + jitter.upperBound - jitter.lowerBound
    let least = hint / .seconds(1)
    let grown = grown(hint, retry: retry)
    if grown <= least, spread == 1 { return hint }
    // At the cap the range reaches down instead, so that clients still return one after the other.
    let high = min(grown * spread, limit)
    let low = max(least, min(grown, high / spread))
    let delay = Duration(boundedSeconds: low < high ? Double.random(in: low...high, using: &generator) : low)
    return min(max(hint, delay), max(.zero, cap.bounded))
  }

  /// The cap in seconds.
  private var limit: Double { max(0, cap.bounded / .seconds(1)) }

  /// Seconds that grow from a pause before the first retry.
  private func grown(_ first: Duration, retry: Int) -> Double {
    let limit = limit
    var seconds = min(max(0, first.bounded / .seconds(1)), limit)
    var remaining = max(1, retry) - 1
    // By squaring: there may be any number of retries, and a factor of nearly 1.
    var power = factor
    while remaining > 0, seconds > 0, seconds < limit, power > 1 {
      if remaining & 1 == 1 { seconds = min(seconds * power, limit) }
      power *= power
      remaining >>= 1
    }
    return seconds
  }

  /// A range that random numbers can be drawn from, whatever the field was set to.
  private static func finite(_ jitter: ClosedRange<Double>) -> ClosedRange<Double> {
    let most = 1000.0
    return min(max(0, jitter.lowerBound), most)...min(max(0, jitter.upperBound), most)
  }
}
