// SPDX-License-Identifier: Apache-2.0

extension JSONParser {
  /// A list, into the slot of a repeated field.
  mutating func array(_ member: UnsafePointer<JSONMember>, _ slot: UnsafeMutableRawPointer) throws(JSONFault) {
    try expect(UInt8(ascii: "["))
    if peek() == UInt8(ascii: "]") {
      cursor += 1
      return
    }
    if log != nil { return try collectElements(member, slot) }
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
    defer { nestingLeft += 1 }
    repeat {
      guard peek() == UInt8(ascii: "\"") else { throw fail(.expected("a string"), at: cursor) }
      let place = cursor
      let name = try string()
      try expect(UInt8(ascii: ":"))
      let entry = table.pointee.makeInstance(in: arena)
      do throws(JSONFault) {
        try mapKey(name, key.pointee.kind, to: entry + keyOffset, place)
        guard keys.insert(entry + keyOffset) else {
          throw fail(.duplicateKey(String(decoding: name, as: UTF8.self)), at: place)
        }
        if peek() == UInt8(ascii: "n"), !acceptsNull { throw fail(.nullElement, at: cursor) }
        if try value(key + 1, to: entry + valueOffset) == .ignored { continue }
      } catch {
        try goOn(after: error, behindMemberAt: place)
        continue
      }
      entry.storeBytes(of: 1, toByteOffset: keyOffset + Slot.quantifier, as: Int.self)
      entry.storeBytes(of: 1, toByteOffset: valueOffset + Slot.quantifier, as: Int.self)
      if offset == size {
        memory = arena.enlarge(memory, size)
        size *= 2
      }
      memory.storeBytes(of: entry, toByteOffset: offset, as: UnsafeMutableRawPointer.self)
      offset += 8
    } while try goesOn(until: UInt8(ascii: "}"))
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

  /// Skips a value of any kind, which must be well formed.
  mutating func skipValue() throws(JSONFault) {
    switch peek() {
    case UInt8(ascii: "["):
      try nest()
      defer { nestingLeft += 1 }
      cursor += 1
      if peek() == UInt8(ascii: "]") {
        cursor += 1
      } else {
        repeat { try skipValue() } while try goesOn(until: UInt8(ascii: "]"))
      }
    case UInt8(ascii: "{"):
      try nest()
      defer { nestingLeft += 1 }
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
    default: try skipScalar()
    }
  }

  /// Skips a value that is neither an object nor a list.
  mutating func skipScalar() throws(JSONFault) {
    switch peek() {
    case UInt8(ascii: "\""): _ = try string()
    case UInt8(ascii: "t"): try literal("true")
    case UInt8(ascii: "f"): try literal("false")
    case UInt8(ascii: "n"): try literal("null")
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

/// The keys of a map so far, to find one that occurs twice.
struct JSONKeySet {
  private let arena: MessageArena
  private let isText: Bool
  private let seed: UInt64
  private var buckets: UnsafeMutablePointer<UnsafeRawPointer?>
  private var mask = 15
  private var count = 0

  /// Random for each process, so that keys cannot be chosen to collide.
  private static let processSeed = UInt64.random(in: .min ... .max)

  init(_ arena: MessageArena, isText: Bool) {
    self.arena = arena
    self.isText = isText
    seed = Self.processSeed
    buckets = Self.makeBuckets(16, arena)
  }

  private static func makeBuckets(_ count: Int, _ arena: MessageArena) -> UnsafeMutablePointer<UnsafeRawPointer?> {
    let memory = arena.allocate(count * 8).bindMemory(to: UnsafeRawPointer?.self, capacity: count)
    memory.initialize(repeating: nil, count: count)
    return memory
  }

  /// Adds the key in a slot, which is all zeros behind a number. Returns false when it is there already.
  mutating func insert(_ slot: UnsafeRawPointer) -> Bool {
    if 2 * count > mask { grow() }
    var bucket = Int(truncatingIfNeeded: hash(slot)) & mask
    while let other = buckets[bucket] {
      if isEqual(slot, other) { return false }
      bucket = (bucket + 1) & mask
    }
    buckets[bucket] = slot
    count += 1
    return true
  }

  private mutating func grow() {
    let old = UnsafeBufferPointer(start: buckets, count: mask + 1)
    mask = 4 * old.count - 1
    buckets = Self.makeBuckets(mask + 1, arena)
    for case let slot? in old {
      var bucket = Int(truncatingIfNeeded: hash(slot)) & mask
      while buckets[bucket] != nil { bucket = (bucket + 1) & mask }
      buckets[bucket] = slot
    }
  }

  @inline(__always)
  private func isEqual(_ one: UnsafeRawPointer, _ other: UnsafeRawPointer) -> Bool {
    guard one.load(as: UInt64.self) == other.load(as: UInt64.self) else { return false }
    guard isText, let first = one.loadBytes().baseAddress, let second = other.loadBytes().baseAddress else {
      return true
    }
    return areEqual(first, second, one.loadBytes().count)
  }

  @inline(__always)
  private func hash(_ slot: UnsafeRawPointer) -> UInt64 {
    // Of a string this is the length.
    let first = slot.load(as: UInt64.self)
    var hash = mix(seed ^ first)
    guard isText, let start = slot.loadBytes().baseAddress else { return hash }
    let bytes = UnsafeRawPointer(start)
    let count = Int(first)
    var offset = 0
    while count - offset >= 8 {
      hash = mix(hash ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset += 8
    }
    var rest: UInt64 = 0
    while offset < count {
      rest = rest << 8 | UInt64(bytes.load(fromByteOffset: offset, as: UInt8.self))
      offset += 1
    }
    return mix(hash ^ rest)
  }

  /// All bits of the product of a word with an odd constant, folded; the seed is in the word.
  @inline(__always)
  private func mix(_ word: UInt64) -> UInt64 {
    let product = (word ^ seed).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
    return product.high ^ product.low
  }
}
