// SPDX-License-Identifier: Apache-2.0

/// How the pauses between retries grow: base × factor ^ (retry − 1), at most the cap, times a random factor, so that
/// clients that failed together do not return together. The defaults are those of OctoLLM's standard.
public struct Backoff: Hashable, Sendable {
  /// The pause before the first retry.
  public var base: Duration
  /// By what each pause is longer than the one before; at least 1.
  public var factor: Double
  /// The longest pause.
  public var cap: Duration
  /// The range of the random factor; 1...1 for none.
  public var jitter: ClosedRange<Double>

  /// A backoff; numbers below their bounds are raised to them.
  public init(
    base: Duration = .seconds(1), factor: Double = 2, cap: Duration = .seconds(60),
    jitter: ClosedRange<Double> = 0.5...1
  ) {
    self.base = max(.zero, base)
    self.factor = max(1, factor)
    self.cap = max(.zero, cap)
    self.jitter = max(0, jitter.lowerBound)...max(0, jitter.upperBound)
  }

  /// The pause before a retry, the first of which is number 1.
  public func delay(retry: Int, using generator: inout some RandomNumberGenerator) -> Duration {
    let limit = cap / .seconds(1)
    var seconds = min(base / .seconds(1), limit)
    var remaining = max(1, retry) - 1
    while remaining > 0, seconds > 0, seconds < limit, factor > 1 {
      seconds = min(seconds * factor, limit)
      remaining -= 1
    }
    return .seconds(seconds * Double.random(in: jitter, using: &generator))
  }
}
