// SPDX-License-Identifier: Apache-2.0

extension StructTable {
  /// Puts a struct into a message to be packed. The message refers to the struct's strings, bytes and numbers where they
  /// lie, so the struct must stay as it is until the message is packed.
  ///
  /// - Parameter isCopy: Whether the struct is a copy that goes before the message is packed. What it shares with the
  ///   original stays; short strings, which lie in the struct itself, are copied.
  func lower(_ memory: UnsafeRawPointer, isCopy: Bool, _ arena: MessageArena) -> UnsafeMutableRawPointer {
    let size = content.pointee.cSize
    let base = arena.allocate(size)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    base.storeBytes(of: content.pointee.cTable, as: UnsafeRawPointer.self)
    if content.pointee.hasRequired {
      content.pointee.descriptor._withUnsafeGuaranteedRef { $0.markRequired(base) }
    }
    let properties = content.pointee.properties
    for index in 0..<content.pointee.count {
      let property = properties + index
      Self.lower(memory + property.pointee.offset, to: base + property.pointee.slot, property, base, isCopy, arena)
    }
    let unknownFields = memory + content.pointee.unknownFields
    if unknownFields.load(as: Int.self) != 0 {
      unknownFields.assumingMemoryBound(to: UnknownFields.self).pointee.lower(to: base, arena)
    }
    return base
  }

  /// Puts the structs of an array into messages, and the addresses of these into memory.
  func lower(_ structs: UnsafeRawPointer?, _ count: Int, to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    guard let structs else { return }
    for index in 0..<count {
      let message = lower(structs + index * content.pointee.stride, isCopy: false, arena)
      memory.storeBytes(of: message, toByteOffset: index * 8, as: UnsafeMutableRawPointer.self)
    }
  }

  @inline(__always)
  private static func lower(
    _ source: UnsafeRawPointer, to slot: UnsafeMutableRawPointer, _ property: UnsafeMutablePointer<StoredProperty>,
    _ base: UnsafeMutableRawPointer, _ isCopy: Bool, _ arena: MessageArena
  ) {
    switch property.pointee.form {
    case .bits32:
      let bits = source.load(as: UInt32.self)
      if bits == 0 { return }
      slot.storeBytes(of: bits, as: UInt32.self)
      Slot.set(slot, 1)
    case .bits64:
      let bits = source.load(as: UInt64.self)
      if bits == 0 { return }
      slot.storeBytes(of: bits, as: UInt64.self)
      Slot.set(slot, 1)
    case .bool:
      guard source.load(as: Bool.self) else { return }
      slot.storeBytes(of: 1, as: UInt64.self)
      Slot.set(slot, 1)
    case .string:
      String.lower(at: source, isCopy: isCopy, to: slot, arena)
      if slot.load(as: Int.self) > 0 { Slot.set(slot, 1) }
    case .bytes:
      let value = source.assumingMemoryBound(to: [UInt8].self)
      if value.pointee.isEmpty { return }
      value.pointee.lower(to: slot, arena)
      Slot.set(slot, 1)
    case .optionalBits32:
      guard let bits = source.assumingMemoryBound(to: UInt32?.self).pointee else { return }
      slot.storeBytes(of: bits, as: UInt32.self)
      Slot.set(slot, 1)
    case .optionalBits64:
      guard let bits = source.assumingMemoryBound(to: UInt64?.self).pointee else { return }
      slot.storeBytes(of: bits, as: UInt64.self)
      Slot.set(slot, 1)
    case .optionalBool:
      guard let value = source.assumingMemoryBound(to: Bool?.self).pointee else { return }
      slot.storeBytes(of: value ? 1 : 0, as: UInt64.self)
      Slot.set(slot, 1)
    case .optionalString:
      // nil is a string without an object.
      if StringWords(at: source).second == 0 { return }
      String.lower(at: source, isCopy: isCopy, to: slot, arena)
      Slot.set(slot, 1)
    case .optionalBytes:
      guard let value = source.assumingMemoryBound(to: [UInt8]?.self).pointee else { return }
      value.lower(to: slot, arena)
      Slot.set(slot, 1)
    case .int32s: MessageWriter.numbers(source.assumingMemoryBound(to: [Int32].self).pointee, to: slot)
    case .uint32s: MessageWriter.numbers(source.assumingMemoryBound(to: [UInt32].self).pointee, to: slot)
    case .floats: MessageWriter.numbers(source.assumingMemoryBound(to: [Float].self).pointee, to: slot)
    case .int64s: MessageWriter.numbers(source.assumingMemoryBound(to: [Int64].self).pointee, to: slot)
    case .uint64s: MessageWriter.numbers(source.assumingMemoryBound(to: [UInt64].self).pointee, to: slot)
    case .doubles: MessageWriter.numbers(source.assumingMemoryBound(to: [Double].self).pointee, to: slot)
    case .bools: MessageWriter.array(source.assumingMemoryBound(to: [Bool].self).pointee, to: slot, arena)
    case .strings: MessageWriter.array(source.assumingMemoryBound(to: [String].self).pointee, to: slot, arena)
    case .bytesList: MessageWriter.array(source.assumingMemoryBound(to: [[UInt8]].self).pointee, to: slot, arena)
    case .message: lower(message: source, isCopy, to: slot, property, arena)
    case .optionalMessage:
      if property.pointee.access.isNil(source) { return }
      lower(message: source, isCopy, to: slot, property, arena)
    case .messages:
      // Only the number of the elements and where they lie are asked for, which do not depend on what they are: asking an
      // array of messages would take the type's metadata.
      source.assumingMemoryBound(to: [UInt64].self).pointee.withUnsafeBufferPointer { elements in
        if elements.isEmpty { return }
        let messages = arena.allocate(elements.count * 8)
        // The table has it for this form.
        property.pointee.inner!.lower(elements.baseAddress, elements.count, to: messages, arena)
        slot.storeBytes(of: messages, as: UnsafeMutableRawPointer.self)
        Slot.set(slot, elements.count)
      }
    case .leaf: lower(leaf: source, to: slot, property, arena)
    case .optionalLeaf:
      if property.pointee.access.isNil(source) { return }
      lower(leaf: source, to: slot, property, arena)
    case .leaves:
      source.assumingMemoryBound(to: [UInt64].self).pointee.withUnsafeBufferPointer { elements in
        guard let start = UnsafeRawPointer(elements.baseAddress), !elements.isEmpty else { return }
        let values = arena.allocate(elements.count * Slot.bytesStride)
        // The table has it for this form.
        let inner = property.pointee.inner!.content.pointee
        for index in 0..<elements.count {
          inner.leaf!.lower(start + index * inner.stride, to: values + index * Slot.bytesStride, arena)
        }
        slot.storeBytes(of: values, as: UnsafeMutableRawPointer.self)
        Slot.set(slot, elements.count)
      }
    case .requiredCycle:
      if property.pointee.access.isNil(source) {
        Slot.set(slot, 0)
        arena.state.pointee.missing = (
          Unmanaged.passUnretained(MessageDescriptor.of(base)), (slot - base) / Slot.size - 1
        )
      }
      property.pointee.access.lower(source, to: slot, UnsafePointer(property), arena)
    case .other: property.pointee.access.lower(source, to: slot, UnsafePointer(property), arena)
    }
  }

