// SPDX-License-Identifier: Apache-2.0
import CProtobufC

/// Makes protobuf-c write the delimited fields of a message, which it has no word for.
///
/// What it does not know it writes as it is, behind the other fields: each delimited message is packed, put between its tags
/// and handed to it as an unknown field of the message around.
struct GroupWriter {
  let arena: MessageArena

  /// Prepares a message that has been lowered, and those inside it, for packing. Nothing is done for one that can have no
  /// groups, nor for one that is prepared already.
  @inline(__always)
  func prepare(_ message: UnsafeMutableRawPointer) {
    let descriptor = MessageDescriptor.of(message)
    if descriptor.hasGroups { prepare(message, descriptor) }
  }

  @inline(never)
  private func prepare(_ message: UnsafeMutableRawPointer, _ descriptor: MessageDescriptor) {
    var groups: [ProtobufCMessageUnknownField] = []
    for index in 0..<descriptor.count {
      let field = descriptor.layout[index]
      guard let inner = field.message?.takeUnretainedValue(), field.isDelimited || inner.hasGroups else { continue }
      forEachMessage(of: field, in: message) { inner in
        prepare(inner)
        if field.isDelimited { groups.append(group(field, inner)) }
      }
      if field.isDelimited, isSet(field, in: message) {
        // All of it: a message is there for protobuf-c where its pointer is.
        (message + field.offset).initializeMemory(as: UInt8.self, repeating: 0, count: Slot.size)
      }
    }
    if !groups.isEmpty { add(groups, to: message.assumingMemoryBound(to: ProtobufCMessage.self)) }
  }

  /// Whether a field has a value: a slot may be that of another member of the oneof.
  private func isSet(_ field: FieldLayout, in message: UnsafeRawPointer) -> Bool {
    let quantifier = message.load(fromByteOffset: field.offset + Slot.quantifier, as: Int.self)
    return field.label == .oneof ? quantifier == Int(field.number) : quantifier != 0
  }

  private func forEachMessage(
    of field: FieldLayout, in message: UnsafeRawPointer, _ body: (UnsafeMutableRawPointer) -> Void
  ) {
    guard isSet(field, in: message) else { return }
    let slot = message + field.offset
    guard field.isRepeated else {
      // nil for a required message that has not been set: encoding ends with an error.
      if let inner = slot.load(as: UnsafeMutableRawPointer?.self) { body(inner) }
      return
    }
    let elements = slot.load(as: UnsafePointer<UnsafeMutableRawPointer>.self)
    for index in 0..<slot.load(fromByteOffset: Slot.quantifier, as: Int.self) { body(elements[index]) }
  }

  /// The tag that begins a group is the unknown field's own; the one that ends it is part of its data.
  private func group(_ field: FieldLayout, _ message: UnsafeMutableRawPointer) -> ProtobufCMessageUnknownField {
    let message = UnsafePointer(message.assumingMemoryBound(to: ProtobufCMessage.self))
    var end: [UInt8] = []
    end.append(varint: UInt64(field.number) << 3 | UInt64(WireType.endGroup.rawValue))
    let size = protobuf_c_message_get_packed_size(message)
    let data = arena.allocate(size + end.count)
    protobuf_c_message_pack(message, data.assumingMemoryBound(to: UInt8.self))
    UnsafeMutableRawBufferPointer(start: data + size, count: end.count).copyBytes(from: end)
    return ProtobufCMessageUnknownField(
      tag: field.number, wire_type: ProtobufCWireType(rawValue: UInt32(WireType.startGroup.rawValue)),
      len: size + end.count, data: data.assumingMemoryBound(to: UInt8.self))
  }

  /// Puts groups before the unknown fields that a message has.
  private func add(_ groups: [ProtobufCMessageUnknownField], to message: UnsafeMutablePointer<ProtobufCMessage>) {
    let present = UnsafeBufferPointer(
      start: message.pointee.unknown_fields, count: Int(message.pointee.n_unknown_fields))
    let count = groups.count + present.count
    let fields = arena.allocate(count * MemoryLayout<ProtobufCMessageUnknownField>.stride)
      .bindMemory(to: ProtobufCMessageUnknownField.self, capacity: count)
    _ = UnsafeMutableBufferPointer(start: fields, count: groups.count).initialize(fromContentsOf: groups)
    _ = UnsafeMutableBufferPointer(start: fields + groups.count, count: present.count).initialize(
      fromContentsOf: present)
    message.pointee.n_unknown_fields = UInt32(count)
    message.pointee.unknown_fields = fields
  }
}
