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
