// SPDX-License-Identifier: Apache-2.0

extension JSONParser {
  /// What has become of a value.
  enum Outcome {
    case stored
    /// It is the one that a field without presence leaves out.
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
    let message = try message(table)
    nestingLeft += 1
    return message
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
  mutating func bool() throws(JSONFault) -> Bool {
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
  mutating func enumeration(_ member: UnsafePointer<JSONMember>) throws(JSONFault) -> Int32? {
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

  /// Bytes in base64 or base64url, with or without padding.
  mutating func base64() throws(JSONFault) -> UnsafeBufferPointer<UInt8> {
    _ = peek()
    let place = cursor
    guard let text = Base64.unpadded(try string()) else { throw fail(.invalidBase64, at: place) }
    let count = Base64.decodedCount(text.count)
    // Large values are lifted where they lie.
    let memory = count < MessageArena.smallestLarge ? arena.allocate(count) : arena.allocateLarge(count)
    let output = memory.assumingMemoryBound(to: UInt8.self)
    guard Base64.decode(text, to: output) else { throw fail(.invalidBase64, at: place) }
    return UnsafeBufferPointer(start: output, count: count)
  }
}
