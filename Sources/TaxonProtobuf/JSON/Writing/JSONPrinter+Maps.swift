// SPDX-License-Identifier: Apache-2.0

extension JSONPrinter {
  /// The entries of a map as an object. Of entries with equal keys, which the wire may have, the last one counts.
  mutating func map(
    _ slot: UnsafeRawPointer, _ count: Int, _ member: UnsafePointer<JSONMember>
  ) throws(JSONFault) {
    buffer.byte(UInt8(ascii: "{"))
    if count > 0 {
      let table = member.pointee.table
      let key = UnsafePointer(table.pointee.members)
      let entries = UnsafeBufferPointer(start: slot.load(as: UnsafePointer<UnsafeRawPointer>.self), count: count)
      if options.sortsMapKeys {
        let order = JSONKeyOrder(key)
        try self.entries(entries.sorted(by: order.isBefore), key)
      } else {
        try self.entries(entries, key)
      }
    }
    buffer.byte(UInt8(ascii: "}"))
  }

  @inline(__always)
  private mutating func entries(
    _ entries: some Sequence<UnsafeRawPointer>, _ key: UnsafePointer<JSONMember>
  ) throws(JSONFault) {
    var isFirst = true
    for entry in entries {
      if !isFirst { buffer.byte(UInt8(ascii: ",")) }
      isFirst = false
      mapKey(entry + key.pointee.offset, key.pointee.kind)
      buffer.byte(UInt8(ascii: ":"))
      try value(entry + (key + 1).pointee.offset, key + 1)
    }
  }

  /// A key, which is always a string.
  private mutating func mapKey(_ slot: UnsafeRawPointer, _ kind: FieldKind) {
    if kind == .string { return buffer.string(slot.loadBytes()) }
    buffer.byte(UInt8(ascii: "\""))
    switch kind {
    case .int32, .sint32, .sfixed32: buffer.decimal(Int64(slot.load(as: Int32.self)))
    case .uint32, .fixed32: buffer.decimal(UInt64(slot.load(as: UInt32.self)))
    case .int64, .sint64, .sfixed64: buffer.decimal(slot.load(as: Int64.self))
    case .bool: buffer.raw(slot.load(as: UInt64.self) != 0 ? "true" : "false")
    default: buffer.decimal(slot.load(as: UInt64.self))
    }
    buffer.byte(UInt8(ascii: "\""))
  }
}

/// Numbers by value, strings by their bytes, false before true.
private struct JSONKeyOrder {
  let kind: FieldKind
  let offset: Int

  init(_ key: UnsafePointer<JSONMember>) {
    kind = key.pointee.kind
    offset = key.pointee.offset
  }

  func isBefore(_ one: UnsafeRawPointer, _ other: UnsafeRawPointer) -> Bool {
    let one = one + offset
    let other = other + offset
    switch kind {
    case .string: return one.loadBytes().lexicographicallyPrecedes(other.loadBytes())
    case .int32, .sint32, .sfixed32: return one.load(as: Int32.self) < other.load(as: Int32.self)
    case .uint32, .fixed32: return one.load(as: UInt32.self) < other.load(as: UInt32.self)
    case .int64, .sint64, .sfixed64: return one.load(as: Int64.self) < other.load(as: Int64.self)
    default: return one.load(as: UInt64.self) < other.load(as: UInt64.self)
    }
  }
}
