// SPDX-License-Identifier: Apache-2.0

extension LeafTable {
  /// The number of bytes that a struct takes on the wire.
  func byteCount(_ memory: UnsafeRawPointer) -> Int {
    var counter = LeafCounter()
    forEachValue(memory, &counter)
    return counter.count
  }

  /// Writes a struct; returns where its bytes end. There must be room for `byteCount`.
  @discardableResult
  func write(_ memory: UnsafeRawPointer, to target: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
    var writer = LeafWriter(position: target)
    forEachValue(memory, &writer)
    return writer.position
  }

  /// Gives all that is to be written to a visitor.
  @inline(__always)
  private func forEachValue<Visitor: LeafVisitor>(_ memory: UnsafeRawPointer, _ visitor: inout Visitor) {
    let fields = content.pointee.fields
    for index in 0..<content.pointee.count {
      let field = fields + index
      Self.visit(memory + field.pointee.offset, field, &visitor)
    }
    let unknownFields = memory + content.pointee.unknownFields
    if unknownFields.load(as: Int.self) != 0 {
      unknownFields.assumingMemoryBound(to: [UInt8].self).pointee.withUnsafeBytes { visitor.unknown($0) }
    }
  }

  @inline(__always)
  private static func visit<Visitor: LeafVisitor>(
    _ source: UnsafeRawPointer, _ field: UnsafeMutablePointer<LeafField>, _ visitor: inout Visitor
  ) {
    switch field.pointee.form {
    case .string:
      let words = StringWords(at: source)
      if !words.isEmpty { visit(words, at: source, field, &visitor) }
    case .optionalString:
      let words = StringWords(at: source)
      if words.second != 0 { visit(words, at: source, field, &visitor) }
    case .bits32:
      let bits = source.load(as: UInt32.self)
      if bits != 0 { visitor.number(field, UInt64(bits)) }
    case .bits64:
      let bits = source.load(as: UInt64.self)
      if bits != 0 { visitor.number(field, bits) }
    case .bool: if source.load(as: Bool.self) { visitor.number(field, 1) }
    case .optionalBits32:
      if let bits = source.assumingMemoryBound(to: UInt32?.self).pointee { visitor.number(field, UInt64(bits)) }
    case .optionalBits64:
      if let bits = source.assumingMemoryBound(to: UInt64?.self).pointee { visitor.number(field, bits) }
    case .optionalBool:
      if let isTrue = source.assumingMemoryBound(to: Bool?.self).pointee { visitor.number(field, isTrue ? 1 : 0) }
    case .bytes:
      source.assumingMemoryBound(to: [UInt8].self).pointee.withUnsafeBytes { bytes in
        if !bytes.isEmpty { visitor.bytes(field, bytes) }
      }
    case .optionalBytes:
      source.assumingMemoryBound(to: [UInt8]?.self).pointee?.withUnsafeBytes { visitor.bytes(field, $0) }
    case .other:
      if let number = field.pointee.access.number(at: source) {
        visitor.number(field, UInt64(UInt32(bitPattern: number)))
      }
    // Only the number of the elements and where they lie are asked for.
    case .int32s, .uint32s, .floats:
      source.assumingMemoryBound(to: [UInt32].self).pointee.withUnsafeBytes { bytes in
        if !bytes.isEmpty { visitor.packed(field, bytes, size: 4) }
      }
    case .int64s, .uint64s, .doubles:
      source.assumingMemoryBound(to: [UInt64].self).pointee.withUnsafeBytes { bytes in
        if !bytes.isEmpty { visitor.packed(field, bytes, size: 8) }
      }
    case .bools:
      source.assumingMemoryBound(to: [Bool].self).pointee.withUnsafeBytes { bytes in
        if !bytes.isEmpty { visitor.bytes(field, bytes) }
      }
    default: break
    }
  }

  @inline(__always)
  private static func visit<Visitor: LeafVisitor>(
    _ words: StringWords, at source: UnsafeRawPointer, _ field: UnsafeMutablePointer<LeafField>,
    _ visitor: inout Visitor
  ) {
    if let bytes = words.bytes(at: source) {
      visitor.bytes(field, UnsafeRawBufferPointer(bytes))
    } else {
      Array(source.assumingMemoryBound(to: String.self).pointee.utf8).withUnsafeBytes { visitor.bytes(field, $0) }
    }
  }
}

/// What is done with the values of a leaf that go on the wire.
private protocol LeafVisitor {
  /// A number, by its bits.
  mutating func number(_ field: UnsafeMutablePointer<LeafField>, _ bits: UInt64)
  /// A value with a length.
  mutating func bytes(_ field: UnsafeMutablePointer<LeafField>, _ bytes: UnsafeRawBufferPointer)
  /// Packed numbers of 4 or 8 bytes each.
  mutating func packed(_ field: UnsafeMutablePointer<LeafField>, _ numbers: UnsafeRawBufferPointer, size: Int)
  /// Whole fields.
  mutating func unknown(_ bytes: UnsafeRawBufferPointer)
}

/// Adds up how many bytes there are.
private struct LeafCounter: LeafVisitor {
  var count = 0

  @inline(__always)
  mutating func number(_ field: UnsafeMutablePointer<LeafField>, _ bits: UInt64) {
    count += field.pointee.tagSize + field.pointee.wire.byteCount(bits)
  }

  @inline(__always)
  mutating func bytes(_ field: UnsafeMutablePointer<LeafField>, _ bytes: UnsafeRawBufferPointer) {
    count += field.pointee.tagSize + UInt64(bytes.count).varintSize + bytes.count
  }

