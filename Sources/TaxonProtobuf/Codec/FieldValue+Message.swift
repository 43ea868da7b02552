// SPDX-License-Identifier: Apache-2.0

import CProtobufC

extension Message {
  /// Eight bytes: a pointer.
  @inlinable public static var stride: Int { 8 }

  /// Takes a value out of memory that protobuf-c has filled.
  @inlinable
  public static func lift(_ memory: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) -> Self {
    let base = memory.load(as: UnsafeRawPointer?.self) ?? descriptor.emptyForReader
    return try Self(reading: MessageReader(inside: base, arena))
  }

  /// Never: a message that is there is written.
  @inlinable public var isDefault: Bool { false }

  /// Puts the value where protobuf-c will find it.
  @inlinable
  public func lower(to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    var writer = MessageWriter(Self.descriptor, arena)
    memory.storeBytes(of: writer.base, as: UnsafeMutableRawPointer.self)
    write(to: &writer)
  }
}

extension MessageReader {
  /// A reader for a message inside another.
  @usableFromInline
  init(inside base: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) {
    try MessageDescriptor.of(base).checkUnpacked(base, arena)
    self.init(base, arena)
  }
}

extension MessageDescriptor {
  /// What a field holds that is a message, and not there, and yet must be read: the value of a map's entry.
  @usableFromInline
  var emptyForReader: UnsafeRawPointer { UnsafeRawPointer(emptyInstance) }

  /// Throws for what protobuf-c lets pass: a required field that is missing, an unknown field with an impossible number.
  @inline(__always)
  func checkUnpacked(_ message: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) {
    if !required.isEmpty { try checkRequired(message) }
    if MessageReader(message, arena).hasUnknownFields { try checkUnknownFields(message, arena) }
  }

  private func checkRequired(_ message: UnsafeRawPointer) throws(MessageDecodingError) {
    for index in required {
      guard message.load(fromByteOffset: layout[index].offset + Slot.quantifier, as: UInt32.self) == 0 else { continue }
      throw MessageDecodingError(
        .missingRequiredField, messageName: name, fieldName: fields[layout[index].position].name, offset: 0)
    }
  }

  private func checkUnknownFields(_ message: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) {
    for field in UnknownFields.unpacked(message) {
      if (1...WireCursor.greatestFieldNumber).contains(UInt64(field.tag)) { continue }
      if field.tag == WireRewriter.kept, arena.state.pointee.isRewritten { continue }
      throw MessageDecodingError(.invalidFieldNumber(UInt64(field.tag)), messageName: name, offset: 0)
    }
  }
}
