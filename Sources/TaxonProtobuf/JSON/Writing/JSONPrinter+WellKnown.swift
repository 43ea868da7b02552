// SPDX-License-Identifier: Apache-2.0

extension JSONPrinter {
  /// RFC 3339 in UTC, with no, three, six or nine digits behind the seconds.
  mutating func timestamp(_ base: UnsafeRawPointer, _ table: UnsafePointer<JSONTable>) throws(JSONFault) {
    let (seconds, nanos) = Self.time(base, table)
    guard TimeBounds.timestampSeconds.contains(seconds), TimeBounds.nanos.contains(nanos) else {
      throw fail(.timestampOutOfRange, table)
    }
    // The sum is positive: the bounds begin in the year 1.
    let shifted = Int(seconds) + 719_162 * 86_400
    let date = CivilDate(daysSinceEpoch: shifted / 86_400 - 719_162)
    let second = shifted % 86_400
    buffer.byte(UInt8(ascii: "\""))
    buffer.decimal(date.year, width: 4)
    buffer.byte(UInt8(ascii: "-"))
    buffer.decimal(date.month, width: 2)
    buffer.byte(UInt8(ascii: "-"))
    buffer.decimal(date.day, width: 2)
    buffer.byte(UInt8(ascii: "T"))
    buffer.decimal(second / 3600, width: 2)
    buffer.byte(UInt8(ascii: ":"))
    buffer.decimal(second / 60 % 60, width: 2)
    buffer.byte(UInt8(ascii: ":"))
    buffer.decimal(second % 60, width: 2)
    buffer.fraction(nanos: Int(nanos))
    buffer.raw("Z\"")
  }

  /// Seconds with an `s` behind.
  mutating func duration(_ base: UnsafeRawPointer, _ table: UnsafePointer<JSONTable>) throws(JSONFault) {
    let (seconds, nanos) = Self.time(base, table)
    guard TimeBounds.durationSeconds.contains(seconds), TimeBounds.nanos.contains(abs(max(nanos, -.max))),
      seconds == 0 || nanos == 0 || (seconds < 0) == (nanos < 0)
    else { throw fail(.durationOutOfRange, table) }
    buffer.byte(UInt8(ascii: "\""))
    if seconds < 0 || nanos < 0 { buffer.byte(UInt8(ascii: "-")) }
    buffer.decimal(seconds.magnitude)
    buffer.fraction(nanos: Int(nanos.magnitude))
    buffer.raw("s\"")
  }

  private static func time(_ base: UnsafeRawPointer, _ table: UnsafePointer<JSONTable>) -> (Int64, Int32) {
    let members = table.pointee.members
    return (
      base.load(fromByteOffset: members[0].offset, as: Int64.self),
      base.load(fromByteOffset: members[1].offset, as: Int32.self)
    )
  }

  /// The paths in lowerCamelCase with commas between them.
  mutating func fieldMask(_ base: UnsafeRawPointer, _ table: UnsafePointer<JSONTable>) throws(JSONFault) {
    let slot = base + table.pointee.members.pointee.offset
    let count = slot.load(fromByteOffset: Slot.quantifier, as: Int.self)
    buffer.byte(UInt8(ascii: "\""))
    for index in 0..<count {
      if index > 0 { buffer.byte(UInt8(ascii: ",")) }
      // The pointer is set when there are elements.
      let path = (slot.load(as: UnsafeRawPointer.self) + 16 * index).loadBytes()
      guard let camel = FieldMaskPath.camelCase(path) else {
        throw fail(.invalidFieldMaskPath(String(decoding: path, as: UTF8.self)), table)
      }
      camel.withUnsafeBufferPointer { buffer.raw($0) }
    }
    buffer.byte(UInt8(ascii: "\""))
  }

  /// A `google.protobuf.Value`; null also where nothing is set, as Google's implementations have it.
  mutating func dynamicValue(_ base: UnsafeRawPointer, _ table: UnsafePointer<JSONTable>) throws(JSONFault) {
    // The members are those of one oneof and share a slot.
    let slot = base + table.pointee.members[0].offset
    let number = slot.load(fromByteOffset: Slot.quantifier, as: Int.self)
    guard (2...6).contains(number) else { return buffer.raw("null") }
    if number == 2, !slot.load(as: Double.self).isFinite { throw fail(.nonFiniteValue, table) }
    try value(slot, table.pointee.members + number - 1)
  }

  /// A `google.protobuf.Any`: what is inside, with its type URL as a further member.
  mutating func any(_ base: UnsafeRawPointer, _ table: UnsafePointer<JSONTable>) throws(JSONFault) {
    let url = (base + table.pointee.members[0].offset).loadBytes()
    let bytes = (base + table.pointee.members[1].offset).loadBytes()
    if url.isEmpty, bytes.isEmpty { return buffer.raw("{}") }
    let (inside, insideTable) = try unpack(bytes, url, table)
    nestingLeft -= 1
    buffer.raw("{\"@type\":")
    buffer.string(url)
    switch insideTable.pointee.form {
    case .object, .empty:
      if insideTable.pointee.count > 0 { try members(inside, insideTable, isFirst: false) }
    default:
      buffer.raw(",\"value\":")
      try message(inside, insideTable)
    }
    buffer.byte(UInt8(ascii: "}"))
    nestingLeft += 1
  }

  private mutating func unpack(
    _ bytes: UnsafeBufferPointer<UInt8>, _ url: UnsafeBufferPointer<UInt8>, _ table: UnsafePointer<JSONTable>
  ) throws(JSONFault) -> (UnsafeRawPointer, UnsafePointer<JSONTable>) {
    guard let name = Google_Protobuf_Any.messageName(in: url) else {
      throw fail(.invalidTypeURL(String(decoding: url, as: UTF8.self)), table)
    }
    guard let content = options.registry.content(named: name) else { throw fail(.unregisteredType(name), table) }
    guard nestingLeft > 0 else { throw fail(.nestingTooDeep, table) }
    do throws(MessageDecodingError) {
      let inside = try content.relower(UnsafeRawBufferPointer(bytes), arena)
      return (inside, content.descriptor.json)
    } catch {
      throw fail(.undecodableAny(error), table)
    }
  }
}
