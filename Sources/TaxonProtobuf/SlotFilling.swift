// SPDX-License-Identifier: Apache-2.0
import CProtobufC

// What JSON and the text format do alike with messages that they fill as protobuf-c would have unpacked them.

extension MessageArena {
  /// A message takes more than 2 GiB, the limit of the binary format.
  struct TooLarge: Error {}

  /// Packs a message; nil for an empty one.
  func packed(_ message: UnsafeMutableRawPointer) throws(TooLarge) -> UnsafeBufferPointer<UInt8>? {
    GroupWriter(arena: self).prepare(message)
    let message = UnsafePointer(message.assumingMemoryBound(to: ProtobufCMessage.self))
    let count = protobuf_c_message_get_packed_size(message)
    guard count > 0 else { return nil }
    guard count <= Int(Int32.max) else { throw TooLarge() }
    let bytes = allocateValue(count)
    protobuf_c_message_pack(message, bytes)
    return UnsafeBufferPointer(start: bytes, count: count)
  }

  /// Puts packed fields with the unknown fields of a message: the first tag apart, as protobuf-c has it, and what comes
  /// behind it as it is.
  func addUnknown(_ bytes: UnsafeBufferPointer<UInt8>, to base: UnsafeMutableRawPointer) {
    var cursor = WireCursor(UnsafeRawBufferPointer(bytes), in: 0..<bytes.count)
    // protobuf-c has just written it.
    guard let start = bytes.baseAddress, let tag = try? cursor.varint(longest: 5) else { return }
    let before = UnknownFields.unpacked(base)
    let memory = allocate((before.count + 1) * MemoryLayout<ProtobufCMessageUnknownField>.stride)
      .bindMemory(to: ProtobufCMessageUnknownField.self, capacity: before.count + 1)
    for (index, field) in before.enumerated() { (memory + index).initialize(to: field) }
    (memory + before.count).initialize(
      to: ProtobufCMessageUnknownField(
        tag: UInt32(tag >> 3), wire_type: ProtobufCWireType(rawValue: UInt32(tag & 7)),
        len: bytes.count - cursor.offset, data: UnsafeMutablePointer(mutating: start + cursor.offset)))
    let header = base.assumingMemoryBound(to: ProtobufCMessage.self)
    header.pointee.n_unknown_fields = UInt32(before.count + 1)
    header.pointee.unknown_fields = memory
  }
}

/// The entries of a map by their keys: numbers by value, strings by their bytes, false before true.
struct MapKeyOrder {
  private let kind: FieldKind
  private let offset: Int

  init(_ key: FieldLayout) {
    self.init(kind: key.kind, offset: key.offset)
  }

  init(kind: FieldKind, offset: Int) {
    self.kind = kind
    self.offset = offset
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
