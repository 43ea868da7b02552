// SPDX-License-Identifier: Apache-2.0

/// Reads JSON (RFC 8259) into messages as protobuf-c would have unpacked them, in one pass, from the tables alone.
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
  private(set) var faultOffset = 0
  /// The innermost message and field that the fault is in, noted while it is on its way out.
  var faultTable: UnsafePointer<JSONTable>?
  var faultMember: UnsafePointer<JSONMember>?
  /// Where faults are noted that concern one value alone, so that the parser goes on behind it; nil: the first fault ends it. Asked
  /// when a fault has been thrown, and once for each list.
  let log: JSONFaultLog?

  /// `text` must stay until the message has been lifted: strings without escapes are not copied.
  init(
    _ text: UnsafeBufferPointer<UInt8>, arena: MessageArena, options: JSONDecodingOptions, log: JSONFaultLog? = nil
  ) {
    self.options = options
    self.log = log
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
    do throws(JSONFault) {
      try expectEnd()
    } catch {
      faultTable = table
      throw error
    }
    return base
  }

  /// Nothing but white space is left.
  mutating func expectEnd() throws(JSONFault) {
    skipSpace()
    guard cursor == end else { throw fail(.trailingCharacters, at: cursor) }
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

  /// The fault that was thrown, for users. Its reason is set before it is thrown.
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

  /// The next byte that is not white space; 0 at the end, with which nothing begins.
  @inline(__always)
  mutating func peek() -> UInt8 {
    skipSpace()
    return cursor < end ? cursor.pointee : 0
  }

  /// Skips a character that must come next.
  @inline(__always)
  mutating func expect(_ character: UInt8) throws(JSONFault) {
    guard peek() == character else { throw failExpecting(character) }
    cursor += 1
  }

  @inline(never)
  private mutating func failExpecting(_ character: UInt8) -> JSONFault {
    fail(.expected("'\(Character(UnicodeScalar(character)))'"), at: cursor)
  }

  /// Skips a comma or the closing bracket; returns whether it was the comma.
  @inline(__always)
  mutating func goesOn(until bracket: UInt8) throws(JSONFault) -> Bool {
    let next = peek()
    guard next == UInt8(ascii: ",") || next == bracket else {
      throw fail(.expected("',' or '\(Character(UnicodeScalar(bracket)))'"), at: cursor)
    }
    cursor += 1
    return next == UInt8(ascii: ",")
  }

  /// Skips `true`, `false` or `null`.
  @inline(__always)
  mutating func literal(_ text: StaticString) throws(JSONFault) {
    let count = text.utf8CodeUnitCount
    guard end - cursor >= count, areEqual(cursor, text.utf8Start, count) else {
      throw fail(.expected("a value"), at: cursor)
    }
    cursor += count
  }

  /// Skips a null, if it comes next.
  @inline(__always)
  mutating func skipNull() throws(JSONFault) -> Bool {
    guard peek() == UInt8(ascii: "n") else { return false }
    try literal("null")
    return true
  }

  /// One level deeper; `nestingLeft` must be put back afterwards, when something is thrown too.
  @inline(__always)
  mutating func nest() throws(JSONFault) {
    guard nestingLeft > 0 else { throw fail(.nestingTooDeep(limit: options.nestingLimit), at: cursor) }
    nestingLeft -= 1
  }
}

extension JSONParser {
  /// The outcome of reading a value.
  enum Outcome {
    case stored
    /// It is the default, which a field without presence leaves out.
    case isDefault
    /// It is an enum's value whose name is not known, and is left out.
    case ignored
  }

