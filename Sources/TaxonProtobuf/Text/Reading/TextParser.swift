// SPDX-License-Identifier: Apache-2.0

/// Thrown inside of the parser, which notes what is wrong itself.
struct TextFault: Error {}

/// Reads the text format into messages as protobuf-c would have unpacked them, in one pass, from the tables alone.
struct TextParser {
  let options: TextFormatDecodingOptions
  let arena: MessageArena
  let start: UnsafePointer<UInt8>
  let end: UnsafePointer<UInt8>
  var cursor: UnsafePointer<UInt8>
  private var nestingLeft: Int
  /// Set before a fault is thrown.
  private(set) var reason: TextFormatDecodingError.Reason?
  private(set) var faultOffset = 0
  /// The innermost message and field that the fault is in, and the way there from the inside out: noted while it is on
  /// its way out.
  private var faultMessage: String?
  private var faultField: String?
  private var path: [String] = []

  /// `text` must stay until the message has been lifted: strings without escapes are not copied.
  init(_ text: UnsafeBufferPointer<UInt8>, arena: MessageArena, options: TextFormatDecodingOptions) {
    self.options = options
    self.arena = arena
    // Any address will do for an empty text.
    start = text.baseAddress ?? UnsafePointer(UnsafeMutableRawPointer(arena.state).assumingMemoryBound(to: UInt8.self))
    end = start + text.count
    cursor = start
    nestingLeft = max(options.nestingLimit, 0)
  }

  /// The outermost message, up to the end of the text.
  mutating func root(_ table: UnsafePointer<TextTable>) throws(TextFault) -> UnsafeMutableRawPointer {
    let text = UnsafeBufferPointer(start: start, count: end - start)
    if let fault = String.fault(in: text) { throw fail(.invalidUTF8, at: start + fault) }
    if let nul = text.firstIndex(of: 0) { throw fail(.controlCharacter, at: start + nul) }
    // A mark of the byte order, which some editors write.
    if text.starts(with: [0xEF, 0xBB, 0xBF]) { cursor += 3 }
    return try message(table, until: nil)
  }

  // MARK: Faults

  /// Notes what is wrong and where.
  @inline(never)
  mutating func fail(_ reason: TextFormatDecodingError.Reason, at place: UnsafePointer<UInt8>) -> TextFault {
    if case .expected = reason, place == end {
      self.reason = .unexpectedEnd
    } else {
      self.reason = reason
    }
    faultOffset = place - start
    return TextFault()
  }

  /// Notes something wrong with a message as a whole.
  mutating func fail(
    _ reason: TextFormatDecodingError.Reason, at place: UnsafePointer<UInt8>, in table: UnsafePointer<TextTable>
  ) -> TextFault {
    faultMessage = table.pointee.name
    return fail(reason, at: place)
  }

  /// Notes the field that a fault is in, on its way out.
  @inline(never)
  mutating func note(_ field: Field, in table: UnsafePointer<TextTable>, element: Int?) {
    if faultMessage == nil {
      faultMessage = table.pointee.name
      faultField = field.name
    }
    path.append(element.map { "\(field.textName)[\($0)]" } ?? field.textName)
  }

  /// Notes the expanded Any that a fault is in, on its way out.
  mutating func note(expanded table: UnsafePointer<TextTable>, _ url: String) {
    if faultMessage == nil { faultMessage = table.pointee.name }
    path.append("[\(url)]")
  }

  /// The fault that was thrown, for users. Its reason is set before it is thrown.
  func error(in text: UnsafeBufferPointer<UInt8>, _ messageName: String) -> TextFormatDecodingError {
    TextFormatDecodingError(
      reason ?? .unexpectedEnd, messageName: faultMessage ?? messageName, fieldName: faultField,
      path: path.reversed().joined(separator: "."), offset: faultOffset, in: text)
  }

  // MARK: Grammar

  /// Skips white space and comments.
  @inline(__always)
  mutating func skipSpace() {
    while cursor < end {
      switch cursor.pointee {
      case 0x20, 0x09...0x0D: cursor += 1
      case UInt8(ascii: "#"): while cursor < end, cursor.pointee != UInt8(ascii: "\n") { cursor += 1 }
      default: return
      }
    }
  }

  /// The next byte that is neither white space nor a comment; 0 at the end, with which nothing begins.
  @inline(__always)
  mutating func peek() -> UInt8 {
    skipSpace()
    return cursor < end ? cursor.pointee : 0
  }

  /// Skips a character, if it comes next.
  mutating func skip(_ character: UInt8) -> Bool {
    guard peek() == character else { return false }
    cursor += 1
    return true
  }

  /// Skips a character that must come next.
  mutating func expect(_ character: UInt8) throws(TextFault) {
    guard skip(character) else {
      throw fail(.expected("'\(Character(UnicodeScalar(character)))'"), at: cursor)
    }
  }

  /// Skips the bracket that begins a message; returns the one that ends it.
  mutating func openingBracket() throws(TextFault) -> UInt8 {
    if skip(UInt8(ascii: "{")) { return UInt8(ascii: "}") }
    if skip(UInt8(ascii: "<")) { return UInt8(ascii: ">") }
    throw fail(.expected("'{' or '<'"), at: cursor)
  }

  /// The elements of a list, whose opening bracket is behind the cursor; `element` reads one.
  @inline(__always)
  mutating func list(
    _ element: (inout TextParser) throws(TextFault) -> Void
  ) throws(TextFault) {
    if skip(UInt8(ascii: "]")) { return }
    repeat { try element(&self) } while try goesOn()
  }

  /// Skips a comma or the closing bracket of a list; returns whether it was the comma.
  private mutating func goesOn() throws(TextFault) -> Bool {
    if skip(UInt8(ascii: ",")) { return true }
    if skip(UInt8(ascii: "]")) { return false }
    throw fail(.expected("',' or ']'"), at: cursor)
  }

  /// One level deeper; `leave` must be called afterwards, when something is thrown too.
  mutating func enter() throws(TextFault) {
    guard nestingLeft > 0 else { throw fail(.nestingTooDeep(limit: options.nestingLimit), at: cursor) }
    nestingLeft -= 1
  }

  mutating func leave() { nestingLeft += 1 }

  /// Letters, digits and underscores, which begin with no digit; nil where there are none.
  mutating func identifier() -> UnsafeBufferPointer<UInt8>? {
    guard TextCharacter.beginsName(peek()) else { return nil }
    let first = cursor
    while cursor < end, TextCharacter.isName(cursor.pointee) { cursor += 1 }
    return UnsafeBufferPointer(start: first, count: cursor - first)
  }
}

/// The classes of characters of the text format.
enum TextCharacter {
  static func beginsName(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
  }

  static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  static func isName(_ byte: UInt8) -> Bool { beginsName(byte) || isDigit(byte) }

  /// The value of a hexadecimal digit.
  static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// Whether a byte may stand in the prefix of a type URL: RFC 3986's unreserved characters, most of its
  /// sub-delimiters, slashes and percent signs.
  static func isURL(_ byte: UInt8) -> Bool {
    if isName(byte) { return true }
    switch byte {
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "~"), UInt8(ascii: "!"), UInt8(ascii: "$"),
      UInt8(ascii: "&"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: ","),
      UInt8(ascii: ";"), UInt8(ascii: "="), UInt8(ascii: "/"), UInt8(ascii: "%"):
      return true
    default: return false
    }
  }
}
