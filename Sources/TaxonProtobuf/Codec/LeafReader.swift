// SPDX-License-Identifier: Apache-2.0

extension LeafTable {
  /// Initialises a struct from the binary format. False, and the memory is left uninitialised, where protobuf-c and its
  /// checks have to read it.
  func read(_ bytes: UnsafeRawBufferPointer, to memory: UnsafeMutableRawPointer) -> Bool {
    memory.copyMemory(from: content.pointee.image, byteCount: content.pointee.size)
    guard let start = bytes.baseAddress else { return true }
    let places = content.pointee.places
    let fields = content.pointee.fields
    var cursor = LeafCursor(position: start, end: start + bytes.count)
    while cursor.position < cursor.end {
      let tag = cursor.position.load(as: UInt8.self)
      // Zero for a tag of more bytes as well.
      let place = tag < 128 ? places[Int(tag)] : 0
      if place == 0 {
        if readOther(&cursor, to: memory) { continue }
      } else {
        let field = fields + Int(place) - 1
        cursor.position += 1
        if Self.read(field, &cursor, to: memory + field.pointee.offset) { continue }
      }
      destroy(memory)
      return false
    }
    return true
  }

  /// Ends the life of a struct.
  @inline(never)
  private func destroy(_ memory: UnsafeMutableRawPointer) {
    for index in 0..<content.pointee.table.content.pointee.count { content.pointee.table.destroy(index, memory) }
    (memory + content.pointee.unknownFields).assumingMemoryBound(to: UnknownFields.self).deinitialize(count: 1)
  }

  /// Reads a field whose tag has two bytes, is not the usual one, or is not known.
  @inline(never)
  private func readOther(_ cursor: inout LeafCursor, to memory: UnsafeMutableRawPointer) -> Bool {
    let start = cursor.position
    guard let tag = cursor.shortTag(), let wireType = WireType(rawValue: UInt8(tag & 7)), tag >> 3 > 0 else {
      return false
    }
    if let field = field(tag >> 3) {
      let target = memory + field.pointee.offset
      if wireType == field.pointee.wireType { return Self.read(field, &cursor, to: target) }
      // Packed numbers, each with a tag of its own.
      guard wireType == field.pointee.wire.wireType else { return false }
      return Self.append(field, &cursor, to: target)
    }
    guard cursor.skip(wireType) else { return false }
    let bytes = UnsafeRawBufferPointer(start: start, count: cursor.position - start)
    let unknownFields = (memory + content.pointee.unknownFields).assumingMemoryBound(to: UnknownFields.self)
    unknownFields.pointee.append(bytes)
    return true
  }

  private func field(_ number: UInt32) -> UnsafeMutablePointer<LeafField>? {
    var low = 0
    var high = content.pointee.count
    while low < high {
      let middle = (low + high) / 2
      let candidate = content.pointee.fields[middle].number
      if candidate == number { return content.pointee.fields + middle }
      if candidate < number { low = middle + 1 } else { high = middle }
    }
    return nil
  }

  /// Reads one value, or a run of packed numbers, into a property.
  @inline(__always)
  private static func read(
    _ field: UnsafeMutablePointer<LeafField>, _ cursor: inout LeafCursor, to target: UnsafeMutableRawPointer
  ) -> Bool {
    switch field.pointee.form {
    case .string, .optionalString:
      guard let bytes = cursor.bytes() else { return false }
      return store(bytes, to: target)
    case .bits32:
      guard let bits = cursor.bits(field.pointee.wire) else { return false }
      target.storeBytes(of: UInt32(truncatingIfNeeded: bits), as: UInt32.self)
    case .bits64:
      guard let bits = cursor.bits(field.pointee.wire) else { return false }
      target.storeBytes(of: bits, as: UInt64.self)
    case .bool:
      guard let bits = cursor.varint() else { return false }
      target.storeBytes(of: bits != 0, as: Bool.self)
    case .optionalBits32:
      guard let bits = cursor.bits(field.pointee.wire) else { return false }
      target.initializeMemory(as: UInt32?.self, to: UInt32(truncatingIfNeeded: bits))
    case .optionalBits64:
      guard let bits = cursor.bits(field.pointee.wire) else { return false }
      target.initializeMemory(as: UInt64?.self, to: bits)
    case .optionalBool:
      guard let bits = cursor.varint() else { return false }
      target.initializeMemory(as: Bool?.self, to: bits != 0)
    case .bytes, .optionalBytes:
      guard let bytes = cursor.bytes() else { return false }
      // nil and no bytes are each one word, like any other bytes: this releases what was there.
      target.assumingMemoryBound(to: [UInt8]?.self).pointee = [UInt8](copying: bytes)
    case .other:
      guard let bits = cursor.varint() else { return false }
      return field.pointee.access.store(number: Int32(truncatingIfNeeded: bits), to: target)
    case .int32s: return numbers(Int32.self, field, &cursor, to: target)
    case .uint32s: return numbers(UInt32.self, field, &cursor, to: target)
    case .floats: return numbers(Float.self, field, &cursor, to: target)
    case .int64s: return numbers(Int64.self, field, &cursor, to: target)
    case .uint64s: return numbers(UInt64.self, field, &cursor, to: target)
    case .doubles: return numbers(Double.self, field, &cursor, to: target)
    case .bools: return numbers(Bool.self, field, &cursor, to: target)
    default: return false
    }
    return true
  }

  /// Stores a String or an Optional of one, of which nil has a word of zero.
  @inline(__always)
  private static func store(_ bytes: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) -> Bool {
    guard !bytes.isEmpty else { return replace("", at: target) }
    guard let string = String(checking: bytes.assumingMemoryBound(to: UInt8.self)) else { return false }
    return replace(string, at: target)
  }

