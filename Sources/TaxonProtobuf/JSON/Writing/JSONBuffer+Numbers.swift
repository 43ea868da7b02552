// SPDX-License-Identifier: Apache-2.0

extension JSONBuffer {
  private static let pairs: StaticString = """
    0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
    5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
    """

  /// A number in decimal, two digits at a time.
  @inline(__always)
  mutating func decimal(_ value: UInt64) {
    reserve(20)
    var rest = value
    var position = cursor + Self.digitCount(value)
    cursor = position
    let pairs = Self.pairs.utf8Start
    while rest >= 100 {
      let pair = Int(truncatingIfNeeded: rest % 100) * 2
      rest /= 100
      position -= 2
      position[0] = pairs[pair]
      position[1] = pairs[pair + 1]
    }
    if rest >= 10 {
      let pair = Int(truncatingIfNeeded: rest) * 2
      position[-2] = pairs[pair]
      position[-1] = pairs[pair + 1]
    } else {
      position[-1] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest)
    }
  }

  @inline(__always)
  mutating func decimal(_ value: Int64) {
    if value < 0 { byte(UInt8(ascii: "-")) }
    decimal(value.magnitude)
  }

  /// A number with zeros in front, to `width` digits.
  mutating func decimal(_ value: Int, width: Int) {
    reserve(width)
    var rest = value
    for position in (0..<width).reversed() {
      cursor[position] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    cursor += width
  }

  @inline(__always)
  private static func digitCount(_ value: UInt64) -> Int {
    var count = 1
    var rest = value
    while true {
      if rest < 10 { return count }
      if rest < 100 { return count + 1 }
      if rest < 1000 { return count + 2 }
      if rest < 10_000 { return count + 3 }
      rest /= 10_000
      count += 4
    }
  }

  /// The shortest text that reads as the same number; NaN and the infinities as strings.
  mutating func double(_ value: Double) {
    if let whole = Int64(exactly: value), whole.magnitude < 1 << 53 {
      // Some readers take -0 for an integer, which has no sign.
      if whole == 0, value.sign == .minus { return raw("-0.0") }
      return decimal(whole)
    }
    guard value.isFinite else { return nonFinite(isNaN: value.isNaN, value.sign) }
    value.description.withContiguousUTF8 { raw($0) }
  }

  /// The shortest text that reads as the same number; NaN and the infinities as strings.
  mutating func float(_ value: Float) {
    if let whole = Int64(exactly: value), whole.magnitude < 1 << 24 {
      // Some readers take -0 for an integer, which has no sign.
      if whole == 0, value.sign == .minus { return raw("-0.0") }
      return decimal(whole)
    }
    guard value.isFinite else { return nonFinite(isNaN: value.isNaN, value.sign) }
    value.description.withContiguousUTF8 { raw($0) }
  }

  private mutating func nonFinite(isNaN: Bool, _ sign: FloatingPointSign) {
    raw(isNaN ? "\"NaN\"" : sign == .minus ? "\"-Infinity\"" : "\"Infinity\"")
  }

  /// The fraction of a second with as many digits as it needs: none, three, six or nine.
  mutating func fraction(nanos: Int) {
    if nanos == 0 { return }
    byte(UInt8(ascii: "."))
    if nanos % 1_000_000 == 0 {
      decimal(nanos / 1_000_000, width: 3)
    } else if nanos % 1000 == 0 {
      decimal(nanos / 1000, width: 6)
    } else {
      decimal(nanos, width: 9)
    }
  }
}
