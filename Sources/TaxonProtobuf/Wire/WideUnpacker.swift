// SPDX-License-Identifier: Apache-2.0

import CProtobufC

/// Unpacks messages of very many fields, instead of protobuf-c.
///
/// protobuf-c takes 32 bytes for each field that it meets, 40 for each that it does not know, and a struct for each
/// message inside, empty or not: a message of 4 MB in two million fields becomes 150 to 300 MB. This reads the input
/// twice: it counts, allocates once, and fills. Unknown fields are one run of bytes, empty messages share one struct,
/// and texts stay in the input. It is slower for usual messages, and so unpacks only those for which protobuf-c was
/// refused memory.
///
/// The input must have passed `WireCheck`. It needs no `WireRewriter`: unknown groups and values that their field does
/// not hold go to the unknown fields, and parts of one message are filled into the same struct.
struct WideUnpacker {
  /// The most fields of one message that protobuf-c unpacks: its notes on them fit the smaller arrays.
  static let fieldLimit = ArenaCallbacks.slabLimit / 32 - 16

  private let bytes: UnsafeRawBufferPointer
  private let arena: MessageArena
  private let rewriter: WireRewriter

  init(bytes: UnsafeRawBufferPointer, arena: MessageArena, groups: GroupEnds? = nil) {
    self.bytes = bytes
    self.arena = arena
    rewriter = WireRewriter(bytes: bytes, groups: groups)
  }

  /// Unpacks the whole input, which has to stay where it is as long as the message is read.
  func unpack(_ descriptor: MessageDescriptor) -> UnsafeRawPointer {
    let message = makeInstance(of: descriptor)
    fill(message, descriptor, 0..<bytes.count)
    return UnsafeRawPointer(message)
  }

  private func makeInstance(of descriptor: MessageDescriptor) -> UnsafeMutableRawPointer {
    let size = descriptor.table.pointee.sizeof_message
    let message = arena.allocate(size)
    message.copyMemory(from: descriptor.emptyInstance, byteCount: size)
    return message
  }

  private func fill(_ message: UnsafeMutableRawPointer, _ descriptor: MessageDescriptor, _ range: Range<Int>) {
    guard !range.isEmpty else { return }
    withUnsafeTemporaryAllocation(of: Int.self, capacity: descriptor.count) { counts in
      counts.initialize(repeating: 0)
      let unknownCount = count(descriptor, range, counts)
      for index in 0..<descriptor.count where counts[index] > 0 {
        reserve(counts[index], message + descriptor.layout[index].offset, descriptor.layout[index].kind.stride)
      }
      var unknown = unknownCount > 0 ? reserveUnknown(unknownCount, message) : nil
      var cursor = WireCursor(bytes, in: range)
      // `WireCheck` has passed the input.
      while let entry = try? cursor.next(nestingLeft: .max, groups: rewriter.groups) {
        if let index = descriptor.index(of: entry.number), rewriter.accepts(entry, descriptor, descriptor.layout[index])
        {
          store(entry, message, descriptor, descriptor.layout[index], &unknown)
        } else {
          append(UnsafeRawBufferPointer(rebasing: bytes[entry.range]), to: &unknown)
        }
      }
    }
  }

  // MARK: Counting

  /// Counts the elements of repeated fields, by index, and returns how many bytes the unknown fields have.
  private func count(
    _ descriptor: MessageDescriptor, _ range: Range<Int>, _ counts: UnsafeMutableBufferPointer<Int>
  ) -> Int {
    var unknown = 0
    var cursor = WireCursor(bytes, in: range)
    while let entry = try? cursor.next(nestingLeft: .max, groups: rewriter.groups) {
      guard let index = descriptor.index(of: entry.number) else {
        unknown += entry.range.count
        continue
      }
      let field = descriptor.layout[index]
      guard rewriter.accepts(entry, descriptor, field) else {
        unknown += entry.range.count
        continue
      }
      guard field.isRepeated else { continue }
      guard field.kind.isPackable, entry.wireType == .lengthDelimited else {
        counts[index] += 1
        continue
      }
      switch field.kind.wireType {
      case .fixed32: counts[index] += entry.value.count / 4
      case .fixed64: counts[index] += entry.value.count / 8
      default:
        forEachVarint(entry.value) { value, place in
          if descriptor.holds(value, field) { counts[index] += 1 } else { unknown += tagSize(field) + place.count }
        }
      }
    }
    return unknown
  }

