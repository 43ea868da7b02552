// SPDX-License-Identifier: Apache-2.0

/// Reads the texts of Timestamp and Duration.
struct TimeText {
  private let text: UnsafeBufferPointer<UInt8>
  private var position = 0

  init(_ text: UnsafeBufferPointer<UInt8>) {
    self.text = text
  }

  /// RFC 3339 §5.6, with capital letters and without leap seconds. The range is not checked.
  mutating func timestamp() -> (Int64, Int32)? {
    guard let year = digits(4), skip("-"), let month = digits(2), skip("-"), let day = digits(2),
      let date = CivilDate(year: year, month: month, day: day), skip("T"),
      let hour = digits(2), hour < 24, skip(":"), let minute = digits(2), minute < 60, skip(":"),
      let second = digits(2), second < 60, let nanos = fraction(), let offset = offset(), position == text.count
    else { return nil }
    let seconds = date.daysSinceEpoch * 86_400 + hour * 3600 + minute * 60 + second - offset
    return (Int64(seconds), nanos)
  }

  /// Seconds. Nothing over 10^18 of them.
  mutating func duration() -> (Int64, Int32)? {
    let isNegative = skip("-")
    let start = position
    var seconds: Int64 = 0
    while position < text.count, (48...57).contains(text[position]) {
      guard position - start < 18 else { return nil }
      seconds = seconds * 10 + Int64(text[position] - 48)
      position += 1
    }
    guard position > start, let nanos = fraction(), skip("s"), position == text.count else { return nil }
    return isNegative ? (-seconds, -nanos) : (seconds, nanos)
  }

  /// `Z`, `+01:00` or `-01:00`, in seconds.
  private mutating func offset() -> Int? {
    if skip("Z") { return 0 }
    let isNegative = skip("-")
    guard isNegative || skip("+"), let hour = digits(2), hour < 24, skip(":"), let minute = digits(2), minute < 60
    else { return nil }
    return (hour * 3600 + minute * 60) * (isNegative ? -1 : 1)
  }

  /// A point and one to nine digits, or nothing, which is zero.
  private mutating func fraction() -> Int32? {
    guard skip(".") else { return 0 }
    let start = position
    var nanos: Int32 = 0
    while position < text.count, (48...57).contains(text[position]) {
      guard position - start < 9 else { return nil }
      nanos = nanos * 10 + Int32(text[position] - 48)
      position += 1
    }
    guard position > start else { return nil }
    for _ in (position - start)..<9 { nanos *= 10 }
    return nanos
  }

  private mutating func digits(_ count: Int) -> Int? {
    guard text.count - position >= count else { return nil }
    var value = 0
    for _ in 0..<count {
      let digit = Int(text[position]) - 48
      guard (0..<10).contains(digit) else { return nil }
      value = value * 10 + digit
      position += 1
    }
    return value
  }

  private mutating func skip(_ character: UnicodeScalar) -> Bool {
    guard position < text.count, text[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }
}
