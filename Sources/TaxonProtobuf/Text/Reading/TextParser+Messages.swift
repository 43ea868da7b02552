// SPDX-License-Identifier: Apache-2.0

extension TextParser {
  /// The fields of a message up to its closing bracket, or the end of the text.
  mutating func message(
    _ table: UnsafePointer<TextTable>, until closing: UInt8?
  ) throws(TextFault) -> UnsafeMutableRawPointer {
    let json = table.pointee.json
    let base = json.pointee.makeInstance(in: arena)
    // A bit for each field that has been there.
    let words = table.pointee.count >> 6 + 1
    let seen = arena.allocate(words << 3).assumingMemoryBound(to: UInt64.self)
    seen.update(repeating: 0, count: words)
    var extensions: [OpenExtension] = []
    while true {
      let next = peek()
      if cursor == end {
        guard closing == nil else { throw fail(.unexpectedEnd, at: end) }
        break
      }
      if next == closing { break }
      try field(of: base, table, seen, &extensions)
      // Either may stand behind a field, once.
      if !skip(UInt8(ascii: ",")) { _ = skip(UInt8(ascii: ";")) }
    }
    if json.pointee.hasRequired { try checkRequired(base, table) }
    for field in extensions { try close(field, in: base, table) }
    if closing != nil { cursor += 1 }
    return base
  }

  /// A message inside another, with its brackets.
  mutating func nested(_ table: UnsafePointer<TextTable>) throws(TextFault) -> UnsafeMutableRawPointer {
    let closing = try openingBracket()
    try enter()
    defer { leave() }
    return try message(table, until: closing)
  }

  private mutating func checkRequired(
    _ base: UnsafeRawPointer, _ table: UnsafePointer<TextTable>
  ) throws(TextFault) {
    let descriptor = table.pointee.descriptor.takeUnretainedValue()
    for index in descriptor.required {
      let offset = descriptor.layout[index].offset + Slot.quantifier
      guard base.load(fromByteOffset: offset, as: Int.self) == 0 else { continue }
      throw fail(.missingRequiredField(descriptor.name(ofFieldAt: index)), at: cursor, in: table)
    }
  }

  // MARK: Fields

  private mutating func field(
    of base: UnsafeMutableRawPointer, _ table: UnsafePointer<TextTable>, _ seen: UnsafeMutablePointer<UInt64>,
    _ extensions: inout [OpenExtension]
  ) throws(TextFault) {
    let place = cursor
    if place.pointee == UInt8(ascii: "[") {
      return try bracketed(of: base, table, seen, &extensions)
    }
    guard let name = identifier() else { return try numbered(table) }
    guard let index = table.pointee.index(of: name) else {
      guard options.ignoresUnknownFields else {
        throw fail(.unknownField(String(decoding: name, as: UTF8.self)), at: place, in: table)
      }
      return try skipValue()
    }
    guard index < table.pointee.count else { return try skipValue() }
    try member(index, of: base, table, seen, place)
  }

  /// The value of a member, in the slot of the message.
  mutating func member(
    _ index: Int, of base: UnsafeMutableRawPointer, _ table: UnsafePointer<TextTable>,
    _ seen: UnsafeMutablePointer<UInt64>, _ place: UnsafePointer<UInt8>
  ) throws(TextFault) {
    let member = UnsafePointer(table.pointee.json.pointee.members + index)
    let slot = base + member.pointee.offset
    let isRepeated = [.repeated, .packed, .map].contains(member.pointee.label)
    do throws(TextFault) {
      if !isRepeated {
        let bit: UInt64 = 1 << UInt64(index & 63)
        guard seen[index >> 6] & bit == 0 else {
          throw fail(.duplicateField(table.pointee.json.pointee.name(of: member)), at: place)
        }
        seen[index >> 6] |= bit
      }
      if !skip(UInt8(ascii: ":")), member.pointee.kind != .message { throw fail(.expected("':'"), at: cursor) }
      if isRepeated {
        if skip(UInt8(ascii: "[")) {
          try list { (parser) throws(TextFault) in try parser.element(member, slot) }
        } else {
          try element(member, slot)
        }
      } else {
        try singular(member, slot, table, place)
      }
    } catch {
      let field = table.pointee.field(at: index)
      note(field, in: table, element: isRepeated ? slot.load(fromByteOffset: Slot.quantifier, as: Int.self) : nil)
      throw error
    }
  }

