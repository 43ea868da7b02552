// SPDX-License-Identifier: Apache-2.0

extension JSONParser {
  /// A `google.protobuf.Value`: anything.
  mutating func dynamicValue(
    _ base: UnsafeMutableRawPointer, _ table: UnsafePointer<JSONTable>
  ) throws(JSONFault) {
    let number: Int
    // The members are those of one oneof and share a slot.
    let slot = base + table.pointee.members[0].offset
    switch peek() {
    case UInt8(ascii: "n"):
      try literal("null")
      return slot.storeBytes(of: 1, toByteOffset: Slot.quantifier, as: Int.self)
    case UInt8(ascii: "\""): number = 3
    case UInt8(ascii: "t"), UInt8(ascii: "f"): number = 4
    case UInt8(ascii: "{"): number = 5
    case UInt8(ascii: "["): number = 6
    case UInt8(ascii: "-"), 48...57: number = 2
    default: throw fail(.expected("a value"), at: cursor)
    }
    _ = try value(table.pointee.members + number - 1, to: slot)
    slot.storeBytes(of: number, toByteOffset: Slot.quantifier, as: Int.self)
  }

  /// A `google.protobuf.Timestamp`: RFC 3339.
  mutating func timestamp(_ base: UnsafeMutableRawPointer, _ table: UnsafePointer<JSONTable>) throws(JSONFault) {
    _ = peek()
    let place = cursor
    var text = TimeText(try string())
    guard let (seconds, nanos) = text.timestamp(), TimeBounds.timestampSeconds.contains(seconds) else {
      throw fail(.invalidTimestamp, at: place)
    }
    store(seconds, nanos, base, table)
  }

  /// A `google.protobuf.Duration`: seconds with an `s` behind.
  mutating func duration(_ base: UnsafeMutableRawPointer, _ table: UnsafePointer<JSONTable>) throws(JSONFault) {
    _ = peek()
    let place = cursor
    var text = TimeText(try string())
    guard let (seconds, nanos) = text.duration(), TimeBounds.durationSeconds.contains(seconds) else {
      throw fail(.invalidDuration, at: place)
    }
    store(seconds, nanos, base, table)
  }

  private func store(
    _ seconds: Int64, _ nanos: Int32, _ base: UnsafeMutableRawPointer, _ table: UnsafePointer<JSONTable>
  ) {
    let members = table.pointee.members
    if seconds != 0 {
      base.storeBytes(of: seconds, toByteOffset: members[0].offset, as: Int64.self)
      base.storeBytes(of: 1, toByteOffset: members[0].offset + Slot.quantifier, as: Int.self)
    }
    if nanos != 0 {
      base.storeBytes(of: nanos, toByteOffset: members[1].offset, as: Int32.self)
      base.storeBytes(of: 1, toByteOffset: members[1].offset + Slot.quantifier, as: Int.self)
    }
  }

  /// A `google.protobuf.FieldMask`: paths in lowerCamelCase with commas between them.
  mutating func fieldMask(_ base: UnsafeMutableRawPointer, _ table: UnsafePointer<JSONTable>) throws(JSONFault) {
    _ = peek()
    let place = cursor
    let text = try string()
    if text.isEmpty { return }
    let parts = text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    let memory = arena.allocate(parts.count * 16)
    for (index, part) in parts.enumerated() {
      guard let path = FieldMaskPath.snakeCase(part) else { throw fail(.invalidFieldMask, at: place) }
      path.withUnsafeBufferPointer { arena.store($0, to: memory + 16 * index) }
    }
    let slot = base + table.pointee.members.pointee.offset
    slot.storeBytes(of: memory, as: UnsafeMutableRawPointer.self)
    slot.storeBytes(of: parts.count, toByteOffset: Slot.quantifier, as: Int.self)
  }
}

extension JSONParser {
  /// A `google.protobuf.Any`: an object with "@type", wherever in it that is. Read as the message that it is, and packed.
  mutating func any(_ base: UnsafeMutableRawPointer, _ table: UnsafePointer<JSONTable>) throws(JSONFault) {
    let place = cursor
    try expect(UInt8(ascii: "{"))
    if peek() == UInt8(ascii: "}") {
      cursor += 1
      return
    }
    let first = cursor
    let url = try findType(table, place)
    let typePlace = cursor - 1
    cursor = first
    guard let name = Google_Protobuf_Any.messageName(in: url) else {
      throw fail(.invalidTypeURL(String(decoding: url, as: UTF8.self)), at: typePlace, in: table)
    }
    guard let content = options.registry.content(named: name) else {
      throw fail(.unregisteredType(name), at: typePlace, in: table)
    }
    let descriptor = content.descriptor
    descriptor.link()
    let message = try nestedInside(descriptor.json)
    if let bytes = try packed(message, table, place) {
      let slot = base + table.pointee.members[1].offset
      _ = store(bytes, to: slot)
      slot.storeBytes(of: 1, toByteOffset: Slot.quantifier, as: Int.self)
    }
    let urlSlot = base + table.pointee.members[0].offset
    _ = store(url, to: urlSlot)
    urlSlot.storeBytes(of: 1, toByteOffset: Slot.quantifier, as: Int.self)
  }

  /// The type URL, from an object whose first key is at the cursor. Leaves the cursor behind it.
  private mutating func findType(
    _ table: UnsafePointer<JSONTable>, _ place: UnsafePointer<UInt8>
  ) throws(JSONFault) -> UnsafeBufferPointer<UInt8> {
    repeat {
      let name = try string()
      try expect(UInt8(ascii: ":"))
      if name == "@type" { return try string() }
      try skipValue()
    } while try goesOn(until: UInt8(ascii: "}"))
    throw fail(.missingType, at: place, in: table)
  }

