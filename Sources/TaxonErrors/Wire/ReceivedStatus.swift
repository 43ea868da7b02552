// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// A failed call as it arrived.
public struct ReceivedStatus: Hashable, Sendable {
  /// From `grpc-status`.
  public var code: StatusCode
  /// From `grpc-message`, percent-decoded.
  public var message: String
  /// From `grpc-status-details-bin`, base64-decoded; nil when there is none.
  public var details: [UInt8]?
  /// From `grpc-retry-pushback-ms`.
  public var pushback: RetryPushback?
  /// From `retry-after`, which servers and proxies send as seconds or as a date (RFC 9110 §10.2.3).
  public var retryAfter: Duration?

  /// A status from its trailers. `.ok` is not a failure and becomes `.unknown`.
  ///
  /// - Parameter now: Seconds since 1970, against which a date in `retryAfter` is read; without, a date says nothing.
  public init(
    code: StatusCode, message: String = "", details: [UInt8]? = nil, pushback: String? = nil, retryAfter: String? = nil,
    now: @autoclosure () -> Int64? = nil
  ) {
    self.code = code == .ok ? .unknown : code
    self.message = message
    self.details = details
    self.pushback = pushback.map { RetryPushback(header: $0) }
    self.retryAfter = retryAfter.flatMap { Self.seconds($0) ?? Self.seconds(untilDate: $0, now()) }
  }
}

extension ReceivedStatus {
  /// Reads digits alone. A number beyond the largest duration becomes the largest duration.
  private static func seconds(_ text: String) -> Duration? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
      return nil
    }
    return Int64(text).map { Duration.seconds($0).bounded } ?? .longest
  }

  private static func seconds(untilDate text: String, _ now: Int64?) -> Duration? {
    guard let now, let date = HTTPDate.seconds(text) else { return nil }
    return .seconds(max(date - now, 0)).bounded
  }
}

/// The error that a failed call amounts to, and what was wrong with how it arrived.
public struct Received<Failure: ErrorUnion>: Sendable {
  /// The error, as one of those that the method declares where it is one.
  public var error: Failure
  /// What the caller should log. Empty when all was well.
  public var notes: [WireNote]
}

/// Dates as HTTP has them (RFC 9110 §5.6.7).
enum HTTPDate {
  /// Seconds since 1970 of an IMF-fixdate, such as "Sun, 06 Nov 1994 08:49:37 GMT"; nil for anything else. The two obsolete
  /// forms, which senders must not use, are not read.
  static func seconds(_ text: String) -> Int64? {
    let parts = text.split(separator: " ", omittingEmptySubsequences: false)
    guard text.utf8.count == 29, parts.count == 6, parts[0].utf8.count == 4, parts[0].last == ",", parts[5] == "GMT",
      let day = number(parts[1], 2, 1...31),
      let month = months.firstIndex(of: String(parts[2])),
      let year = number(parts[3], 4, 1970...9999)
    else { return nil }
    let time = parts[4].split(separator: ":", omittingEmptySubsequences: false)
    // 60 is a leap second.
    guard time.count == 3, let hour = number(time[0], 2, 0...23), let minute = number(time[1], 2, 0...59),
      let second = number(time[2], 2, 0...60)
    else { return nil }
    return days(year, Int64(month) + 1, day) * 86_400 + hour * 3600 + minute * 60 + second
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  private static func number(_ text: Substring, _ digits: Int, _ range: ClosedRange<Int64>) -> Int64? {
    guard text.utf8.count == digits, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let number = Int64(text), range.contains(number)
    else { return nil }
    return number
  }

  /// Days since 1970-01-01 in the Gregorian calendar, whose years begin here in March, so that leap days end them.
  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let year = month > 2 ? year : year - 1
    let century = year / 100
    let fromMarch = (month + 9) % 12
    return year * 365 + year / 4 - century + century / 4 + (153 * fromMarch + 2) / 5 + day - 719_469
  }
}

/// How it is known that a server did not take a call.
public enum Refusal: Sendable, Hashable {
  /// Proven: the stream never left, or a GOAWAY names a lower last stream. The call may be sent again whatever its
  /// method (gRPC A6, "Transparent Retries").
  case unprocessed
  /// The server reset the stream with REFUSED_STREAM before a head came. HTTP/2 promises that the request was not
  /// processed (RFC 9113 §8.7), but proxies send it for requests that their upstream did process.
  case refusedStream
}
