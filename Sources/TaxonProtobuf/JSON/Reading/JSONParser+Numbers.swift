// SPDX-License-Identifier: Apache-2.0

extension JSONParser {
  /// A whole number, also in a string, also with a fraction of zeros or an exponent.
  @inline(__always)
  mutating func integer<Number: FixedWidthInteger>(_ type: Number.Type) throws(JSONFault) -> Number {
    let place = cursor
    if peek() == UInt8(ascii: "\"") {
      let text = try string()
      return try integer(in: text, from: place)
    }
    var position = cursor
    if let value: Number = Self.plainInteger(&position, end), position == end || !Self.goesOn(position.pointee) {
      cursor = position
      return value
    }
    return try slowInteger(cursor, end, isWhole: false)
  }

  /// A number of digits alone, few enough for a UInt64.
  @inline(__always)
  private static func plainInteger<Number: FixedWidthInteger>(
    _ position: inout UnsafePointer<UInt8>, _ limit: UnsafePointer<UInt8>
  ) -> Number? {
    let isNegative = position < limit && position.pointee == UInt8(ascii: "-")
    if isNegative { position += 1 }
    let start = position
    var value: UInt64 = 0
    if limit - position >= 8 {
      let (few, count) = digits(at: position)
      value = few
      position += count
      // Fewer than eight end the number.
      if count < 8 { return signed(value, isNegative, start, count) }
    }
    while position < limit {
      let digit = UInt64(position.pointee &- UInt8(ascii: "0"))
      guard digit < 10 else { break }
      value = value &* 10 &+ digit
      position += 1
    }
    return signed(value, isNegative, start, position - start)
  }

  /// A number of `count` digits; nil when that is none, or too many, or one with zeros in front.
  @inline(__always)
  private static func signed<Number: FixedWidthInteger>(
    _ value: UInt64, _ isNegative: Bool, _ start: UnsafePointer<UInt8>, _ count: Int
  ) -> Number? {
    guard count > 0, count <= 19, count == 1 || start.pointee != UInt8(ascii: "0") else { return nil }
    if isNegative {
      // 19 digits fit.
      guard value <= UInt64(Int64.max) else { return nil }
      return Number(exactly: -Int64(value))
    }
    return Number(exactly: value)
  }

