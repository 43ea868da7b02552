// SPDX-License-Identifier: Apache-2.0

import CProtobufC

/// Fields from the wire that a message's type does not know, in their order.
public struct UnknownFields: Hashable, Sendable {
  /// nil rather than empty: copying a nil costs nothing.
  @usableFromInline var storage: [UInt8]?

  /// No fields.
  @inlinable
  public init() {}

  /// Whether it has no fields.
  @inlinable
  public var isEmpty: Bool { storage == nil }

  /// The fields in the binary format.
  public var bytes: [UInt8] { storage ?? [] }

  /// Takes the fields out of an unpacked message.
  @usableFromInline
  init(lifting message: UnsafeRawPointer) {
    var output: [UInt8] = []
    for field in Self.unpacked(message) {
      let data = UnsafeBufferPointer(start: field.data, count: field.len)
      if field.tag == WireRewriter.kept, let end = data.firstIndex(where: { $0 < 0x80 }) {
        // The rewriter keeps a field unchanged behind a length: its tag and its value.
        output.append(contentsOf: data[(end + 1)...])
      } else {
        output.append(varint: UInt64(field.tag) << 3 | UInt64(field.wire_type.rawValue))
        output.append(contentsOf: data)
      }
    }
    storage = output
  }

  /// The unknown fields that protobuf-c has left in a message.
  static func unpacked(_ message: UnsafeRawPointer) -> UnsafeBufferPointer<ProtobufCMessageUnknownField> {
    let header = message.assumingMemoryBound(to: ProtobufCMessage.self).pointee
    return UnsafeBufferPointer(start: header.unknown_fields, count: Int(header.n_unknown_fields))
  }

  /// Appends encoded fields.
  mutating func append(_ fields: UnsafeRawBufferPointer) {
    if storage == nil { storage = [UInt8](copying: fields) } else { storage?.append(contentsOf: fields) }
  }

  /// Puts all fields into a message as one: protobuf-c writes the given tag and then the data unchanged.
  @usableFromInline
  func lower(to message: UnsafeMutableRawPointer, _ arena: MessageArena) {
    bytes.withUnsafeBytes { bytes in
      var cursor = WireCursor(bytes, in: 0..<bytes.count)
      // The stored bytes come from well-formed messages.
      guard let tag = try? cursor.varint(longest: 5) else { return }
      let rest = UnsafeRawBufferPointer(rebasing: bytes[cursor.offset...])
      let copy = arena.allocate(rest.count)
      UnsafeMutableRawBufferPointer(start: copy, count: rest.count).copyMemory(from: rest)
      let field = arena.allocate(MemoryLayout<ProtobufCMessageUnknownField>.stride)
        .bindMemory(to: ProtobufCMessageUnknownField.self, capacity: 1)
      field.initialize(
        to: ProtobufCMessageUnknownField(
          tag: UInt32(tag >> 3), wire_type: ProtobufCWireType(rawValue: UInt32(tag & 7)), len: rest.count,
          data: copy.assumingMemoryBound(to: UInt8.self)))
      let header = message.assumingMemoryBound(to: ProtobufCMessage.self)
      header.pointee.n_unknown_fields = 1
      header.pointee.unknown_fields = field
    }
  }
}

extension UnknownFields {
  /// The payloads of all length-delimited fields with this number, in their order.
  public func lengthDelimited(_ number: UInt32) -> [[UInt8]] {
    var result: [[UInt8]] = []
    forEach(number, .lengthDelimited) { result.append(Array($0)) }
    return result
  }

  /// The values of all varint fields with this number, in their order.
  public func varints(_ number: UInt32) -> [UInt64] {
    var result: [UInt64] = []
    forEach(number, .varint) { bytes in
      var cursor = WireCursor(bytes, in: 0..<bytes.count)
      if let value = try? cursor.varint() { result.append(value) }
    }
    return result
  }

  /// The fields with this number as one message, merged; nil where there are none.
  ///
  /// This is how an extension is read that the code knows and the descriptor of its message does not.
  public func message<M: Message>(_ number: UInt32, as type: M.Type) throws(MessageDecodingError) -> M? {
    let parts = lengthDelimited(number)
    return parts.isEmpty ? nil : try M(decoding: Array(parts.joined()))
  }

  /// The encoded fields with this number, tags included; nil where there are none.
  package func fields(_ number: UInt32) -> [UInt8]? {
    storage.flatMap { Self.part(of: $0) { $0 == number } }
  }

  /// Puts encoded fields in the place of those with this number, at the end.
  mutating func replace(_ number: UInt32, with fields: [UInt8]) {
    let others = storage.flatMap { Self.part(of: $0) { $0 != number } } ?? []
    storage = others.isEmpty ? (fields.isEmpty ? nil : fields) : others + fields
  }

  private static func part(of bytes: [UInt8], _ isIncluded: (UInt32) -> Bool) -> [UInt8]? {
    var part: [UInt8] = []
    bytes.withUnsafeBytes { bytes in
      var cursor = WireCursor(bytes, in: 0..<bytes.count)
      // The stored bytes come from well-formed messages.
      while let entry = try? cursor.next(nestingLeft: .max) {
        if isIncluded(entry.number) { part += bytes[entry.range] }
      }
    }
    return part.isEmpty ? nil : part
  }

  private func forEach(_ number: UInt32, _ wireType: WireType, _ body: (UnsafeRawBufferPointer) -> Void) {
    bytes.withUnsafeBytes { bytes in
      var cursor = WireCursor(bytes, in: 0..<bytes.count)
      while let entry = try? cursor.next(nestingLeft: .max) {
        guard entry.number == number, entry.wireType == wireType else { continue }
        body(UnsafeRawBufferPointer(rebasing: bytes[entry.value]))
      }
    }
  }
}