  @inline(__always)
  private static func lower(
    message source: UnsafeRawPointer, _ isCopy: Bool, to slot: UnsafeMutableRawPointer,
    _ property: UnsafeMutablePointer<StoredProperty>, _ arena: MessageArena
  ) {
    // The table has it for this form.
    let inner = property.pointee.inner!.lower(source, isCopy: isCopy, arena)
    slot.storeBytes(of: inner, as: UnsafeMutableRawPointer.self)
    Slot.set(slot, 1)
  }
}

extension StructTable {
  @inline(__always)
  private static func lower(
    leaf source: UnsafeRawPointer, to slot: UnsafeMutableRawPointer, _ property: UnsafeMutablePointer<StoredProperty>,
    _ arena: MessageArena
  ) {
    // The table has both for this form.
    property.pointee.inner!.content.pointee.leaf!.lower(source, to: slot, arena)
    Slot.set(slot, 1)
  }
}

extension LeafTable {
  /// Puts a struct into a slot as the bytes that stand for it.
  @inline(__always)
  fileprivate func lower(_ source: UnsafeRawPointer, to slot: UnsafeMutableRawPointer, _ arena: MessageArena) {
    let count = byteCount(source)
    let bytes = arena.allocate(count)
    write(source, to: bytes)
    slot.storeBytes(of: count, as: Int.self)
    slot.storeBytes(of: bytes, toByteOffset: 8, as: UnsafeMutableRawPointer.self)
  }
}

extension StructTable {
  /// Puts a message into one to be packed, for as long as `body` runs.
  @inline(__always)
  static func withLowered<Value: Message, Result, Failure: Error>(
    _ value: borrowing Value, _ arena: MessageArena,
    _ body: (UnsafeMutableRawPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let table = Value.descriptor.structTable
    table.requireType(Value.self)
    return try withUnsafePointer(to: value) { (memory) throws(Failure) -> Result in
      try body(table.lower(UnsafeRawPointer(memory), isCopy: false, arena))
    }
  }
}

extension StructTable {
  /// Gives `body` the means to write a struct in the binary format.
  @inline(__always)
  func withEncoder<Result>(
    _ memory: UnsafeRawPointer, _ body: (borrowing MessageEncoder) -> Result
  ) throws(MessageEncodingError) -> Result {
    if let leaf = content.pointee.leaf { return body(try MessageEncoder(memory, leaf)) }
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    let table = content.pointee.leafBytes ?? self
    return body(try MessageEncoder(table.lower(memory, isCopy: false, arena), arena))
  }
}

extension MessageDescriptor {
  /// Encodes a struct of `size` bytes.
  @usableFromInline
  func encoded(_ memory: UnsafeRawPointer, _ size: Int) throws(MessageEncodingError) -> [UInt8] {
    let table = structTable
    table.requireSize(size)
    return try table.withEncoder(memory) { $0.bytes() }
  }
}
