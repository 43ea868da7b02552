// SPDX-License-Identifier: Apache-2.0

import CProtobufC

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
    try addUnknown(inside, to: base, table, place)
    return true
  }

  /// Packs a message of one field, and puts it with the unknown fields of another: the first tag apart, as protobuf-c
  /// has it, and what comes behind it as it is.
  private mutating func addUnknown(
    _ field: UnsafeMutableRawPointer, to base: UnsafeMutableRawPointer, _ table: UnsafePointer<JSONTable>,
    _ place: UnsafePointer<UInt8>
  ) throws(JSONFault) {
    let message = UnsafePointer(field.assumingMemoryBound(to: ProtobufCMessage.self))
    let count = protobuf_c_message_get_packed_size(message)
    guard count > 0 else { return }
    guard count <= Int(Int32.max) else { throw fail(.tooLarge, at: place, in: table) }
    let bytes = arena.allocate(count).assumingMemoryBound(to: UInt8.self)
    protobuf_c_message_pack(message, bytes)
    var cursor = WireCursor(UnsafeRawBufferPointer(start: bytes, count: count), in: 0..<count)
    // protobuf-c has just written it.
    guard let tag = try? cursor.varint(longest: 5) else { return }
    let before = UnknownFields.unpacked(base)
    let memory = arena.allocate((before.count + 1) * MemoryLayout<ProtobufCMessageUnknownField>.stride)
      .bindMemory(to: ProtobufCMessageUnknownField.self, capacity: before.count + 1)
    for (index, field) in before.enumerated() { (memory + index).initialize(to: field) }
    (memory + before.count).initialize(
      to: ProtobufCMessageUnknownField(
        tag: UInt32(tag >> 3), wire_type: ProtobufCWireType(rawValue: UInt32(tag & 7)), len: count - cursor.offset,
        data: bytes + cursor.offset))
    let header = base.assumingMemoryBound(to: ProtobufCMessage.self)
    header.pointee.n_unknown_fields = UInt32(before.count + 1)
    header.pointee.unknown_fields = memory
  }
}