  mutating func packed(_ field: UnsafeMutablePointer<LeafField>, _ numbers: UnsafeRawBufferPointer, size: Int) {
    let payload = field.pointee.wire.byteCount(numbers, size: size)
    count += field.pointee.tagSize + UInt64(payload).varintSize + payload
  }

  @inline(__always)
  mutating func unknown(_ bytes: UnsafeRawBufferPointer) { count += bytes.count }
}

/// Writes the bytes.
private struct LeafWriter: LeafVisitor {
  var position: UnsafeMutableRawPointer

  @inline(__always)
  mutating func number(_ field: UnsafeMutablePointer<LeafField>, _ bits: UInt64) {
    tag(field)
    switch field.pointee.wire {
    case .fixed32:
      position.storeBytes(of: UInt32(truncatingIfNeeded: bits).littleEndian, as: UInt32.self)
      position += 4
    case .fixed64:
      position.storeBytes(of: bits.littleEndian, as: UInt64.self)
      position += 8
    default: varint(field.pointee.wire.varint(bits))
    }
  }

  @inline(__always)
  mutating func bytes(_ field: UnsafeMutablePointer<LeafField>, _ bytes: UnsafeRawBufferPointer) {
    tag(field)
    varint(UInt64(bytes.count))
    unknown(bytes)
  }

  mutating func packed(_ field: UnsafeMutablePointer<LeafField>, _ numbers: UnsafeRawBufferPointer, size: Int) {
    let wire = field.pointee.wire
    tag(field)
    varint(UInt64(wire.byteCount(numbers, size: size)))
    switch (wire, size) {
    case (.fixed32, _), (.fixed64, _): unknown(numbers)
    case (_, 4): for bits in numbers.bindMemory(to: UInt32.self) { varint(wire.varint(UInt64(bits))) }
    default: for bits in numbers.bindMemory(to: UInt64.self) { varint(wire.varint(bits)) }
    }
  }

  @inline(__always)
  mutating func unknown(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    position.copyMemory(from: start, byteCount: bytes.count)
    position += bytes.count
  }

  @inline(__always)
  private mutating func tag(_ field: UnsafeMutablePointer<LeafField>) {
    let tag = field.pointee.tag
    position.storeBytes(of: UInt8(truncatingIfNeeded: tag), as: UInt8.self)
    if field.pointee.tagSize == 2 { position.storeBytes(of: UInt8(tag >> 8), toByteOffset: 1, as: UInt8.self) }
    position += field.pointee.tagSize
  }

  @inline(__always)
  private mutating func varint(_ value: UInt64) {
    var value = value
    while value >= 128 {
      position.storeBytes(of: UInt8(truncatingIfNeeded: value) | 0x80, as: UInt8.self)
      position += 1
      value >>= 7
    }
    position.storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
    position += 1
  }
}

extension LeafWire {
  /// The varint that stands for the bits of a number.
  @inline(__always)
  fileprivate func varint(_ bits: UInt64) -> UInt64 {
    switch self {
    case .signed32: return UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: bits)))
    case .zigzag32:
      let number = Int32(truncatingIfNeeded: bits)
      return UInt64(UInt32(bitPattern: number << 1 ^ number >> 31))
    case .zigzag64:
      let number = Int64(bitPattern: bits)
      return UInt64(bitPattern: number << 1 ^ number >> 63)
    case .varint, .fixed32, .fixed64, .bytes: return bits
    }
  }

  @inline(__always)
  fileprivate func byteCount(_ bits: UInt64) -> Int {
    switch self {
    case .fixed32: 4
    case .fixed64: 8
    default: varint(bits).varintSize
    }
  }

  /// The number of bytes of packed numbers, which take 4 or 8 bytes each in memory.
  fileprivate func byteCount(_ numbers: UnsafeRawBufferPointer, size: Int) -> Int {
    switch (self, size) {
    case (.fixed32, _), (.fixed64, _): return numbers.count
    case (.signed32, _):
      let numbers = numbers.bindMemory(to: Int32.self)
      var count = numbers.count
      // Runs whose count fits 32 bits.
      for start in stride(from: 0, to: numbers.count, by: 1 << 20) {
        count += Self.furtherBytes(numbers[start..<min(start + 1 << 20, numbers.count)])
      }
      return count
    case (_, 4): return numbers.bindMemory(to: UInt32.self).reduce(0) { $0 + varint(UInt64($1)).varintSize }
    default: return numbers.bindMemory(to: UInt64.self).reduce(0) { $0 + varint($1).varintSize }
    }
  }
}

extension LeafWire {
  /// The number of bytes of varints behind the first byte of each. Without a branch, so that the compiler takes several
  /// numbers at once.
  private static func furtherBytes(_ numbers: Slice<UnsafeBufferPointer<Int32>>) -> Int {
    var count: Int32 = 0
    for number in UnsafeBufferPointer(rebasing: numbers) {
      count &+= (number < 0 ? 9 : 0) &+ (number >= 1 << 7 ? 1 : 0) &+ (number >= 1 << 14 ? 1 : 0)
      count &+= (number >= 1 << 21 ? 1 : 0) &+ (number >= 1 << 28 ? 1 : 0)
    }
    return Int(count)
  }
}

extension UInt64 {
  /// The number of bytes that it takes as a varint.
  @inline(__always)
  fileprivate var varintSize: Int { (70 - (self | 1).leadingZeroBitCount) / 7 }
}
