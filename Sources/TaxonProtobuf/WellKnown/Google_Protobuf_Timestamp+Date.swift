// SPDX-License-Identifier: Apache-2.0

#if canImport(FoundationEssentials)
  public import FoundationEssentials
#else
  public import Foundation
#endif

extension Google_Protobuf_Timestamp {
  /// Seconds from 1970, where timestamps count from, to 2001, where dates do.
  fileprivate static let referenceDate: Int64 = 978_307_200

  /// The time on the wall, as the system has it; to some hundred nanoseconds.
  public static var now: Google_Protobuf_Timestamp { Google_Protobuf_Timestamp(Date.now) }

  /// The time of a date, to the nanosecond; the nearest there is where it is not between the years 1 and 9999, 1970
  /// where it is no number.
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
