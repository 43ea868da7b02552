// SPDX-License-Identifier: Apache-2.0

extension JSONParser {
  /// A list, into the slot of a repeated field.
  mutating func array(_ member: UnsafePointer<JSONMember>, _ slot: UnsafeMutableRawPointer) throws(JSONFault) {
    try expect(UInt8(ascii: "["))
    if peek() == UInt8(ascii: "]") {
      cursor += 1
      return
    }
    let stride = member.pointee.kind.stride
    let acceptsNull = member.pointee.acceptsNull
    var size = 8 * stride
    var memory = arena.allocate(size)
    var offset = 0
    repeat {
      if peek() == UInt8(ascii: "n"), !acceptsNull { throw fail(.nullElement, at: cursor) }
      if offset == size {
        memory = arena.enlarge(memory, size)
        size *= 2
      }
      if try value(member, to: memory + offset) != .ignored { offset += stride }
    } while try goesOn(until: UInt8(ascii: "]"))
    slot.storeBytes(of: memory, as: UnsafeMutableRawPointer.self)
    slot.storeBytes(of: offset / stride, toByteOffset: Slot.quantifier, as: Int.self)
  }

  /// An object, into the slot of a map field.
  mutating func map(_ member: UnsafePointer<JSONMember>, _ slot: UnsafeMutableRawPointer) throws(JSONFault) {
    try expect(UInt8(ascii: "{"))
    if peek() == UInt8(ascii: "}") {
      cursor += 1
      return
    }
    let table = member.pointee.table
    let key = UnsafePointer(table.pointee.members)
    let keyOffset = key.pointee.offset
    let valueOffset = (key + 1).pointee.offset
    let acceptsNull = (key + 1).pointee.acceptsNull
    var keys = JSONKeySet(arena, isText: key.pointee.kind == .string)
    var size = 8 * 8
    var memory = arena.allocate(size)
    var offset = 0
    // In the binary format an entry is a message.
    try nest()
    repeat {
      guard peek() == UInt8(ascii: "\"") else { throw fail(.expected("a string"), at: cursor) }
      let place = cursor
      let name = try string()
      try expect(UInt8(ascii: ":"))
      let entry = table.pointee.makeInstance(in: arena)
      try mapKey(name, key.pointee.kind, to: entry + keyOffset, place)
      guard keys.insert(entry + keyOffset) else {
        throw fail(.duplicateKey(String(decoding: name, as: UTF8.self)), at: place)
      }
      if peek() == UInt8(ascii: "n"), !acceptsNull { throw fail(.nullElement, at: cursor) }
      if try value(key + 1, to: entry + valueOffset) == .ignored { continue }
      entry.storeBytes(of: 1, toByteOffset: keyOffset + Slot.quantifier, as: Int.self)
      entry.storeBytes(of: 1, toByteOffset: valueOffset + Slot.quantifier, as: Int.self)
      if offset == size {
        memory = arena.enlarge(memory, size)
        size *= 2
      }
      memory.storeBytes(of: entry, toByteOffset: offset, as: UnsafeMutableRawPointer.self)
      offset += 8
    } while try goesOn(until: UInt8(ascii: "}"))
    nestingLeft += 1
    slot.storeBytes(of: memory, as: UnsafeMutableRawPointer.self)
    slot.storeBytes(of: offset / 8, toByteOffset: Slot.quantifier, as: Int.self)
  }

  /// A key from its text.
  @inline(__always)
  private mutating func mapKey(
    _ name: UnsafeBufferPointer<UInt8>, _ kind: FieldKind, to slot: UnsafeMutableRawPointer,
    _ place: UnsafePointer<UInt8>
  ) throws(JSONFault) {
    switch kind {
    case .string: _ = store(name, to: slot)
    case .int32, .sint32, .sfixed32: slot.storeBytes(of: try integer(in: name, from: place), as: Int32.self)
    case .uint32, .fixed32: slot.storeBytes(of: try integer(in: name, from: place), as: UInt32.self)
    case .int64, .sint64, .sfixed64: slot.storeBytes(of: try integer(in: name, from: place), as: Int64.self)
    case .bool:
      guard name == "true" || name == "false" else { throw fail(.expected("\"true\" or \"false\""), at: place) }
      slot.storeBytes(of: name == "true" ? 1 : 0, as: UInt64.self)
    default: slot.storeBytes(of: try integer(in: name, from: place), as: UInt64.self)
    }
  }

  /// Goes over a value of whatever kind, which must be well formed.
  mutating func skipValue() throws(JSONFault) {
    switch peek() {
    case UInt8(ascii: "\""): _ = try string()
    case UInt8(ascii: "t"): try literal("true")
    case UInt8(ascii: "f"): try literal("false")
    case UInt8(ascii: "n"): try literal("null")
    case UInt8(ascii: "["):
      try nest()
      cursor += 1
      if peek() == UInt8(ascii: "]") {
        cursor += 1
      } else {
        repeat { try skipValue() } while try goesOn(until: UInt8(ascii: "]"))
      }
      nestingLeft += 1
    case UInt8(ascii: "{"):
      try nest()
      cursor += 1
      if peek() == UInt8(ascii: "}") {
        cursor += 1
      } else {
        repeat {
          _ = try string()
          try expect(UInt8(ascii: ":"))
          try skipValue()
        } while try goesOn(until: UInt8(ascii: "}"))
      }
      nestingLeft += 1
    case UInt8(ascii: "-"), 48...57:
      guard let number = JSONDecimal(cursor, end) else { throw fail(.invalidNumber, at: cursor) }
      cursor = number.end
    default: throw fail(.expected("a value"), at: cursor)
    }
  }
}

extension MessageArena {
  /// Twice as much memory with the same beginning; in place where nothing lies behind it.
  func enlarge(_ memory: UnsafeMutableRawPointer, _ byteCount: Int) -> UnsafeMutableRawPointer {
    if memory + byteCount == state.pointee.cursor, byteCount <= state.pointee.end - state.pointee.cursor {
      state.pointee.cursor += byteCount
      return memory
    }
    let larger = allocate(2 * byteCount)
    larger.copyMemory(from: memory, byteCount: byteCount)
    return larger
  }
}
