// SPDX-License-Identifier: Apache-2.0
import CProtobufC

extension JSONParser {
  /// A message in its form: an object, or a well-known type's own.
  mutating func message(_ table: UnsafePointer<JSONTable>) throws(JSONFault) -> UnsafeMutableRawPointer {
    let base = table.pointee.makeInstance(in: arena)
    switch table.pointee.form {
    case .object, .empty:
      try expect(UInt8(ascii: "{"))
      try members(of: base, table, insideAny: false)
    case .any: try any(base, table)
    case .timestamp: try timestamp(base, table)
    case .duration: try duration(base, table)
    case .fieldMask: try fieldMask(base, table)
    case .structure, .list:
      let member = UnsafePointer(table.pointee.members)
      if table.pointee.form == .list {
        try array(member, base + member.pointee.offset)
      } else {
        try map(member, base + member.pointee.offset)
      }
    case .value: try dynamicValue(base, table)
    case .wrapper:
      let member = UnsafePointer(table.pointee.members)
      let slot = base + member.pointee.offset
      if try value(member, to: slot) == .stored { slot.storeBytes(of: 1, toByteOffset: Slot.quantifier, as: Int.self) }
    }
    return base
  }

  /// The members of an object up to its closing bracket; the opening one is behind the cursor.
  mutating func members(
    of base: UnsafeMutableRawPointer, _ table: UnsafePointer<JSONTable>, insideAny: Bool
  ) throws(JSONFault) {
    let members = UnsafePointer(table.pointee.members)
    let count = table.pointee.count
    // A bit for each field that has been there, and one for "@type".
    let seen = arena.allocate((count >> 6 + 1) << 3).assumingMemoryBound(to: UInt64.self)
    seen.update(repeating: 0, count: count >> 6 + 1)
    // Most texts have the fields in the order of their numbers.
    var guess = 0
    guard peek() != UInt8(ascii: "}") else {
      try checkRequired(base, table, seen)
      cursor += 1
      return
    }
    repeat {
      guard peek() == UInt8(ascii: "\"") else { throw fail(.expected("a string"), at: cursor, in: table) }
      let place = cursor
      var index = guess
      if guess < count, isNext(members[guess].key) {
        cursor += members[guess].key.count
      } else {
        do throws(JSONFault) {
          index = try key(base, table, insideAny: insideAny, place)
        } catch {
          try goOn(after: error, behindMemberAt: place)
          continue
        }
      }
      guard index >= 0 else { continue }
      let bit: UInt64 = 1 << UInt64(index & 63)
      guard seen[index >> 6] & bit == 0 else {
        try goOn(after: failTwice(index, table, place), behindMemberAt: place)
        continue
      }
      seen[index >> 6] |= bit
      if index == count { continue }
      let member = members + index
      do throws(JSONFault) {
        try field(member, base, table, place)
      } catch {
        if faultTable == nil {
          faultTable = table
          faultMember = member
        }
        try goOn(after: error, behindMemberAt: place)
      }
      guess = index + 1
    } while try goesOn(until: UInt8(ascii: "}"))
    if table.pointee.hasRequired {
      cursor -= 1
      try checkRequired(base, table, seen)
      cursor += 1
    }
  }

  /// Whether the text at the cursor is this key.
  @inline(__always)
  private func isNext(_ key: UnsafeBufferPointer<UInt8>) -> Bool {
    // A key has its quotes, so there is an address.
    end - cursor >= key.count && areEqual(cursor, key.baseAddress!, key.count)
  }

  /// Reads a key and its colon. Returns the index of the member, the number of members for "@type" in an Any, whose
  /// value is skipped then, and -1 for an extension, which has been read, or a field that is ignored.
  @inline(__always)
  private mutating func key(
    _ base: UnsafeMutableRawPointer, _ table: UnsafePointer<JSONTable>, insideAny: Bool, _ place: UnsafePointer<UInt8>
  ) throws(JSONFault) -> Int {
    let name = try string()
    try expect(UInt8(ascii: ":"))
    if let index = table.pointee.names.index(of: name) { return index }
    return try unknownKey(name, base, table, insideAny: insideAny, place)
  }

  @inline(never)
  private mutating func unknownKey(
    _ name: UnsafeBufferPointer<UInt8>, _ base: UnsafeMutableRawPointer, _ table: UnsafePointer<JSONTable>,
    insideAny: Bool, _ place: UnsafePointer<UInt8>
  ) throws(JSONFault) -> Int {
    if insideAny, name == "@type" {
      _ = try string()
      return table.pointee.count
    }
    if insideAny, table.pointee.form == .empty, name == "value" {
      // As some implementations write an Any of Empty.
      try expect(UInt8(ascii: "{"))
      try expect(UInt8(ascii: "}"))
      return -1
    }
    if name.first == UInt8(ascii: "["), try extensionField(name, base, table, place) { return -1 }
    guard ignoresUnknownFields else {
      throw fail(.unknownField(String(decoding: name, as: UTF8.self)), at: place, in: table)
    }
    try skipValue()
    return -1
  }