  private func forEachVarint(_ range: Range<Int>, _ body: (UInt64, Range<Int>) -> Void) {
    var cursor = WireCursor(bytes, in: range)
    while cursor.offset < cursor.end {
      let start = cursor.offset
      guard let value = try? cursor.varint() else { return }
      body(value, start..<cursor.offset)
    }
  }

  private func tag(_ field: FieldLayout) -> [UInt8] {
    var tag: [UInt8] = []
    tag.append(varint: UInt64(field.number) << 3 | UInt64(WireType.varint.rawValue))
    return tag
  }

  private func tagSize(_ field: FieldLayout) -> Int { tag(field).count }

  // MARK: Memory

  /// Makes room for further elements of a repeated field, whose slot keeps the number of those that are there.
  private func reserve(_ count: Int, _ slot: UnsafeMutableRawPointer, _ stride: Int) {
    let present = slot.load(fromByteOffset: Slot.quantifier, as: Int.self)
    let memory = arena.allocate((present + count) * stride)
    if present > 0 { memory.copyMemory(from: slot.load(as: UnsafeRawPointer.self), byteCount: present * stride) }
    slot.storeBytes(of: memory, as: UnsafeMutableRawPointer.self)
  }

  /// Makes room for unknown fields, all of them in one that carries the bytes as they are (see `WireRewriter.kept`).
  /// Returns where the new ones go.
  private func reserveUnknown(_ count: Int, _ message: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    let header = message.assumingMemoryBound(to: ProtobufCMessage.self)
    var present = UnsafeRawBufferPointer(start: nil, count: 0)
    if let field = header.pointee.unknown_fields {
      let data = UnsafeRawBufferPointer(start: field.pointee.data, count: field.pointee.len)
      present = UnsafeRawBufferPointer(rebasing: data[((data.firstIndex { $0 < 0x80 } ?? 0) + 1)...])
    }
    var length: [UInt8] = []
    length.append(varint: UInt64(present.count + count))
    let size = length.count + present.count + count
    let memory = UnsafeMutableRawBufferPointer(start: arena.allocate(size), count: size)
    memory.copyBytes(from: length)
    if let start = present.baseAddress, let target = memory.baseAddress {
      (target + length.count).copyMemory(from: start, byteCount: present.count)
    }
    let field = arena.allocate(MemoryLayout<ProtobufCMessageUnknownField>.stride)
      .bindMemory(to: ProtobufCMessageUnknownField.self, capacity: 1)
    field.initialize(
      to: ProtobufCMessageUnknownField(
        tag: WireRewriter.kept, wire_type: PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, len: size,
        data: memory.baseAddress?.assumingMemoryBound(to: UInt8.self)))
    header.pointee.n_unknown_fields = 1
    header.pointee.unknown_fields = field
    return memory.baseAddress.map { $0 + length.count + present.count }
  }

  private func append(_ bytes: UnsafeRawBufferPointer, to unknown: inout UnsafeMutableRawPointer?) {
    guard let target = unknown, let start = bytes.baseAddress else { return }
    target.copyMemory(from: start, byteCount: bytes.count)
    unknown = target + bytes.count
  }

  // MARK: Values

  private func store(
    _ entry: WireCursor.Entry, _ message: UnsafeMutableRawPointer, _ descriptor: MessageDescriptor,
    _ field: FieldLayout, _ unknown: inout UnsafeMutableRawPointer?
  ) {
    let slot = message + field.offset
    if field.isRepeated {
      guard field.kind.isPackable, entry.wireType == .lengthDelimited else {
        store(entry.value, of: field, to: nextElement(slot, field), present: nil)
        return
      }
      storePacked(entry.value, slot, descriptor, field, &unknown)
      return
    }
    let isPresent = slot.load(fromByteOffset: Slot.quantifier, as: UInt32.self)
    let mark = field.label == .oneof ? field.number : 1
    // Clears what another member of the oneof has left.
    if isPresent != mark { slot.initializeMemory(as: UInt64.self, repeating: 0, count: 2) }
    store(entry.value, of: field, to: slot, present: slot.load(as: UnsafeMutableRawPointer?.self))
    slot.storeBytes(of: mark, toByteOffset: Slot.quantifier, as: UInt32.self)
  }