  /// A value that is neither a list nor a map, into a slot or an element.
  mutating func value(
    _ member: UnsafePointer<JSONMember>, to slot: UnsafeMutableRawPointer
  ) throws(JSONFault) -> Outcome {
    switch member.pointee.kind {
    case .int32, .sint32, .sfixed32: return store(try integer(Int32.self), to: slot)
    case .uint32, .fixed32: return store(try integer(UInt32.self), to: slot)
    case .int64, .sint64, .sfixed64: return store(try integer(Int64.self), to: slot)
    case .uint64, .fixed64: return store(try integer(UInt64.self), to: slot)
    case .bool: return store(try bool() ? 1 : 0, to: slot)
    case .double:
      let value = try double()
      slot.storeBytes(of: value, as: Double.self)
      return value.bitPattern == 0 ? .isDefault : .stored
    case .float:
      let value = try float()
      slot.storeBytes(of: value, as: Float.self)
      return value.bitPattern == 0 ? .isDefault : .stored
    case .string: return store(try string(), to: slot)
    case .bytes: return store(try base64(), to: slot)
    case .enum:
      guard let number = try enumeration(member) else { return .ignored }
      slot.storeBytes(of: number, as: Int32.self)
      return number == 0 ? .isDefault : .stored
    case .message:
      let message = try nested(member.pointee.table)
      slot.storeBytes(of: message, as: UnsafeMutableRawPointer.self)
      return .stored
    }
  }

  /// A message inside another.
  private mutating func nested(_ table: UnsafePointer<JSONTable>) throws(JSONFault) -> UnsafeMutableRawPointer {
    try nest()
    defer { nestingLeft += 1 }
    return try message(table)
  }

  @inline(__always)
  private func store<Number: FixedWidthInteger & BitwiseCopyable>(
    _ value: Number, to slot: UnsafeMutableRawPointer
  ) -> Outcome {
    slot.storeBytes(of: value, as: Number.self)
    return value == 0 ? .isDefault : .stored
  }

  @inline(__always)
  private func store(_ value: UInt64, to slot: UnsafeMutableRawPointer) -> Outcome {
    slot.storeBytes(of: value, as: UInt64.self)
    return value == 0 ? .isDefault : .stored
  }

  @inline(__always)
  func store(_ bytes: UnsafeBufferPointer<UInt8>, to slot: UnsafeMutableRawPointer) -> Outcome {
    slot.storeBytes(of: bytes.count, as: Int.self)
    slot.storeBytes(of: bytes.baseAddress, toByteOffset: 8, as: UnsafePointer<UInt8>?.self)
    return bytes.isEmpty ? .isDefault : .stored
  }

  @inline(__always)
  private mutating func bool() throws(JSONFault) -> Bool {
    switch peek() {
    case UInt8(ascii: "t"):
      try literal("true")
      return true
    case UInt8(ascii: "f"):
      try literal("false")
      return false
    default: throw fail(.expected("true or false"), at: cursor)
    }
  }

  /// The number of an enum; nil for an unknown name that is to be ignored.
  private mutating func enumeration(_ member: UnsafePointer<JSONMember>) throws(JSONFault) -> Int32? {
    // The table makes one for every field that is an enum.
    let table = member.pointee.enumeration!
    let next = peek()
    let place = cursor
    if next == UInt8(ascii: "\"") {
      let name = try string()
      if let number = table.pointee.number(of: name) { return number }
      if ignoresUnknownFields { return nil }
      throw fail(.unknownEnumValue(String(decoding: name, as: UTF8.self)), at: place)
    }
    if next == UInt8(ascii: "n"), table.pointee.isNull {
      try literal("null")
      return 0
    }
    guard next == UInt8(ascii: "-") || (48...57).contains(next) else {
      throw fail(.expected("the name or the number of a value"), at: cursor)
    }
    let number = try integer(Int32.self)
    guard table.pointee.isClosed, table.pointee.text(of: number) == nil else { return number }
    if ignoresUnknownFields { return nil }
    throw fail(.unknownEnumValue(String(number)), at: place)
  }
}

/// Thrown inside of the JSON printer and parser, which note what is wrong themselves: an error without content costs
/// nothing in functions that can throw it.
struct JSONFault: Error {}
