// SPDX-License-Identifier: Apache-2.0
#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Google_Protobuf_Timestamp {
  /// The time that has passed since 1970-01-01 00:00 UTC, without leap seconds; negative before. A time outside of the
  /// years 1 to 9999, which a peer may send, gives the nearest one inside.
  public var sinceEpoch: Swift.Duration { Self.bounded(.seconds(seconds) + .nanoseconds(Int64(nanos))) }

  private static let first: Swift.Duration = .seconds(TimeBounds.timestampSeconds.lowerBound)
  private static let last: Swift.Duration =
    .seconds(TimeBounds.timestampSeconds.upperBound) + .nanoseconds(Int64(TimeBounds.nanos.upperBound))

  private static func bounded(_ sinceEpoch: Swift.Duration) -> Swift.Duration {
    sinceEpoch < first ? first : sinceEpoch > last ? last : sinceEpoch
  }

  /// The time at a distance from 1970-01-01 00:00 UTC; cut to nanoseconds, and brought into the years 1 to 9999.
  public init(sinceEpoch duration: Swift.Duration) {
    let (seconds, attoseconds) = Self.bounded(duration).components
    let nanos = attoseconds / 1_000_000_000
    // The nanoseconds of a timestamp count forward, also before 1970.
    self =
      nanos < 0
      ? Self(seconds: seconds - 1, nanos: Int32(nanos + 1_000_000_000)) : Self(seconds: seconds, nanos: Int32(nanos))
  }
}

extension Google_Protobuf_Timestamp {
  /// The wall-clock time at which a clock shows, or has shown, an instant: `Timestamp(deadline, of: .continuous)`.
  ///
  /// As exact as the two clocks agree from now to then.
  public init<C: Clock>(_ instant: C.Instant, of clock: C) where C.Duration == Swift.Duration {
    self = .now + clock.now.duration(to: instant)
  }

  /// The instant that a clock shows, or has shown, at this wall-clock time.
  ///
  /// As exact as the two clocks agree from now to then.
  public func instant<C: Clock>(of clock: C) -> C.Instant where C.Duration == Swift.Duration {
    clock.now.advanced(by: self - .now)
  }

  /// A later time; an earlier one for a negative duration. Cut to nanoseconds.
  public static func + (time: Self, duration: Swift.Duration) -> Self {
    Self(sinceEpoch: time.sinceEpoch + duration.bounded)
  }

  /// An earlier time; a later one for a negative duration. Cut to nanoseconds.
  public static func - (time: Self, duration: Swift.Duration) -> Self {
    Self(sinceEpoch: time.sinceEpoch - duration.bounded)
  }

  /// The time from `other` to `one`.
  public static func - (one: Self, other: Self) -> Swift.Duration {
    one.sinceEpoch - other.sinceEpoch
  }
}

extension Google_Protobuf_Timestamp: Comparable {
  /// Whether one time is before the other.
  public static func < (one: Self, other: Self) -> Bool {
    (one.seconds, one.nanos) < (other.seconds, other.nanos)
  }
}

extension Google_Protobuf_Timestamp {
  /// Seconds from 1970, where timestamps count from, to 2001, where dates do.
  fileprivate static let referenceDate: Int64 = 978_307_200

  /// The system's wall-clock time, to some hundred nanoseconds.
  public static var now: Google_Protobuf_Timestamp { Google_Protobuf_Timestamp(Date.now) }

  /// The time of a date, to the nanosecond; brought into the years 1 to 9999; 1970 for NaN.
  public init(_ date: Date) {
    let bounds = TimeBounds.timestampSeconds
    let whole = date.timeIntervalSinceReferenceDate.rounded(.down)
    let last = Double(bounds.upperBound - Self.referenceDate)
    if whole.isNaN {
      self.init()
    } else if whole > last {
      self.init(seconds: bounds.upperBound, nanos: TimeBounds.nanos.upperBound)
    } else if whole < Double(bounds.lowerBound - Self.referenceDate) {
      self.init(seconds: bounds.lowerBound)
    } else {
      let nanos = Int32(((date.timeIntervalSinceReferenceDate - whole) * 1e9).rounded())
      let seconds = Int64(whole) + Self.referenceDate
      self = nanos < 1_000_000_000 ? Self(seconds: seconds, nanos: nanos) : Self(seconds: seconds + 1)
    }
  }
}

extension Date {
  /// The date of a timestamp; with the precision of a Double, today some hundred nanoseconds.
  public init(_ timestamp: Google_Protobuf_Timestamp) {
    let seconds = Double(timestamp.seconds) - Double(Google_Protobuf_Timestamp.referenceDate)
    self.init(timeIntervalSinceReferenceDate: seconds + Double(timestamp.nanos) / 1e9)
  }
}

extension Google_Protobuf_Duration {
  /// A duration of Swift's, cut to nanoseconds and brought into protobuf's bounds of ±315,576,000,000.999999999 s.
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

  /// The nearest duration in protobuf's bounds.
  package var bounded: Duration {
    self > .longest ? .longest : self < .zero - .longest ? .zero - .longest : self
  }

  /// The duration as a request to wait, in bounds; nil for zero and below.
  package var hint: Duration? { self > .zero ? bounded : nil }

  /// The duration as a time to wait: in bounds, and zero for negative ones.
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

  /// Whole seconds and nanoseconds of the same sign, in protobuf's bounds; cut to nanoseconds.
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

  /// The nearest duration in protobuf's bounds to a number of seconds; zero for NaN.
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

/// A day of the Gregorian calendar, which is extended to all years.
package struct CivilDate: Equatable {
  var year: Int
  /// 1 to 12.
  var month: Int
  /// 1 to 31.
  var day: Int

  /// Days since 1970-01-01. The year is counted from March, so that a leap day is its last; 146,097 days are 400 years.
  package var daysSinceEpoch: Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  package init?(year: Int, month: Int, day: Int) {
    let isLeapYear = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    guard (1...12).contains(month) else { return nil }
    let length = month == 2 ? (isLeapYear ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    guard (1...length).contains(day) else { return nil }
    self.year = year
    self.month = month
    self.day = day
  }

  init(daysSinceEpoch days: Int) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }
}

/// The ranges of the well-known types.
enum TimeBounds {
  /// 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z, in seconds since 1970 (google/protobuf/timestamp.proto).
  static let timestampSeconds: ClosedRange<Int64> = -62_135_596_800...253_402_300_799
  /// About 10,000 years (google/protobuf/duration.proto).
  static let durationSeconds: ClosedRange<Int64> = -315_576_000_000...315_576_000_000
  /// Less than a second.
  static let nanos: ClosedRange<Int32> = 0...999_999_999
}