  private mutating func nestedInside(_ table: UnsafePointer<JSONTable>) throws(JSONFault) -> UnsafeMutableRawPointer {
    try nest()
    defer { nestingLeft += 1 }
    return try inside(table)
  }

  /// The message whose members, and "@type", begin at the cursor.
  private mutating func inside(_ table: UnsafePointer<JSONTable>) throws(JSONFault) -> UnsafeMutableRawPointer {
    switch table.pointee.form {
    case .object, .empty:
      let message = table.pointee.makeInstance(in: arena)
      try members(of: message, table, insideAny: true)
      return message
    default: return try wellKnownInside(table)
    }
  }

  /// A message with a form of its own, which is the member "value".
  private mutating func wellKnownInside(
    _ table: UnsafePointer<JSONTable>
  ) throws(JSONFault) -> UnsafeMutableRawPointer {
    var hasType = false
    var message: UnsafeMutableRawPointer?
    repeat {
      _ = peek()
      let place = cursor
      let name = try string()
      try expect(UInt8(ascii: ":"))
      if name == "@type" {
        guard !hasType else { throw fail(.duplicateField("@type"), at: place, in: table) }
        hasType = true
        _ = try string()
      } else if name == "value" {
        guard message == nil else { throw fail(.duplicateField("value"), at: place, in: table) }
        do throws(JSONFault) {
          message = try self.message(table)
        } catch {
          if faultTable == nil { faultTable = table }
          throw error
        }
      } else {
        guard ignoresUnknownFields else {
          throw fail(.unknownField(String(decoding: name, as: UTF8.self)), at: place, in: table)
        }
        try skipValue()
      }
    } while try goesOn(until: UInt8(ascii: "}"))
    guard let message else { throw fail(.missingRequiredField("value"), at: cursor - 1, in: table) }
    return message
  }

  /// Packs a message that has been read; nil for an empty one, and for one that may have fields at fault.
  mutating func packed(
    _ message: UnsafeMutableRawPointer, _ table: UnsafePointer<JSONTable>, _ place: UnsafePointer<UInt8>
  ) throws(JSONFault) -> UnsafeBufferPointer<UInt8>? {
    if let log, log.count > 0 { return nil }
    do throws(MessageArena.TooLarge) {
      return try arena.packed(message)
    } catch {
      throw fail(.tooLarge, at: place, in: table)
    }
  }
}

/// Reads the texts of Timestamp and Duration.
private struct TimeText {
  private let text: UnsafeBufferPointer<UInt8>
  private var position = 0

  init(_ text: UnsafeBufferPointer<UInt8>) {
    self.text = text
  }

  /// RFC 3339 §5.6, with capital letters and without leap seconds. The range is not checked.
  mutating func timestamp() -> (Int64, Int32)? {
    guard let year = digits(4), skip("-"), let month = digits(2), skip("-"), let day = digits(2),
      let date = CivilDate(year: year, month: month, day: day), skip("T"),
      let hour = digits(2), hour < 24, skip(":"), let minute = digits(2), minute < 60, skip(":"),
      let second = digits(2), second < 60, let nanos = fraction(), let offset = offset(), position == text.count
    else { return nil }
    let seconds = date.daysSinceEpoch * 86_400 + hour * 3600 + minute * 60 + second - offset
    return (Int64(seconds), nanos)
  }

  /// Seconds, fewer than 10^18.
  mutating func duration() -> (Int64, Int32)? {
    let isNegative = skip("-")
    let start = position
    var seconds: Int64 = 0
    while position < text.count, (48...57).contains(text[position]) {
      guard position - start < 18 else { return nil }
      seconds = seconds * 10 + Int64(text[position] - 48)
      position += 1
    }
    guard position > start, let nanos = fraction(), skip("s"), position == text.count else { return nil }
    return isNegative ? (-seconds, -nanos) : (seconds, nanos)
  }

  /// `Z`, `+01:00` or `-01:00`, in seconds.
  private mutating func offset() -> Int? {
    if skip("Z") { return 0 }
    let isNegative = skip("-")
    guard isNegative || skip("+"), let hour = digits(2), hour < 24, skip(":"), let minute = digits(2), minute < 60
    else { return nil }
    return (hour * 3600 + minute * 60) * (isNegative ? -1 : 1)
  }

  /// A point and one to nine digits, or nothing, which is zero.
  private mutating func fraction() -> Int32? {
    guard skip(".") else { return 0 }
    let start = position
    var nanos: Int32 = 0
    while position < text.count, (48...57).contains(text[position]) {
      guard position - start < 9 else { return nil }
      nanos = nanos * 10 + Int32(text[position] - 48)
      position += 1
    }
    guard position > start else { return nil }
    for _ in (position - start)..<9 { nanos *= 10 }
    return nanos
  }

  private mutating func digits(_ count: Int) -> Int? {
    guard text.count - position >= count else { return nil }
    var value = 0
    for _ in 0..<count {
      let digit = Int(text[position]) - 48
      guard (0..<10).contains(digit) else { return nil }
      value = value * 10 + digit
      position += 1
    }
    return value
  }

  private mutating func skip(_ character: UnicodeScalar) -> Bool {
    guard position < text.count, text[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }
}