  private mutating func singular(
    _ member: UnsafePointer<JSONMember>, _ slot: UnsafeMutableRawPointer, _ table: UnsafePointer<TextTable>,
    _ place: UnsafePointer<UInt8>
  ) throws(TextFault) {
    if member.pointee.label == .oneof, slot.load(fromByteOffset: Slot.quantifier, as: Int.self) != 0 {
      throw fail(.secondMemberOfOneof(table.pointee.json.pointee.name(of: member)), at: place)
    }
    let isSet =
      switch try value(member, to: slot) {
      case .stored: true
      case .isDefault: member.pointee.label != .implicit
      case .ignored: false
      }
    guard isSet else { return }
    let quantifier = member.pointee.label == .oneof ? Int(member.pointee.number) : 1
    slot.storeBytes(of: quantifier, toByteOffset: Slot.quantifier, as: Int.self)
  }

  /// One value more of a repeated field, or one entry of a map.
  private mutating func element(
    _ member: UnsafePointer<JSONMember>, _ slot: UnsafeMutableRawPointer
  ) throws(TextFault) {
    let count = slot.load(fromByteOffset: Slot.quantifier, as: Int.self)
    let stride = member.pointee.kind.stride
    let smallest = 8
    if count == 0 {
      slot.storeBytes(of: arena.allocate(smallest * stride), as: UnsafeMutableRawPointer.self)
    } else if count >= smallest, count & (count - 1) == 0 {
      // Full: there is room for a power of two.
      let memory = arena.enlarge(slot.load(as: UnsafeMutableRawPointer.self), count * stride)
      slot.storeBytes(of: memory, as: UnsafeMutableRawPointer.self)
    }
    let memory = slot.load(as: UnsafeMutableRawPointer.self) + count * stride
    guard try value(member, to: memory) != .ignored else { return }
    slot.storeBytes(of: count + 1, toByteOffset: Slot.quantifier, as: Int.self)
  }

  // MARK: What is skipped

  /// A field by its number, as unknown fields are printed: the number does not say what the value is on the wire.
  private mutating func numbered(_ table: UnsafePointer<TextTable>) throws(TextFault) {
    let place = cursor
    while cursor < end, TextCharacter.isDigit(cursor.pointee) { cursor += 1 }
    guard cursor > place, cursor == end || !TextCharacter.isName(cursor.pointee) else {
      throw fail(.expected("the name of a field"), at: place, in: table)
    }
    guard options.ignoresUnknownFields else {
      let number = UnsafeBufferPointer(start: place, count: cursor - place)
      throw fail(.unknownField(String(decoding: number, as: UTF8.self)), at: place, in: table)
    }
    try skipValue()
  }

  /// What stands behind the name of a field that is skipped, which must be well formed.
  mutating func skipValue() throws(TextFault) {
    let hasColon = skip(UInt8(ascii: ":"))
    switch peek() {
    case UInt8(ascii: "{"), UInt8(ascii: "<"): try skipMessage()
    case UInt8(ascii: "["):
      cursor += 1
      try list { (parser) throws(TextFault) in
        switch parser.peek() {
        case UInt8(ascii: "{"), UInt8(ascii: "<"): try parser.skipMessage()
        default: try parser.skipScalar(hasColon: hasColon)
        }
      }
    default: try skipScalar(hasColon: hasColon)
    }
  }

  private mutating func skipScalar(hasColon: Bool) throws(TextFault) {
    guard hasColon else { throw fail(.expected("':' or a message"), at: cursor) }
    switch peek() {
    case UInt8(ascii: "\""), UInt8(ascii: "'"): _ = try string(isText: false)
    default:
      let isNegative = skip(UInt8(ascii: "-"))
      if identifier() == nil { _ = try number(isNegative: isNegative) }
    }
  }

  private mutating func skipMessage() throws(TextFault) {
    let closing = try openingBracket()
    try enter()
    defer { leave() }
    while peek() != closing {
      guard cursor < end else { throw fail(.unexpectedEnd, at: end) }
      let place = cursor
      if place.pointee == UInt8(ascii: "[") {
        _ = try bracketedName()
      } else if identifier() == nil {
        while cursor < end, TextCharacter.isDigit(cursor.pointee) { cursor += 1 }
        guard cursor > place else { throw fail(.expected("the name of a field"), at: place) }
      }
      try skipValue()
      if !skip(UInt8(ascii: ",")) { _ = skip(UInt8(ascii: ";")) }
    }
    cursor += 1
  }
}

extension TextTable {
  /// The field of a member.
  func field(at index: Int) -> Field {
    let descriptor = descriptor.takeUnretainedValue()
    return descriptor.fields[descriptor.layout[index].position]
  }
}