  /// Where the next element of a repeated field goes.
  private func nextElement(_ slot: UnsafeMutableRawPointer, _ field: FieldLayout) -> UnsafeMutableRawPointer {
    let count = slot.load(fromByteOffset: Slot.quantifier, as: Int.self)
    slot.storeBytes(of: count + 1, toByteOffset: Slot.quantifier, as: Int.self)
    return slot.load(as: UnsafeMutableRawPointer.self) + count * field.kind.stride
  }

  private func storePacked(
    _ range: Range<Int>, _ slot: UnsafeMutableRawPointer, _ descriptor: MessageDescriptor, _ field: FieldLayout,
    _ unknown: inout UnsafeMutableRawPointer?
  ) {
    let wireType = field.kind.wireType
    guard wireType == .varint else {
      let size = wireType == .fixed32 ? 4 : 8
      for start in stride(from: range.lowerBound, to: range.upperBound, by: size) {
        store(start..<start + size, of: field, to: nextElement(slot, field), present: nil)
      }
      return
    }
    forEachVarint(range) { value, place in
      if descriptor.holds(value, field) {
        store(place, of: field, to: nextElement(slot, field), present: nil)
      } else {
        tag(field).withUnsafeBytes { append($0, to: &unknown) }
        append(UnsafeRawBufferPointer(rebasing: bytes[place]), to: &unknown)
      }
    }
  }

  /// Stores one value as protobuf-c would.
  ///
  /// - Parameter present: The present message, of which this is another part.
  private func store(
    _ range: Range<Int>, of field: FieldLayout, to memory: UnsafeMutableRawPointer, present: UnsafeMutableRawPointer?
  ) {
    switch field.kind {
    case .int32, .uint32, .enum: memory.storeBytes(of: UInt32(truncatingIfNeeded: varint(range)), as: UInt32.self)
    case .sint32:
      let value = UInt32(truncatingIfNeeded: varint(range))
      memory.storeBytes(of: value >> 1 ^ (0 &- (value & 1)), as: UInt32.self)
    case .int64, .uint64, .bool: memory.storeBytes(of: varint(range), as: UInt64.self)
    case .sint64:
      let value = varint(range)
      memory.storeBytes(of: value >> 1 ^ (0 &- (value & 1)), as: UInt64.self)
    case .float, .fixed32, .sfixed32:
      memory.storeBytes(of: bytes.loadUnaligned(fromByteOffset: range.lowerBound, as: UInt32.self), as: UInt32.self)
    case .double, .fixed64, .sfixed64:
      memory.storeBytes(of: bytes.loadUnaligned(fromByteOffset: range.lowerBound, as: UInt64.self), as: UInt64.self)
    case .string, .bytes:
      memory.storeBytes(of: range.count, as: Int.self)
      let start = bytes.baseAddress.map { $0 + range.lowerBound }
      memory.storeBytes(of: start, toByteOffset: 8, as: UnsafeRawPointer?.self)
    case .message:
      // Linked before any input is looked at.
      let inner = field.message!.takeUnretainedValue()
      if field.isRepeated, range.isEmpty {
        memory.storeBytes(of: inner.emptyInstance, as: UnsafeMutableRawPointer.self)
        return
      }
      let message = present ?? makeInstance(of: inner)
      fill(message, inner, range)
      memory.storeBytes(of: message, as: UnsafeMutableRawPointer.self)
    }
  }

  private func varint(_ range: Range<Int>) -> UInt64 {
    var cursor = WireCursor(bytes, in: range)
    return (try? cursor.varint()) ?? 0
  }
}
