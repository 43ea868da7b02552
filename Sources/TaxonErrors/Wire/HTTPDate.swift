// SPDX-License-Identifier: Apache-2.0

/// Dates as HTTP has them (RFC 9110 §5.6.7).
enum HTTPDate {
  /// Seconds since 1970 of an IMF-fixdate, such as "Sun, 06 Nov 1994 08:49:37 GMT"; nil for anything else. The two obsolete
  /// forms, which nobody may send, are not read.
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
