// SPDX-License-Identifier: Apache-2.0

extension Google_Protobuf_Duration {
  /// A duration of Swift's; what is less than a nanosecond is cut off. The nearest there is where it is beyond
  /// ±315,576,000,000.999999999 s.
  public init(_ duration: Swift.Duration) {
    let (seconds, nanos) = duration.boundedComponents
    self.init(seconds: seconds, nanos: nanos)
  }
}

extension Swift.Duration {
  /// A duration of protobuf's: the sum of its seconds and nanoseconds, or the nearest within
  /// ±315,576,000,000.999999999 s, where protobuf's durations end; a peer may send others.
  public init(_ duration: Google_Protobuf_Duration) {
    self = (.seconds(duration.seconds) + .nanoseconds(Int64(duration.nanos))).bounded
  }
}

// Swift's Duration counts attoseconds in 128 bits. `components`, `description`, `.seconds(Double)` and the clocks trap on
// what is beyond 64 bits of seconds, and a peer may send nearly that; so durations from peers, schemas and callers are
// brought into protobuf's bounds where they enter.
extension Swift.Duration {
  /// The longest duration of protobuf, some 10,000 years (google/protobuf/duration.proto).
  package static let longest: Duration =
    .seconds(TimeBounds.durationSeconds.upperBound) + .nanoseconds(Int64(TimeBounds.nanos.upperBound))

  /// The nearest duration that protobuf's can say.
  package var bounded: Duration {
    self > .longest ? .longest : self < .zero - .longest ? .zero - .longest : self
  }

  /// How long somebody asks to wait, in bounds: nil for zero and for what is negative.
  package var hint: Duration? { self > .zero ? bounded : nil }

  /// As long as somebody can wait: in bounds, and zero for what is negative.
  package var wait: Duration { max(.zero, bounded) }

  /// Whole seconds to wait, rounded up so that a retry never comes too early.
  package var waitSeconds: Int64 {
    let (seconds, attoseconds) = wait.components
    return attoseconds > 0 ? seconds + 1 : seconds
  }

  /// Whole milliseconds to wait, rounded up so that a retry never comes too early; at most 2,147,483,647, the most that gRPC's
  /// header may say.
  package var waitMilliseconds: Int64 {
    let most = Duration.milliseconds(Int32.max)
    if self >= most { return Int64(Int32.max) }
    let (seconds, attoseconds) = wait.components
    let perMillisecond: Int64 = 1_000_000_000_000_000
    return seconds * 1000 + (attoseconds + perMillisecond - 1) / perMillisecond
  }

  /// Whole seconds and nanoseconds of the same sign, in protobuf's bounds; what is less than a nanosecond is cut off.
  package var boundedComponents: (seconds: Int64, nanos: Int32) {
    let (seconds, attoseconds) = bounded.components
    return (seconds, Int32(attoseconds / 1_000_000_000))
  }

  /// The nearest number of nanoseconds that 64 bits hold: some 292 years.
  package var clampedNanoseconds: Int64 {
    if self >= .nanoseconds(Int64.max) { return .max }
    if self <= .nanoseconds(Int64.min) { return .min }
    let (seconds, attoseconds) = components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }

  /// The nearest duration in protobuf's bounds to a number of seconds; zero for what is not a number.
  package init(boundedSeconds seconds: Double) {
    let limit = Double(TimeBounds.durationSeconds.upperBound)
    self =
      seconds.isNaN ? .zero : seconds >= limit ? .longest : seconds <= -limit ? .zero - .longest : .seconds(seconds)
  }
}

extension Google_Protobuf_Duration {
  /// True when both fields are within what duration.proto allows, and of one sign.
  package var isInBounds: Bool {
    TimeBounds.durationSeconds.contains(seconds) && TimeBounds.nanos.contains(Int32(clamping: nanos.magnitude))
      && (seconds == 0 || nanos == 0 || (seconds < 0) == (nanos < 0))
  }
}
