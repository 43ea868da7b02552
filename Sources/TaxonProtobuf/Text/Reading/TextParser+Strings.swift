// SPDX-License-Identifier: Apache-2.0

extension TextParser {
  /// One string or several behind each other, without quotes and escapes: where it lies in the text, or in the arena.
  ///
  /// - Parameter isText: Whether the bytes must be UTF-8.
  mutating func string(isText: Bool) throws(TextFault) -> UnsafeBufferPointer<UInt8> {
    let quote = peek()
    let place = cursor
    guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
      throw fail(.expected("a string"), at: place)
    }
    let inside = cursor + 1
    let stop = try plainEnd(inside, quote)
    if stop.pointee == quote {
      cursor = stop + 1
      let next = peek()
      if next != UInt8(ascii: "\""), next != UInt8(ascii: "'") {
        // The whole text is UTF-8.
        return UnsafeBufferPointer(start: inside, count: stop - inside)
      }
    }
    cursor = place
    return try joined(isText: isText)
  }

  /// The first byte that is the quote or a backslash.
  private mutating func plainEnd(
    _ from: UnsafePointer<UInt8>, _ quote: UInt8
  ) throws(TextFault) -> UnsafePointer<UInt8> {
    var position = from
    while position < end {
      let byte = position.pointee
      if byte == quote || byte == UInt8(ascii: "\\") { return position }
      if byte == UInt8(ascii: "\n") { throw fail(.controlCharacter, at: position) }
      position += 1
    }
    throw fail(.unexpectedEnd, at: end)
  }

  /// Strings with escapes, or several.
  @inline(never)
  private mutating func joined(isText: Bool) throws(TextFault) -> UnsafeBufferPointer<UInt8> {
    let place = cursor
    // Escapes take more bytes than what they stand for.
    let memory = arena.allocate(try endOfStrings() - place).assumingMemoryBound(to: UInt8.self)
    var output = memory
    var hasBytes = false
    while true {
      let quote = peek()
      guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { break }
      cursor += 1
      while true {
        let stop = try plainEnd(cursor, quote)
        output.update(from: cursor, count: stop - cursor)
        output += stop - cursor
        cursor = stop
        if stop.pointee == quote { break }
        try escape(&output, &hasBytes)
      }
      cursor += 1
    }
    let bytes = UnsafeBufferPointer(start: memory, count: output - memory)
    if isText, hasBytes, String.fault(in: bytes) != nil { throw fail(.invalidUTF8, at: place) }
    return bytes
  }

  /// The end of the last of the strings that begin at the cursor, which stays there.
  private mutating func endOfStrings() throws(TextFault) -> UnsafePointer<UInt8> {
    let place = cursor
    defer { cursor = place }
    var last = place
    while true {
      let quote = peek()
      guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { return last }
      cursor = try plainEnd(cursor + 1, quote)
      while cursor.pointee != quote {
        // Whatever is behind the backslash, it does not end the string.
        guard end - cursor > 1 else { throw fail(.unexpectedEnd, at: end) }
        cursor = try plainEnd(cursor + 2, quote)
      }
      cursor += 1
      last = cursor
    }
  }

  /// Reads an escape at the cursor; the string's closing quote lies behind it.
  ///
  /// - Parameter hasBytes: Set when the escape stands for a byte that is no character of its own.
  private mutating func escape(
    _ output: inout UnsafeMutablePointer<UInt8>, _ hasBytes: inout Bool
  ) throws(TextFault) {
    let place = cursor
    cursor += 2
    let byte: UInt8
    switch place[1] {
    case UInt8(ascii: "a"): byte = 0x07
    case UInt8(ascii: "b"): byte = 0x08
    case UInt8(ascii: "f"): byte = 0x0C
    case UInt8(ascii: "n"): byte = 0x0A
    case UInt8(ascii: "r"): byte = 0x0D
    case UInt8(ascii: "t"): byte = 0x09
    case UInt8(ascii: "v"): byte = 0x0B
    case UInt8(ascii: "?"), UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): byte = place[1]
    case UInt8(ascii: "x"): byte = try digits(radix: 16, longest: 2, place)
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      cursor -= 1
      byte = try digits(radix: 8, longest: 3, place)
    case UInt8(ascii: "u"): return try unicode(4, place, &output)
    case UInt8(ascii: "U"): return try unicode(8, place, &output)
    default: throw fail(.invalidEscape, at: place)
    }
    if byte >= 0x80 { hasBytes = true }
    output.pointee = byte
    output += 1
  }

  /// A byte of one to `longest` digits.
  private mutating func digits(radix: Int, longest: Int, _ place: UnsafePointer<UInt8>) throws(TextFault) -> UInt8 {
    let first = cursor
    var value = 0
    while cursor - first < longest, let digit = TextCharacter.hexDigit(cursor.pointee), digit < radix {
      value = value * radix + Int(digit)
      cursor += 1
    }
    guard cursor > first, let byte = UInt8(exactly: value) else { throw fail(.invalidEscape, at: place) }
    return byte
  }

  /// A character of Unicode by its number, in so many digits. The closing quote is no digit, so there is no end to look for.
  private mutating func unicode(
    _ count: Int, _ place: UnsafePointer<UInt8>, _ output: inout UnsafeMutablePointer<UInt8>
  ) throws(TextFault) {
    var value: UInt32 = 0
    for _ in 0..<count {
      guard let digit = TextCharacter.hexDigit(cursor.pointee), value >> 28 == 0 else {
        throw fail(.invalidEscape, at: place)
      }
      value = value << 4 | UInt32(digit)
      cursor += 1
    }
    // Surrogates are none.
    guard let scalar = UnicodeScalar(value) else { throw fail(.invalidEscape, at: place) }
    for byte in UTF8.encode(scalar)! {  // every scalar has UTF-8
      output.pointee = byte
      output += 1
    }
  }
}
