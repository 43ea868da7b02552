// SPDX-License-Identifier: Apache-2.0

/// Bytes that grow at their end. Begins in what an arena has left, so that a small message needs no memory of its own.
struct JSONBuffer {
  private(set) var start: UnsafeMutablePointer<UInt8>
  var cursor: UnsafeMutablePointer<UInt8>
  private var limit: UnsafeMutablePointer<UInt8>
  private var isOnHeap: Bool

  /// With half of what is left of the arena's block: an Any may need the other half.
  init(arena: MessageArena?) {
    if let arena {
      let left = arena.state.pointee.end - arena.state.pointee.cursor
      let capacity = left / 2 & ~7
      start = arena.allocate(capacity).assumingMemoryBound(to: UInt8.self)
      limit = start + capacity
      isOnHeap = false
    } else {
      start = .allocate(capacity: 64)
      limit = start + 64
      isOnHeap = true
    }
    cursor = start
  }

  var count: Int { cursor - start }

  var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }

  /// Frees memory that is not the arena's.
  func free() {
    if isOnHeap { start.deallocate() }
  }

  /// Returns the bytes, which are never freed. Only without an arena.
  func keep() -> UnsafeBufferPointer<UInt8> { bytes }

  /// Makes room.
  @inline(__always)
  mutating func reserve(_ byteCount: Int) {
    if limit - cursor < byteCount { grow(byteCount) }
  }

  @inline(never)
  private mutating func grow(_ byteCount: Int) {
    let count = count
    let capacity = max(2 * (limit - start), count + byteCount + 64)
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    memory.update(from: start, count: count)
    free()
    start = memory
    cursor = memory + count
    limit = memory + capacity
    isOnHeap = true
  }

  @inline(__always)
  mutating func byte(_ byte: UInt8) {
    reserve(1)
    cursor.pointee = byte
    cursor += 1
  }

  @inline(__always)
  mutating func raw(_ bytes: UnsafeBufferPointer<UInt8>) {
    reserve(bytes.count)
    guard let start = bytes.baseAddress else { return }
    cursor.update(from: start, count: bytes.count)
    cursor += bytes.count
  }

  @inline(__always)
  mutating func raw(_ text: StaticString) {
    raw(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// A string with its quotes and what RFC 8259 §7 wants escaped: quotes, backslashes and control characters.
  mutating func string(_ text: UnsafeBufferPointer<UInt8>) {
    // Words are copied as a whole, so there may be seven bytes too many behind the last.
    reserve(text.count + 10)
    byte(UInt8(ascii: "\""))
    if var source = text.baseAddress {
      let end = source + text.count
      while source < end {
        let run = copyPlain(source, end)
        source += run
        guard source < end else { break }
        reserve(end - source + 16)
        escape(source.pointee)
        source += 1
      }
    }
    byte(UInt8(ascii: "\""))
  }

  /// Copies up to the first byte that must be escaped. There must be room for the rest and a word more.
  @inline(__always)
  private mutating func copyPlain(_ source: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Int {
    var position = source
    while end - position >= 8 {
      let word = UnsafeRawPointer(position).loadUnaligned(as: UInt64.self)
      UnsafeMutableRawPointer(cursor).storeBytes(of: word, as: UInt64.self)
      let special = JSONScan.special(UInt64(littleEndian: word))
      if special != 0 {
        let plain = special.trailingZeroBitCount >> 3
        cursor += plain
        return position + plain - source
      }
      position += 8
      cursor += 8
    }
    while position < end {
      let byte = position.pointee
      if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
      cursor.pointee = byte
      cursor += 1
      position += 1
    }
    return position - source
  }

  private mutating func escape(_ byte: UInt8) {
    let letter: UInt8
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): letter = byte
    case 0x08: letter = UInt8(ascii: "b")
    case 0x0C: letter = UInt8(ascii: "f")
    case 0x0A: letter = UInt8(ascii: "n")
    case 0x0D: letter = UInt8(ascii: "r")
    case 0x09: letter = UInt8(ascii: "t")
    default:
      raw("\\u00")
      self.byte(UInt8(ascii: "0") + byte >> 4)
      let low = byte & 15
      return self.byte(low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10)
    }
    self.byte(UInt8(ascii: "\\"))
    self.byte(letter)
  }
}

/// Looks at eight bytes at once.
enum JSONScan {
  @inline(__always) static var highBits: UInt64 { 0x8080_8080_8080_8080 }

  /// A high bit for each byte that ends a run of plain characters in a string: a quote, a backslash or a control
  /// character. Only the lowest one can be trusted.
  @inline(__always)
  static func special(_ word: UInt64) -> UInt64 {
    let quote = word ^ 0x2222_2222_2222_2222
    let backslash = word ^ 0x5C5C_5C5C_5C5C_5C5C
    let control = (word &- 0x2020_2020_2020_2020) & ~word
    return (control | (quote &- 0x0101_0101_0101_0101) & ~quote | (backslash &- 0x0101_0101_0101_0101) & ~backslash)
      & highBits
  }
}

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
