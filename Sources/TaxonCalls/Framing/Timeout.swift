// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// The value of the `grpc-timeout` header: at most eight digits and a unit (gRPC over HTTP/2, "Timeout").
package enum Timeout {
  /// The duration that the text stands for, at most that of protobuf's longest, or nil when it is not a timeout.
  package static func parse(_ text: some BidirectionalCollection<UInt8>) -> Duration? {
    guard let unit = text.last, text.count >= 2, text.count <= 9 else { return nil }
    var value: Int64 = 0
    for digit in text.dropLast() {
      guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
      value = value * 10 + Int64(digit - UInt8(ascii: "0"))
    }
    switch unit {
    case UInt8(ascii: "H"): return Duration.seconds(value * 3600).bounded
    case UInt8(ascii: "M"): return .seconds(value * 60)
    case UInt8(ascii: "S"): return .seconds(value)
    case UInt8(ascii: "m"): return .milliseconds(value)
    case UInt8(ascii: "u"): return .microseconds(value)
    case UInt8(ascii: "n"): return .nanoseconds(value)
    default: return nil
    }
  }

  /// The shortest text that says the duration in the finest unit that has room for it; what is below that unit is cut off.
  /// A duration that is not positive becomes `1n`.
  package static func format(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.bounded.components
    guard seconds >= 0, duration > .zero else { return "1n" }
    let limit: Int64 = 100_000_000
    if seconds == 0 {
      let nanoseconds = attoseconds / 1_000_000_000
      if nanoseconds < limit { return "\(max(nanoseconds, 1))n" }
    }
    if seconds < 100 { return "\(seconds * 1_000_000 + attoseconds / 1_000_000_000_000)u" }
    if seconds < limit / 1000 { return "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)m" }
    if seconds < limit { return "\(seconds)S" }
    if seconds / 60 < limit { return "\(seconds / 60)M" }
    return "\(min(seconds / 3600, limit - 1))H"
  }
}
