// SPDX-License-Identifier: Apache-2.0

/// Reads JSON (RFC 8259) into messages as protobuf-c would have unpacked them, in one go and by the tables alone.
struct JSONParser {
  let options: JSONDecodingOptions
  let ignoresUnknownFields: Bool
  let arena: MessageArena
  let start: UnsafePointer<UInt8>
  let end: UnsafePointer<UInt8>
  var cursor: UnsafePointer<UInt8>
  var nestingLeft: Int
  /// Set before a fault is thrown.
  private(set) var reason: JSONDecodingError.Reason?
  private var faultOffset = 0
  /// The innermost message and field that the fault is in, noted while it is on its way out.
  var faultTable: UnsafePointer<JSONTable>?
  var faultMember: UnsafePointer<JSONMember>?

  /// `text` must be there until what was read has been lifted: strings without escapes stay where they are.
  init(_ text: UnsafeBufferPointer<UInt8>, arena: MessageArena, options: JSONDecodingOptions) {
    self.options = options
    ignoresUnknownFields = options.ignoresUnknownFields
    self.arena = arena
    // Any address will do for an empty text.
    start = text.baseAddress ?? UnsafePointer(UnsafeMutableRawPointer(arena.state).assumingMemoryBound(to: UInt8.self))
    end = start + text.count
    cursor = start
    nestingLeft = max(options.nestingLimit, 0)
  }

  /// The outermost message, and nothing behind it.
  mutating func root(_ table: UnsafePointer<JSONTable>) throws(JSONFault) -> UnsafeMutableRawPointer {
    let base: UnsafeMutableRawPointer
    do throws(JSONFault) {
      base = try message(table)
    } catch {
      if faultTable == nil { faultTable = table }
      throw error
    }
    skipSpace()
    guard cursor == end else {
      faultTable = table
      throw fail(.trailingCharacters, at: cursor)
    }
    return base
  }

  // MARK: Faults

  /// Notes what is wrong and where.
  @inline(never)
  mutating func fail(_ reason: JSONDecodingError.Reason, at place: UnsafePointer<UInt8>) -> JSONFault {
    self.reason = place == end && isAboutGrammar(reason) ? .unexpectedEnd : reason
    faultOffset = place - start
    return JSONFault()
  }

  private func isAboutGrammar(_ reason: JSONDecodingError.Reason) -> Bool {
    switch reason {
    case .expected, .invalidNumber: true
    default: false
    }
  }

  /// Notes something wrong with a message as a whole.
  mutating func fail(
    _ reason: JSONDecodingError.Reason, at place: UnsafePointer<UInt8>, in table: UnsafePointer<JSONTable>
  ) -> JSONFault {
    faultTable = table
    return fail(reason, at: place)
  }

  /// The fault that was thrown, for users. There is a reason, or nothing would have been thrown.
  func error(in text: UnsafeBufferPointer<UInt8>) -> JSONDecodingError {
    let isOfObject = if case .missingRequiredField = reason { true } else { false }
    return JSONDecodingError(
      reason ?? .unexpectedEnd, messageName: faultTable?.pointee.name ?? "",
      fieldName: faultMember.flatMap { member in faultTable.map { $0.pointee.name(of: member) } },
      place: JSONPlace(faultOffset, in: text, isOfObject: isOfObject))
  }

  // MARK: Grammar

  @inline(__always)
  mutating func skipSpace() {
    while cursor < end, cursor.pointee <= 0x20, isSpace(cursor.pointee) { cursor += 1 }
  }

  @inline(__always)
  private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

  /// The first byte of what comes next; 0, which nothing begins with, at the end.
  @inline(__always)
  mutating func peek() -> UInt8 {
    skipSpace()
    return cursor < end ? cursor.pointee : 0
  }

  /// Goes over a character that must come next.
  @inline(__always)
  mutating func expect(_ character: UInt8) throws(JSONFault) {
    guard peek() == character else { throw failExpecting(character) }
    cursor += 1
  }

  @inline(never)
  private mutating func failExpecting(_ character: UInt8) -> JSONFault {
    fail(.expected("'\(Character(UnicodeScalar(character)))'"), at: cursor)
  }

  /// Goes over a comma, or over the bracket that closes; returns whether it was the comma.
  @inline(__always)
  mutating func goesOn(until bracket: UInt8) throws(JSONFault) -> Bool {
    let next = peek()
    guard next == UInt8(ascii: ",") || next == bracket else {
      throw fail(.expected("',' or '\(Character(UnicodeScalar(bracket)))'"), at: cursor)
    }
    cursor += 1
    return next == UInt8(ascii: ",")
  }

  /// Goes over `true`, `false` or `null`.
  @inline(__always)
  mutating func literal(_ text: StaticString) throws(JSONFault) {
    let count = text.utf8CodeUnitCount
    guard end - cursor >= count, areEqual(cursor, text.utf8Start, count) else {
      throw fail(.expected("a value"), at: cursor)
    }
    cursor += count
  }

  /// Goes over a null, if it is what comes next.
  @inline(__always)
  mutating func skipNull() throws(JSONFault) -> Bool {
    guard peek() == UInt8(ascii: "n") else { return false }
    try literal("null")
    return true
  }

  /// One level deeper; `nestingLeft` must be put back afterwards.
  @inline(__always)
  mutating func nest() throws(JSONFault) {
    nestingLeft -= 1
    guard nestingLeft >= 0 else { throw fail(.nestingTooDeep(limit: options.nestingLimit), at: cursor) }
  }
}

/// Thrown inside of the JSON printer and parser, which know themselves what is wrong: an error without content costs
/// the functions that can throw it nothing.
struct JSONFault: Error {}
