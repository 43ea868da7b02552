// SPDX-License-Identifier: Apache-2.0

import CProtobufC

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
    guard let type = options.registry.type(named: name) else {
      throw fail(.unregisteredType(name), at: typePlace, in: table)
    }
    let descriptor = type.descriptor
    descriptor.link()
    try nest()
    let message = try inside(descriptor.json)
    nestingLeft += 1
    try pack(message, to: base, table, place)
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

  private mutating func pack(
    _ message: UnsafeMutableRawPointer, to base: UnsafeMutableRawPointer, _ table: UnsafePointer<JSONTable>,
    _ place: UnsafePointer<UInt8>
  ) throws(JSONFault) {
    let message = UnsafePointer(message.assumingMemoryBound(to: ProtobufCMessage.self))
    let count = protobuf_c_message_get_packed_size(message)
    guard count > 0 else { return }
    guard count <= Int(Int32.max) else { throw fail(.tooLarge, at: place, in: table) }
    // Large values are lifted where they lie.
    let memory = count < MessageArena.smallestLarge ? arena.allocate(count) : arena.allocateLarge(count)
    let bytes = memory.assumingMemoryBound(to: UInt8.self)
    protobuf_c_message_pack(message, bytes)
    let slot = base + table.pointee.members[1].offset
    _ = store(UnsafeBufferPointer(start: bytes, count: count), to: slot)
    slot.storeBytes(of: 1, toByteOffset: Slot.quantifier, as: Int.self)
  }
}
