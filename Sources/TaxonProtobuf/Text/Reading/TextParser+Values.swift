// SPDX-License-Identifier: Apache-2.0

extension TextParser {
  /// The outcome of reading a value.
  enum Outcome {
    case stored
    /// It is the default, which a field without presence leaves out.
    case isDefault
    /// It is an enum's value whose name is not known, and is left out.
    case ignored
  }

  /// A value that is no list, into a slot or an element.
  mutating func value(
    _ member: UnsafePointer<JSONMember>, to slot: UnsafeMutableRawPointer
  ) throws(TextFault) -> Outcome {
    switch member.pointee.kind {
    case .int32, .sint32, .sfixed32: return store(try integer(Int32.self), to: slot)
    case .uint32, .fixed32: return store(try integer(UInt32.self), to: slot)
    case .int64, .sint64, .sfixed64: return store(try integer(Int64.self), to: slot)
    case .uint64, .fixed64: return store(try integer(UInt64.self), to: slot)
    case .bool: return store(try bool() ? 1 : 0 as UInt64, to: slot)
    case .double:
      let value = try floating(fast: { $0.fastDouble }, slow: { Double($0) })
      slot.storeBytes(of: value, as: Double.self)
      return value.bitPattern == 0 ? .isDefault : .stored
    case .float:
      let value = try floating(fast: { $0.fastFloat }, slow: { Float($0) })
      slot.storeBytes(of: value, as: Float.self)
      return value.bitPattern == 0 ? .isDefault : .stored
    case .string, .bytes:
      let bytes = try string(isText: member.pointee.kind == .string)
      slot.storeBytes(of: bytes.count, as: Int.self)
      slot.storeBytes(of: bytes.baseAddress, toByteOffset: 8, as: UnsafePointer<UInt8>?.self)
      return bytes.isEmpty ? .isDefault : .stored
    case .enum:
      guard let number = try enumeration(member) else { return .ignored }
      return store(number, to: slot)
    case .message:
      // A message or a map has one.
      let table = member.pointee.message!.takeUnretainedValue().text
      slot.storeBytes(of: try nested(table), as: UnsafeMutableRawPointer.self)
      return .stored
    }
  }

  private func store<Number: FixedWidthInteger & BitwiseCopyable>(
    _ value: Number, to slot: UnsafeMutableRawPointer
  ) -> Outcome {
    slot.storeBytes(of: value, as: Number.self)
    return value == 0 ? .isDefault : .stored
  }

  private mutating func bool() throws(TextFault) -> Bool {
    let place = cursorBehindSpace()
    if let name = identifier() {
      if name == "true" || name == "True" || name == "t" { return true }
      if name == "false" || name == "False" || name == "f" { return false }
    } else if place < end, TextCharacter.isDigit(place.pointee),
      let magnitude = try number(isNegative: false).magnitude,
      magnitude < 2
    {
      return magnitude == 1
    }
    throw fail(.expected("true or false"), at: place)
  }

  /// The number of an enum; nil for an unknown name that is to be ignored.
  private mutating func enumeration(_ member: UnsafePointer<JSONMember>) throws(TextFault) -> Int32? {
    // The table makes one for every field that is an enum.
    let table = member.pointee.enumeration!
    let place = cursorBehindSpace()
    if let name = identifier() {
      if let number = table.pointee.number(of: name) { return number }
      if options.ignoresUnknownFields { return nil }
      throw fail(.unknownEnumValue(String(decoding: name, as: UTF8.self)), at: place)
    }
    guard place < end, place.pointee == UInt8(ascii: "-") || TextCharacter.isDigit(place.pointee) else {
      throw fail(.expected("the name or the number of a value"), at: place)
    }
    let number = try integer(Int32.self)
    guard table.pointee.isClosed, table.pointee.text(of: number) == nil else { return number }
    if options.ignoresUnknownFields { return nil }
    throw fail(.unknownEnumValue(String(number)), at: place)
  }

  /// The place of the next token.
  private mutating func cursorBehindSpace() -> UnsafePointer<UInt8> {
    skipSpace()
    return cursor
  }

  // MARK: Numbers

  /// A number without its sign, as it stands in the text.
  struct Number {
    /// The digits, with the point and the exponent, without the suffix.
    let digits: UnsafeBufferPointer<UInt8>
    /// The value of a whole number; nil when it has a point, an exponent or a suffix, or is over 64 bits.
    let magnitude: UInt64?
    let form: Form
    /// The beginning of the sign, or of the digits.
    let place: UnsafePointer<UInt8>

    enum Form {
      case decimal, octal, hexadecimal, floating
    }
  }

  /// A whole number or one with a fraction, behind its sign.
  mutating func number(isNegative: Bool) throws(TextFault) -> Number {
    let first = cursorBehindSpace()
    guard first < end, TextCharacter.isDigit(first.pointee) || first.pointee == UInt8(ascii: ".") else {
      throw fail(.expected(isNegative ? "a number behind the sign" : "a value"), at: first)
    }
    if first.pointee == UInt8(ascii: "0"), first + 1 < end {
      switch first[1] {
      case UInt8(ascii: "x"), UInt8(ascii: "X"):
        cursor += 2
        return try whole(from: first, radix: 16, .hexadecimal)
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        cursor += 1
        return try whole(from: first, radix: 8, .octal)
      default: break
      }
    }
    var isFloating = false
    skipDigits()
    if cursor < end, cursor.pointee == UInt8(ascii: ".") {
      isFloating = true
      cursor += 1
      skipDigits()
      // A point alone is no number.
      if cursor - first == 1 { throw fail(.invalidNumber, at: first) }
    }
    if cursor < end, cursor.pointee | 0x20 == UInt8(ascii: "e") {
      isFloating = true
      cursor += 1
      if cursor < end, cursor.pointee == UInt8(ascii: "+") || cursor.pointee == UInt8(ascii: "-") { cursor += 1 }
      let exponent = cursor
      skipDigits()
      if cursor == exponent { throw fail(.invalidNumber, at: first) }
    }
    let digits = UnsafeBufferPointer(start: first, count: cursor - first)
    if cursor < end, cursor.pointee | 0x20 == UInt8(ascii: "f") {
      isFloating = true
      cursor += 1
    }
    try checkEnd(ofNumberAt: first)
    guard !isFloating else { return Number(digits: digits, magnitude: nil, form: .floating, place: first) }
    var magnitude: UInt64? = 0
    for digit in digits { magnitude = Self.shifted(magnitude, 10, UInt64(digit - UInt8(ascii: "0"))) }
    return Number(digits: digits, magnitude: magnitude, form: .decimal, place: first)
  }