  @inline(__always)
  private static func replace(_ string: String, at target: UnsafeMutableRawPointer) -> Bool {
    // Nothing is to be released where the field was not set before.
    if StringWords(at: target).hasObject {
      target.assumingMemoryBound(to: String.self).pointee = string
    } else {
      target.initializeMemory(as: String.self, to: string)
    }
    return true
  }

  /// Appends one number to an array.
  private static func append(
    _ field: UnsafeMutablePointer<LeafField>, _ cursor: inout LeafCursor, to target: UnsafeMutableRawPointer
  ) -> Bool {
    guard let bits = cursor.bits(field.pointee.wire) else { return false }
    let bits32 = UInt32(truncatingIfNeeded: bits)
    switch field.pointee.form {
    case .int32s: target.assumingMemoryBound(to: [Int32].self).pointee.append(Int32(bitPattern: bits32))
    case .uint32s: target.assumingMemoryBound(to: [UInt32].self).pointee.append(bits32)
    case .floats: target.assumingMemoryBound(to: [Float].self).pointee.append(Float(bitPattern: bits32))
    case .int64s: target.assumingMemoryBound(to: [Int64].self).pointee.append(Int64(bitPattern: bits))
    case .uint64s: target.assumingMemoryBound(to: [UInt64].self).pointee.append(bits)
    case .doubles: target.assumingMemoryBound(to: [Double].self).pointee.append(Double(bitPattern: bits))
    case .bools: target.assumingMemoryBound(to: [Bool].self).pointee.append(bits != 0)
    default: return false
    }
    return true
  }

  /// Reads a run of packed numbers, behind those that are there.
  @inline(__always)
  private static func numbers<Number: BitwiseCopyable>(
    _ type: Number.Type, _ field: UnsafeMutablePointer<LeafField>, _ cursor: inout LeafCursor,
    to target: UnsafeMutableRawPointer
  ) -> Bool {
    guard let bytes = cursor.bytes(), let run = PackedNumbers(bytes, field.pointee.wire) else { return false }
    if run.count == 0 { return true }
    var isWhole = false
    let numbers = [Number](unsafeUninitializedCapacity: run.count) { buffer, filled in
      // There are numbers.
      let start = UnsafeMutableRawPointer(buffer.baseAddress!)
      isWhole = Number.self == Bool.self ? run.readBools(to: start) : run.read(to: start, MemoryLayout<Number>.size)
      filled = isWhole ? run.count : 0
    }
    guard isWhole else { return false }
    let array = target.assumingMemoryBound(to: [Number].self)
    if array.pointee.isEmpty { array.pointee = numbers } else { array.pointee += numbers }
    return true
  }
}

/// Goes through the bytes of a leaf. Every function is false or nil for what is not there or too long.
struct LeafCursor {
  var position: UnsafeRawPointer
  let end: UnsafeRawPointer

  @inline(__always)
  mutating func varint() -> UInt64? {
    guard position < end else { return nil }
    let byte = position.load(as: UInt8.self)
    guard byte >= 128 else {
      position += 1
      return UInt64(byte)
    }
    return longVarint()
  }

  /// A varint; bits beyond 64 are dropped.
  private mutating func longVarint() -> UInt64? {
    var result: UInt64 = 0
    var shift: UInt64 = 0
    while position < end, shift < 70 {
      let byte = position.load(as: UInt8.self)
      position += 1
      result |= UInt64(byte & 0x7F) << shift
      if byte < 128 { return result }
      shift += 7
    }
    return nil
  }

  /// A tag of one or two bytes, in its shortest form.
  mutating func shortTag() -> UInt32? {
    let first = UInt32(position.load(as: UInt8.self))
    position += 1
    guard first >= 128 else { return first }
    guard position < end else { return nil }
    let second = UInt32(position.load(as: UInt8.self))
    position += 1
    return (1..<128).contains(second) ? first & 0x7F | second << 7 : nil
  }

  /// The bits of a number.
  @inline(__always)
  mutating func bits(_ wire: LeafWire) -> UInt64? {
    switch wire {
    case .varint, .signed32: return varint()
    case .zigzag32: return varint().map { UInt64(UInt32(truncatingIfNeeded: $0).unzigzagged) }
    case .zigzag64: return varint().map(\.unzigzagged)
    case .fixed32:
      guard end - position >= 4 else { return nil }
      defer { position += 4 }
      return UInt64(UInt32(littleEndian: position.loadUnaligned(as: UInt32.self)))
    case .fixed64:
      guard end - position >= 8 else { return nil }
      defer { position += 8 }
      return UInt64(littleEndian: position.loadUnaligned(as: UInt64.self))
    case .bytes: return nil
    }
  }

  /// A value behind its length.
  @inline(__always)
  mutating func bytes() -> UnsafeRawBufferPointer? {
    let start = position
    guard let count = varint(), count <= UInt64(end - position), position - start <= 5 else { return nil }
    defer { position += Int(count) }
    return UnsafeRawBufferPointer(start: position, count: Int(count))
  }

  /// Goes behind a value; not one of a group.
  mutating func skip(_ wireType: WireType) -> Bool {
    switch wireType {
    case .varint: varint() != nil
    case .fixed32: bits(.fixed32) != nil
    case .fixed64: bits(.fixed64) != nil
    case .lengthDelimited: bytes() != nil
    case .startGroup, .endGroup: false
    }
  }
}

extension UnsignedInteger where Self: FixedWidthInteger {
  /// The bits of the signed number that this is the zigzag form of.
  @inline(__always)
  var unzigzagged: Self { self >> 1 ^ (0 &- (self & 1)) }
}