  @inline(never)
  private mutating func failTwice(
    _ index: Int, _ table: UnsafePointer<JSONTable>, _ place: UnsafePointer<UInt8>
  ) -> JSONFault {
    let isType = index == table.pointee.count
    let name = isType ? "@type" : table.pointee.name(of: UnsafePointer(table.pointee.members + index))
    return fail(.duplicateField(name), at: place, in: table)
  }

  /// Throws for a required field that is not there; at the cursor, which is at the closing bracket. Where faults are collected, notes
  /// all of them; one that was there has its own fault then.
  private mutating func checkRequired(
    _ base: UnsafeRawPointer, _ table: UnsafePointer<JSONTable>, _ seen: UnsafePointer<UInt64>
  ) throws(JSONFault) {
    guard table.pointee.hasRequired else { return }
    for index in 0..<table.pointee.count {
      let member = UnsafePointer(table.pointee.members + index)
      guard member.pointee.label == .required else { continue }
      let quantifier = base.load(fromByteOffset: member.pointee.offset + Slot.quantifier, as: Int.self)
      guard quantifier == 0 else { continue }
      let fault = fail(.missingRequiredField(table.pointee.name(of: member)), at: cursor, in: table)
      try note(fault, unless: seen[index >> 6] & 1 << UInt64(index & 63) != 0)
    }
  }

  /// The value of a field.
  @inline(__always)
  mutating func field(
    _ member: UnsafePointer<JSONMember>, _ base: UnsafeMutableRawPointer, _ table: UnsafePointer<JSONTable>,
    _ place: UnsafePointer<UInt8>
  ) throws(JSONFault) {
    let slot = base + member.pointee.offset
    switch member.pointee.label {
    case .repeated, .packed:
      if try !skipNull() { try array(member, slot) }
    case .map:
      if try !skipNull() { try map(member, slot) }
    case .oneof:
      if !member.pointee.acceptsNull, try skipNull() { return }
      guard slot.load(fromByteOffset: Slot.quantifier, as: Int.self) == 0 else {
        throw fail(.secondMemberOfOneof(table.pointee.name(of: member)), at: place, in: table)
      }
      if try value(member, to: slot) != .ignored {
        slot.storeBytes(of: Int(member.pointee.number), toByteOffset: Slot.quantifier, as: Int.self)
      }
    case .implicit:
      if peek() == UInt8(ascii: "n"), !member.pointee.acceptsNull { return try literal("null") }
      if try value(member, to: slot) == .stored { slot.storeBytes(of: 1, toByteOffset: Slot.quantifier, as: Int.self) }
    case .optional, .required:
      if peek() == UInt8(ascii: "n"), !member.pointee.acceptsNull { return try literal("null") }
      if try value(member, to: slot) != .ignored {
        slot.storeBytes(of: 1, toByteOffset: Slot.quantifier, as: Int.self)
      }
    }
  }
}

extension JSONParser {
  /// Reads an extension, whose key is its full name in brackets, and puts it with the unknown fields of the message.
  /// Returns false when the registry has no such extension of the message; nothing is read then.
  mutating func extensionField(
    _ key: UnsafeBufferPointer<UInt8>, _ base: UnsafeMutableRawPointer, _ table: UnsafePointer<JSONTable>,
    _ place: UnsafePointer<UInt8>
  ) throws(JSONFault) -> Bool {
    let registered = options.registry.extensions(of: table.pointee.name)
    guard !registered.isEmpty else { return false }
    let name = String(decoding: key, as: UTF8.self)
    guard let field = registered.first(where: { "[\($0.name)]" == name }) else { return false }
    if UnknownFields.unpacked(base).contains(where: { $0.tag == field.number }) {
      throw fail(.duplicateField(name), at: place, in: table)
    }
    let descriptor = field.descriptor
    descriptor.link()
    let insideTable = descriptor.json
    let member = UnsafePointer(insideTable.pointee.members)
    let inside = insideTable.pointee.makeInstance(in: arena)
    do throws(JSONFault) {
      try self.field(member, inside, insideTable, place)
    } catch {
      if faultTable == nil {
        faultTable = insideTable
        faultMember = member
      }
      throw error
    }
    if let bytes = try packed(inside, table, place) { arena.addUnknown(bytes, to: base) }
    return true
  }
}