  /// An octal or hexadecimal number behind its prefix.
  private mutating func whole(
    from first: UnsafePointer<UInt8>, radix: UInt8, _ form: Number.Form
  ) throws(TextFault) -> Number {
    let digits = cursor
    var magnitude: UInt64? = 0
    while cursor < end, let digit = TextCharacter.hexDigit(cursor.pointee), digit < radix {
      magnitude = Self.shifted(magnitude, UInt64(radix), UInt64(digit))
      cursor += 1
    }
    guard cursor > digits else { throw fail(.invalidNumber, at: first) }
    try checkEnd(ofNumberAt: first)
    return Number(
      digits: UnsafeBufferPointer(start: first, count: cursor - first), magnitude: magnitude, form: form, place: first)
  }

  private mutating func skipDigits() {
    while cursor < end, TextCharacter.isDigit(cursor.pointee) { cursor += 1 }
  }

  /// Neither a name nor another number may follow without white space.
  private mutating func checkEnd(ofNumberAt first: UnsafePointer<UInt8>) throws(TextFault) {
    guard cursor < end, TextCharacter.isName(cursor.pointee) || cursor.pointee == UInt8(ascii: ".") else { return }
    throw fail(.invalidNumber, at: first)
  }

  /// nil once there are more than 64 bits.
  private static func shifted(_ value: UInt64?, _ radix: UInt64, _ digit: UInt64) -> UInt64? {
    guard let value else { return nil }
    let (product, isTooLarge) = value.multipliedReportingOverflow(by: radix)
    let (sum, isTooLargeNow) = product.addingReportingOverflow(digit)
    return isTooLarge || isTooLargeNow ? nil : sum
  }

  private mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws(TextFault) -> Value {
    let place = cursorBehindSpace()
    let isNegative = skip(UInt8(ascii: "-"))
    guard Value.isSigned || !isNegative else { throw fail(.expected("a whole number without a sign"), at: place) }
    skipSpace()
    guard cursor < end, TextCharacter.isDigit(cursor.pointee) else {
      throw fail(.expected("a whole number"), at: place)
    }
    let number = try number(isNegative: isNegative)
    if number.form == .floating { throw fail(.expected("a whole number"), at: place) }
    guard let magnitude = number.magnitude else { throw fail(.outOfRange, at: place) }
    let value =
      isNegative
      ? (magnitude <= 1 << 63 ? Value(exactly: Int64(truncatingIfNeeded: 0 &- magnitude)) : nil)
      : Value(exactly: magnitude)
    guard let value else { throw fail(.outOfRange, at: place) }
    return value
  }

  /// A number with or without a fraction, or the name of an infinity or of NaN. What is too large is an infinity.
  private mutating func floating<Value: BinaryFloatingPoint>(
    fast: (JSONDecimal) -> Value?, slow: (String) -> Value?
  ) throws(TextFault) -> Value {
    let place = cursorBehindSpace()
    let isNegative = skip(UInt8(ascii: "-"))
    let value: Value
    if let name = identifier() {
      guard let named: Value = Self.named(name) else { throw fail(.expected("a number"), at: place) }
      value = named
    } else {
      guard TextCharacter.isDigit(peek()) || peek() == UInt8(ascii: ".") else {
        throw fail(.expected("a number"), at: place)
      }
      let number = try number(isNegative: isNegative)
      guard number.form == .floating || number.form == .decimal else {
        throw fail(.expected("a decimal number"), at: place)
      }
      // There are digits.
      let first = number.digits.baseAddress!
      if let decimal = JSONDecimal(first, first + number.digits.count), decimal.end == first + number.digits.count,
        let exact = fast(decimal)
      {
        value = exact
      } else if let rounded = slow(Self.plain(number.digits)) {
        value = rounded
      } else {
        throw fail(.invalidNumber, at: place)
      }
    }
    return isNegative ? -value : value
  }

  /// Digits as Swift reads them: some on both sides of the point.
  private static func plain(_ digits: UnsafeBufferPointer<UInt8>) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(digits.count + 2)
    for (index, byte) in digits.enumerated() {
      guard byte == UInt8(ascii: ".") else {
        text.append(byte)
        continue
      }
      if index == 0 { text.append(UInt8(ascii: "0")) }
      text.append(byte)
      if index + 1 == digits.count || !TextCharacter.isDigit(digits[index + 1]) { text.append(UInt8(ascii: "0")) }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// In letters of either case.
  private static func named<Value: BinaryFloatingPoint>(_ name: UnsafeBufferPointer<UInt8>) -> Value? {
    guard name.count <= 8 else { return nil }
    switch String(decoding: name.map { $0 | 0x20 }, as: UTF8.self) {
    case "inf", "infinity": return .infinity
    case "nan": return .nan
    default: return nil
    }
  }
}
