// SPDX-License-Identifier: Apache-2.0

#if canImport(FoundationEssentials)
  public import FoundationEssentials
#else
  public import Foundation
#endif

extension Google_Protobuf_Timestamp {
  /// The time that has passed since 1970-01-01 00:00 UTC, without leap seconds; negative before. The nearest there is where
  /// a peer sent a time that is not between the years 1 and 9999.
  public var sinceEpoch: Swift.Duration { Self.bounded(.seconds(seconds) + .nanoseconds(Int64(nanos))) }

  private static let first: Swift.Duration = .seconds(TimeBounds.timestampSeconds.lowerBound)
  private static let last: Swift.Duration =
    .seconds(TimeBounds.timestampSeconds.upperBound) + .nanoseconds(Int64(TimeBounds.nanos.upperBound))

  private static func bounded(_ sinceEpoch: Swift.Duration) -> Swift.Duration {
    sinceEpoch < first ? first : sinceEpoch > last ? last : sinceEpoch
  }

  /// The time at a distance from 1970-01-01 00:00 UTC; what is less than a nanosecond is cut off. The nearest there is where
  /// it is not between the years 1 and 9999.
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
  /// The time on the wall when a clock shows, or has shown, an instant: `Timestamp(deadline, of: .continuous)`.
  ///
  /// As exact as the two clocks run alike from now to then.
  public init<C: Clock>(_ instant: C.Instant, of clock: C) where C.Duration == Swift.Duration {
    self = .now + clock.now.duration(to: instant)
  }

  /// What a clock shows, or has shown, at this time on the wall.
  ///
  /// As exact as the two clocks run alike from now to then.
  public func instant<C: Clock>(of clock: C) -> C.Instant where C.Duration == Swift.Duration {
    clock.now.advanced(by: self - .now)
  }

  /// A later time; an earlier one for a negative duration. What is less than a nanosecond is cut off.
  public static func + (time: Self, duration: Swift.Duration) -> Self {
    Self(sinceEpoch: time.sinceEpoch + duration.bounded)
  }

  /// An earlier time; a later one for a negative duration. What is less than a nanosecond is cut off.
  public static func - (time: Self, duration: Swift.Duration) -> Self {
    Self(sinceEpoch: time.sinceEpoch - duration.bounded)
  }

  /// How long it takes from one time to the other.
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

  /// The time on the wall, as the system has it; to some hundred nanoseconds.
  public static var now: Google_Protobuf_Timestamp { Google_Protobuf_Timestamp(Date.now) }

  /// The time of a date, to the nanosecond; the nearest there is where it is not between the years 1 and 9999, 1970
  /// where it is not a number.
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
  /// The date of a timestamp; as near as a Double comes, which is some hundred nanoseconds in our days.
  public init(_ timestamp: Google_Protobuf_Timestamp) {
    let seconds = Double(timestamp.seconds) - Double(Google_Protobuf_Timestamp.referenceDate)
    self.init(timeIntervalSinceReferenceDate: seconds + Double(timestamp.nanos) / 1e9)
  }
}
