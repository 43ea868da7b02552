// SPDX-License-Identifier: Apache-2.0

extension JSONParser {
  /// A string, without its quotes and escapes: where it lies in the text, or in the arena where it had escapes.
  @inline(__always)
  mutating func string() throws(JSONFault) -> UnsafeBufferPointer<UInt8> {
    guard peek() == UInt8(ascii: "\"") else { throw fail(.expected("a string"), at: cursor) }
    let inside = cursor + 1
    var isASCII = true
    let stop = plainEnd(inside, &isASCII)
    guard stop < end, stop.pointee == UInt8(ascii: "\"") else { return try escapedString(inside, stop, isASCII) }
    let text = UnsafeBufferPointer(start: inside, count: stop - inside)
    if !isASCII { try check(text) }
    cursor = stop + 1
    return text
  }

  /// The first byte that is a quote, a backslash or a control character, or the end.
  @inline(__always)
  private func plainEnd(_ from: UnsafePointer<UInt8>, _ isASCII: inout Bool) -> UnsafePointer<UInt8> {
    var position = from
    var seen: UInt64 = 0
    while end - position >= 8 {
      let word = UInt64(littleEndian: UnsafeRawPointer(position).loadUnaligned(as: UInt64.self))
      let special = JSONScan.special(word)
      if special != 0 {
        // Of this word only what is before the stop counts.
        let bits = UInt64(special.trailingZeroBitCount & ~7)
        seen |= word & ((1 << bits) - 1)
        isASCII = isASCII && seen & JSONScan.highBits == 0
        return position + Int(bits >> 3)
      }
      seen |= word
      position += 8
    }
    while position < end {
      let byte = position.pointee
      if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
      seen |= UInt64(byte)
      position += 1
    }
    isASCII = isASCII && seen & JSONScan.highBits == 0
    return position
  }

  private mutating func check(_ text: UnsafeBufferPointer<UInt8>) throws(JSONFault) {
    guard let fault = String.fault(in: text) else { return }
    // There are bytes, or they would be UTF-8.
    throw fail(.invalidUTF8, at: text.baseAddress! + fault)
  }

  /// A string whose plain beginning is known.
  @inline(never)
  private mutating func escapedString(
    _ inside: UnsafePointer<UInt8>, _ stop: UnsafePointer<UInt8>, _ isASCII: Bool
  ) throws(JSONFault) -> UnsafeBufferPointer<UInt8> {
    let closing = try closingQuote(stop)
    // Escapes take more bytes than what they stand for.
    let memory = arena.allocate(closing - inside).assumingMemoryBound(to: UInt8.self)
    var output = memory
    var run = inside
    var stop = stop
    var isASCII = isASCII
    while true {
      // What is not ASCII is checked where it lies, so that the fault has its place.
      if !isASCII { try check(UnsafeBufferPointer(start: run, count: stop - run)) }
      output.update(from: run, count: stop - run)
      output += stop - run
      guard stop < closing else { break }
      cursor = stop
      try escape(&output)
      run = cursor
      isASCII = true
      stop = plainEnd(run, &isASCII)
    }
    cursor = closing + 1
    return UnsafeBufferPointer(start: memory, count: output - memory)
  }

  private mutating func closingQuote(_ from: UnsafePointer<UInt8>) throws(JSONFault) -> UnsafePointer<UInt8> {
    var position = from
    while position < end {
      switch position.pointee {
      case UInt8(ascii: "\""): return position
      case UInt8(ascii: "\\"): position += 2
      case ..<0x20: throw fail(.controlCharacter, at: position)
      default:
        position += 1
        var isASCII = true
        position = plainEnd(position, &isASCII)
      }
    }
    throw fail(.unexpectedEnd, at: end)
  }

  /// Reads an escape at the cursor. The string's closing quote lies behind it.
  private mutating func escape(_ output: inout UnsafeMutablePointer<UInt8>) throws(JSONFault) {
    let place = cursor
    cursor += 2
    let byte: UInt8
    switch place[1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): byte = place[1]
    case UInt8(ascii: "b"): byte = 0x08
    case UInt8(ascii: "f"): byte = 0x0C
    case UInt8(ascii: "n"): byte = 0x0A
    case UInt8(ascii: "r"): byte = 0x0D
    case UInt8(ascii: "t"): byte = 0x09
    case UInt8(ascii: "u"): return try unicodeEscape(place, &output)
    default: throw fail(.invalidEscape, at: place)
    }
    output.pointee = byte
    output += 1
  }

  /// `\uXXXX`, or two of them for a character beyond U+FFFF.
  private mutating func unicodeEscape(
    _ place: UnsafePointer<UInt8>, _ output: inout UnsafeMutablePointer<UInt8>
  ) throws(JSONFault) {
    var value = try fourHexDigits(place)
    if value & 0xFC00 == 0xD800, end - cursor >= 2, cursor[0] == UInt8(ascii: "\\"), cursor[1] == UInt8(ascii: "u") {
      cursor += 2
      let low = try fourHexDigits(place)
      guard low & 0xFC00 == 0xDC00 else { throw fail(.invalidEscape, at: place) }
      value = 0x10000 + (value & 0x3FF) << 10 | (low & 0x3FF)
    }
    guard let scalar = UnicodeScalar(value) else { throw fail(.invalidEscape, at: place) }
    for byte in UTF8.encode(scalar)! {  // every scalar has UTF-8
      output.pointee = byte
      output += 1
    }
  }

  private mutating func fourHexDigits(_ place: UnsafePointer<UInt8>) throws(JSONFault) -> UInt32 {
    guard end - cursor >= 4 else { throw fail(.unexpectedEnd, at: end) }
    var value: UInt32 = 0
    for index in 0..<4 {
      let digit: UInt8
      switch cursor[index] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = cursor[index] - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = cursor[index] - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = cursor[index] - UInt8(ascii: "A") + 10
      default: throw fail(.invalidEscape, at: place)
      }
      value = value << 4 | UInt32(digit)
    }
    cursor += 4
    return value
  }
}

extension String {
  /// Where the first byte is that is not UTF-8; nil when all are.
  static func fault(in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    if #available(macOS 26, *), (try? UTF8Span(validating: bytes.span)) != nil { return nil }
    return firstFault(in: bytes)
  }
}