  /// The number that up to eight digits make, and how many they are; there must be eight bytes.
  ///
  /// Pairs of digits become numbers below 100, these numbers below 10,000, and these the result, each by one multiplication
  /// for all of them.
  @inline(__always)
  private static func digits(at start: UnsafePointer<UInt8>) -> (value: UInt64, count: Int) {
    let word = UInt64(littleEndian: UnsafeRawPointer(start).loadUnaligned(as: UInt64.self)) ^ 0x3030_3030_3030_3030
    // A high bit for each byte that is no digit; those behind the first do not matter.
    let others = (word | (word &+ 0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080
    let count = others == 0 ? 8 : others.trailingZeroBitCount >> 3
    if count == 0 { return (0, 0) }
    // Zeros in front.
    var value = word << UInt64(8 * (8 - count))
    value = (value &* 10 &+ value >> 8) & 0x00FF_00FF_00FF_00FF
    value = (value &* 100 &+ value >> 16) & 0x0000_FFFF_0000_FFFF
    value = (value &* 10_000 &+ value >> 32) & 0xFFFF_FFFF
    return (value, count)
  }

  /// Whether a number goes on with this byte behind its digits.
  @inline(__always)
  private static func goesOn(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ".") || byte | 0x20 == UInt8(ascii: "e")
  }

  /// A whole number that is all of a text.
  @inline(never)
  mutating func integer<Number: FixedWidthInteger>(
    in text: UnsafeBufferPointer<UInt8>, from place: UnsafePointer<UInt8>
  ) throws(JSONFault) -> Number {
    guard let start = text.baseAddress else { throw fail(.invalidNumber, at: place) }
    var position = start
    if let value: Number = Self.plainInteger(&position, start + text.count), position == start + text.count {
      return value
    }
    // A text with escapes lies elsewhere, so the fault is the whole string's.
    let after = cursor
    cursor = place
    let value: Number = try slowInteger(start, start + text.count, isWhole: true)
    cursor = after
    return value
  }

  /// The general case; a fault is placed at the cursor.
  @inline(never)
  private mutating func slowInteger<Number: FixedWidthInteger>(
    _ start: UnsafePointer<UInt8>, _ limit: UnsafePointer<UInt8>, isWhole: Bool
  ) throws(JSONFault) -> Number {
    let decimal = try decimal(start, limit, isWhole: isWhole)
    let place = cursor
    if !isWhole { cursor = decimal.end }
    switch decimal.whole {
    case .notWhole: throw fail(.notWhole, at: place)
    case .outOfRange: throw fail(.outOfRange, at: place)
    case .magnitude(let magnitude):
      if !decimal.isNegative, let value = Number(exactly: magnitude) { return value }
      if decimal.isNegative, magnitude <= 1 << 63 {
        if let value = Number(exactly: Int64(truncatingIfNeeded: 0 &- magnitude)) { return value }
      }
      throw fail(.outOfRange, at: place)
    }
  }

  /// A number; a fault is placed at the cursor.
  private mutating func decimal(
    _ start: UnsafePointer<UInt8>, _ limit: UnsafePointer<UInt8>, isWhole: Bool
  ) throws(JSONFault) -> JSONDecimal {
    if let decimal = JSONDecimal(start, limit), !isWhole || decimal.end == limit { return decimal }
    let isNumber = start < limit && (start.pointee == UInt8(ascii: "-") || (48...57).contains(start.pointee))
    throw fail(isWhole || isNumber ? .invalidNumber : .expected("a number"), at: cursor)
  }

  // MARK: Floating point

  mutating func double() throws(JSONFault) -> Double {
    try floating(fast: { $0.fastDouble }, slow: { Double($0) }, infinity: .infinity, nan: .nan)
  }

  mutating func float() throws(JSONFault) -> Float {
    try floating(fast: { $0.fastFloat }, slow: { Float($0) }, infinity: .infinity, nan: .nan)
  }

  @inline(__always)
  private mutating func floating<Number: BinaryFloatingPoint>(
    fast: (JSONDecimal) -> Number?, slow: (String) -> Number?, infinity: Number, nan: Number
  ) throws(JSONFault) -> Number {
    var start = cursor
    var limit = end
    let isText = peek() == UInt8(ascii: "\"")
    let place = cursor
    if isText {
      let text = try string()
      if let value = Self.named(text, infinity: infinity, nan: nan) { return value }
      guard let address = text.baseAddress else { throw fail(.invalidNumber, at: place) }
      start = address
      limit = address + text.count
    } else {
      start = cursor
    }
    let after = cursor
    cursor = place
    let decimal = try decimal(start, limit, isWhole: isText)
    cursor = isText ? after : decimal.end
    if let value = fast(decimal) { return value }
    let digits = String(decoding: UnsafeBufferPointer(start: start, count: decimal.end - start), as: UTF8.self)
    guard let value = slow(digits), value.isFinite else { throw fail(.outOfRange, at: place) }
    return value
  }

  private static func named<Number: BinaryFloatingPoint>(
    _ text: UnsafeBufferPointer<UInt8>, infinity: Number, nan: Number
  ) -> Number? {
    if text == "NaN" { return nan }
    if text == "Infinity" { return infinity }
    return text == "-Infinity" ? -infinity : nil
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// Whether the bytes are those of a text.
  @inline(__always)
  static func == (bytes: Self, text: StaticString) -> Bool {
    guard bytes.count == text.utf8CodeUnitCount, let start = bytes.baseAddress else { return false }
    return areEqual(start, text.utf8Start, bytes.count)
  }
}

/// A number as JSON writes it: ± significand × 10^exponent.
struct JSONDecimal {
  private(set) var isNegative = false
  /// As many of the digits as fit.
  private(set) var significand: UInt64 = 0
  private(set) var exponent = 0
  /// Whether all digits but zeros are in the significand.
  private(set) var isExact = true
  /// Where the number ends.
  private(set) var end: UnsafePointer<UInt8>

  /// nil when `start` does not begin a number of JSON.
  init?(_ start: UnsafePointer<UInt8>, _ limit: UnsafePointer<UInt8>) {
    var position = start
    if position < limit, position.pointee == UInt8(ascii: "-") {
      isNegative = true
      position += 1
    }
    let whole = position
    end = position
    readDigits(&position, limit)
    guard position > whole, position == whole + 1 || whole.pointee != UInt8(ascii: "0") else { return nil }
    if position < limit, position.pointee == UInt8(ascii: ".") {
      position += 1
      let fraction = position
      readDigits(&position, limit)
      guard position > fraction else { return nil }
      exponent -= position - fraction
    }
    if position < limit, position.pointee | 0x20 == UInt8(ascii: "e") {
      position += 1
      guard let power = Self.power(&position, limit) else { return nil }
      exponent += power
    }
    end = position
  }

  private mutating func readDigits(_ position: inout UnsafePointer<UInt8>, _ limit: UnsafePointer<UInt8>) {
    while position < limit {
      let digit = UInt64(position.pointee &- UInt8(ascii: "0"))
      guard digit < 10 else { return }
      let (tenfold, isTooLarge) = significand.multipliedReportingOverflow(by: 10)
      let (sum, isTooLargeNow) = tenfold.addingReportingOverflow(digit)
      if isExact, !isTooLarge, !isTooLargeNow, exponent == 0 {
        significand = sum
      } else {
        // From the first digit on that does not fit, digits only count.
        exponent += 1
        if digit != 0 { isExact = false }
      }
      position += 1
    }
  }

  /// The exponent behind an `e`; nil without digits. Beyond any number it stays at 2^40.
  private static func power(_ position: inout UnsafePointer<UInt8>, _ limit: UnsafePointer<UInt8>) -> Int? {
    var isNegative = false
    if position < limit, position.pointee == UInt8(ascii: "-") || position.pointee == UInt8(ascii: "+") {
      isNegative = position.pointee == UInt8(ascii: "-")
      position += 1
    }
    let start = position
    var power = 0
    while position < limit {
      let digit = Int(position.pointee &- UInt8(ascii: "0"))
      guard digit < 10 else { break }
      // Far beyond what a text of 2 GiB can make up for with its digits.
      power = min(power * 10 + digit, 1 << 40)
      position += 1
    }
    return position > start ? (isNegative ? -power : power) : nil
  }

  enum Whole {
    case magnitude(UInt64)
    case notWhole
    case outOfRange
  }

  /// Without its sign.
  var whole: Whole {
    var value = significand
    if value == 0, isExact { return .magnitude(0) }
    var exponent = exponent
    while exponent < 0, value % 10 == 0, isExact {
      value /= 10
      exponent += 1
    }
    if exponent < 0 { return .notWhole }
    guard isExact else { return .outOfRange }
    while exponent > 0 {
      let (tenfold, isTooLarge) = value.multipliedReportingOverflow(by: 10)
      if isTooLarge { return .outOfRange }
      value = tenfold
      exponent -= 1
    }
    return .magnitude(value)
  }

  /// The nearest Double, where two exact numbers and one operation give it (Clinger, "How to read floating point
  /// numbers accurately", 1990); nil otherwise.
  var fastDouble: Double? {
    guard isExact, significand <= 1 << 53, abs(exponent) <= 22 else { return significand == 0 && isExact ? zero : nil }
    let magnitude = Double(significand)
    let value = exponent < 0 ? magnitude / Self.powers[-exponent] : magnitude * Self.powers[exponent]
    return isNegative ? -value : value
  }

  /// The same for a Float.
  var fastFloat: Float? {
    guard isExact, significand <= 1 << 24, abs(exponent) <= 10 else {
      return significand == 0 && isExact ? Float(zero) : nil
    }
    let magnitude = Float(significand)
    let power = Float(Self.powers[abs(exponent)])
    let value = exponent < 0 ? magnitude / power : magnitude * power
    return isNegative ? -value : value
  }

  private var zero: Double { isNegative ? -0.0 : 0.0 }

  /// The powers of ten that a Double has exactly.
  // nonisolated(unsafe): filled once, then only read. Never freed.
  private nonisolated(unsafe) static let powers: UnsafePointer<Double> = {
    let table = UnsafeMutablePointer<Double>.allocate(capacity: 23)
    let powers: [Double] = [
      1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
      1e20, 1e21, 1e22,
    ]
    table.initialize(from: powers, count: 23)
    return UnsafePointer(table)
  }()
}
