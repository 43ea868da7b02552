// SPDX-License-Identifier: Apache-2.0

extension StructTable {
  /// Initialises a struct from an unpacked message inside another one. Where that throws, the memory is left uninitialised.
  @inline(__always)
  func lift(
    inside base: UnsafeRawPointer, to memory: UnsafeMutableRawPointer, _ arena: MessageArena
  ) throws(MessageDecodingError) {
    if content.pointee.hasRequired || MessageReader.hasUnknownFields(base) {
      try content.pointee.descriptor.takeUnretainedValue().checkUnpacked(base, arena)
    }
    try lift(base, to: memory, arena)
  }

  /// Initialises a struct from an unpacked message. Where that throws, the memory is left uninitialised.
  func lift(
    _ base: UnsafeRawPointer, to memory: UnsafeMutableRawPointer, _ arena: MessageArena
  ) throws(MessageDecodingError) {
    let properties = content.pointee.properties
    let count = content.pointee.count
    var index = 0
    do throws(MessageDecodingError) {
      while index < count {
        let property = properties + index
        try Self.lift(base + property.pointee.slot, to: memory + property.pointee.offset, property, arena)
        index += 1
      }
    } catch {
      for index in 0..<index { destroy(index, memory) }
      throw error
    }
    let target = memory + content.pointee.unknownFields
    if MessageReader.hasUnknownFields(base) {
      target.initializeMemory(as: UnknownFields.self, to: UnknownFields(lifting: base))
    } else {
      target.storeBytes(of: 0, as: Int.self)
    }
  }

  /// Initialises the structs of an array; `filled` tells how many there are, also where that throws.
  func lift(
    _ messages: UnsafePointer<UnsafeRawPointer>, _ count: Int, to memory: UnsafeMutableRawPointer,
    _ filled: inout Int, _ arena: MessageArena
  ) throws(MessageDecodingError) {
    for index in 0..<count {
      try lift(inside: messages[index], to: memory + index * content.pointee.stride, arena)
      filled = index + 1
    }
  }

  @inline(__always)
  private static func lift(
    _ slot: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ property: UnsafeMutablePointer<StoredProperty>,
    _ arena: MessageArena
  ) throws(MessageDecodingError) {
    switch property.pointee.form {
    case .bits32: target.storeBytes(of: slot.load(as: UInt32.self), as: UInt32.self)
    case .bits64: target.storeBytes(of: slot.load(as: UInt64.self), as: UInt64.self)
    case .bool: target.storeBytes(of: slot.load(as: UInt64.self) != 0, as: Bool.self)
    case .string: target.initializeMemory(as: String.self, to: try String.lift(slot, arena))
    case .bytes: target.initializeMemory(as: [UInt8].self, to: try [UInt8].lift(slot, arena))
    case .optionalBits32:
      let value = Slot.isSet(slot) ? slot.load(as: UInt32.self) : nil
      target.initializeMemory(as: UInt32?.self, to: value)
    case .optionalBits64:
      let value = Slot.isSet(slot) ? slot.load(as: UInt64.self) : nil
      target.initializeMemory(as: UInt64?.self, to: value)
    case .optionalBool:
      let value = Slot.isSet(slot) ? slot.load(as: UInt64.self) != 0 : nil
      target.initializeMemory(as: Bool?.self, to: value)
    case .optionalString:
      let value = Slot.isSet(slot) ? try String.lift(slot, arena) : nil
      target.initializeMemory(as: String?.self, to: value)
    case .optionalBytes:
      let value = Slot.isSet(slot) ? try [UInt8].lift(slot, arena) : nil
      target.initializeMemory(as: [UInt8]?.self, to: value)
    case .int32s: target.initializeMemory(as: [Int32].self, to: try MessageReader.array(slot, arena))
    case .uint32s: target.initializeMemory(as: [UInt32].self, to: try MessageReader.array(slot, arena))
    case .floats: target.initializeMemory(as: [Float].self, to: try MessageReader.array(slot, arena))
    case .int64s: target.initializeMemory(as: [Int64].self, to: try MessageReader.array(slot, arena))
    case .uint64s: target.initializeMemory(as: [UInt64].self, to: try MessageReader.array(slot, arena))
    case .doubles: target.initializeMemory(as: [Double].self, to: try MessageReader.array(slot, arena))
    case .bools: target.initializeMemory(as: [Bool].self, to: try MessageReader.array(slot, arena))
    case .strings: target.initializeMemory(as: [String].self, to: try MessageReader.array(slot, arena))
    case .bytesList: target.initializeMemory(as: [[UInt8]].self, to: try MessageReader.array(slot, arena))
    case .message: try lift(messageIn: slot, to: target, property, arena)
    case .optionalMessage:
      if Slot.isSet(slot) { return try lift(messageIn: slot, to: target, property, arena) }
      // The table has both for this form.
      target.copyMemory(from: property.pointee.constant!, byteCount: property.pointee.inner!.content.pointee.size)
    case .leaf: try lift(leafIn: slot, to: target, property)
    case .optionalLeaf:
      if Slot.isSet(slot) { return try lift(leafIn: slot, to: target, property) }
      // The table has both for this form.
      target.copyMemory(from: property.pointee.constant!, byteCount: property.pointee.inner!.content.pointee.size)
    case .leaves: try lift(leavesIn: slot, to: target, property)
    case .messages: try lift(messagesIn: slot, to: target, property, arena)
    case .requiredCycle, .other:
      try property.pointee.access.lift(slot, to: target, UnsafePointer(property), arena)
    }
  }

  @inline(__always)
  private static func lift(
    messageIn slot: UnsafeRawPointer, to target: UnsafeMutableRawPointer,
    _ property: UnsafeMutablePointer<StoredProperty>, _ arena: MessageArena
  ) throws(MessageDecodingError) {
    // The table has it for this form.
    let table = property.pointee.inner!
    try table.lift(inside: slot.load(as: UnsafeRawPointer?.self) ?? table.content.pointee.empty, to: target, arena)
  }

  private static func lift(
    messagesIn slot: UnsafeRawPointer, to target: UnsafeMutableRawPointer,
    _ property: UnsafeMutablePointer<StoredProperty>, _ arena: MessageArena
  ) throws(MessageDecodingError) {
    let count = slot.load(fromByteOffset: Slot.quantifier, as: Int.self)
    if count == 0 {
      target.initializeMemory(as: [UInt64].self, to: [])
      return
    }
    // protobuf-c sets the pointer when there are elements; the table has the rest for this form.
    let messages = slot.load(as: UnsafePointer<UnsafeRawPointer>.self)
    let inner = property.pointee.inner!
    var fault: MessageDecodingError?
    property.pointee.access.makeArray(count, at: target) { memory, filled in
      do throws(MessageDecodingError) {
        try inner.lift(messages, count, to: memory, &filled, arena)
      } catch {
        fault = error
      }
    }
    guard let fault else { return }
    property.pointee.access.destroy(target)
    throw fault
  }

  /// Throws where the bytes of a leaf are not as usual; the message around it is then unpacked again, without leaves.
  @inline(__always)
  private static func lift(
    leafIn slot: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ property: UnsafeMutablePointer<StoredProperty>
  ) throws(MessageDecodingError) {
    // The table has both for this form.
    let leaf = property.pointee.inner!.content.pointee.leaf!
    guard leaf.read(MessageReader.bytes(slot), to: target) else { throw MessageDecodingError.unknownEnumValue }
  }

  private static func lift(
    leavesIn slot: UnsafeRawPointer, to target: UnsafeMutableRawPointer,
    _ property: UnsafeMutablePointer<StoredProperty>
  ) throws(MessageDecodingError) {
    let count = slot.load(fromByteOffset: Slot.quantifier, as: Int.self)
    if count == 0 {
      target.initializeMemory(as: [UInt64].self, to: [])
      return
    }
    // protobuf-c sets the pointer when there are elements; the table has the rest for this form.
    let elements = slot.load(as: UnsafeRawPointer.self)
    let inner = property.pointee.inner!.content
    let leaf = inner.pointee.leaf!
    var isRead = true
    property.pointee.access.makeArray(count, at: target) { memory, filled in
      while isRead, filled < count {
        let bytes = MessageReader.bytes(elements + filled * Slot.bytesStride)
        isRead = leaf.read(bytes, to: memory + filled * inner.pointee.stride)
        if isRead { filled += 1 }
      }
    }
    if isRead { return }
    property.pointee.access.destroy(target)
    throw MessageDecodingError.unknownEnumValue
  }

  /// Ends the life of one property.
  func destroy(_ index: Int, _ memory: UnsafeMutableRawPointer) {
    let property = content.pointee.properties + index
    let target = memory + property.pointee.offset
    switch property.pointee.form {
    case .bits32, .bits64, .bool, .optionalBits32, .optionalBits64, .optionalBool: return
    case .optionalMessage, .optionalLeaf: if property.pointee.access.isNil(target) { return }
    default: break
    }
    property.pointee.access.destroy(target)
  }
}

extension StructTable {
  /// A message of this table's type, from an unpacked one that has been checked.
  func make<Value: Message>(
    _ type: Value.Type, _ base: UnsafeRawPointer, _ arena: MessageArena
  ) throws(MessageDecodingError) -> Value {
    requireType(type)
    return try withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) {
      (memory) throws(MessageDecodingError) -> Value in
      // A buffer of one has a base address.
      try lift(base, to: UnsafeMutableRawPointer(memory.baseAddress!), arena)
      return memory.baseAddress!.move()
    }
  }

  /// Stops where the compiler has laid out a struct differently from the table: memory would be mistaken.
  @inline(__always)
  func requireType<Value: Message>(_ type: Value.Type) { requireSize(MemoryLayout<Value>.size) }

  @inline(__always)
  func requireSize(_ size: Int) {
    guard size == content.pointee.size else {
      preconditionFailure(
        "\(content.pointee.descriptor.takeUnretainedValue().name): the struct is not as the table has it; is the generated code new?"
      )
    }
  }
}

extension MessageDescriptor {
  /// Initialises a struct of `size` bytes from the message that a slot refers to.
  @usableFromInline
  func lift(
    _ slot: UnsafeRawPointer, to memory: UnsafeMutableRawPointer, _ size: Int, _ arena: MessageArena
  ) throws(MessageDecodingError) {
    let table = structTable
    table.requireSize(size)
    try table.lift(inside: slot.load(as: UnsafeRawPointer?.self) ?? table.content.pointee.empty, to: memory, arena)
  }

  /// Initialises the structs of an array, of `size` bytes each; returns what is wrong, if anything is.
  @usableFromInline
  func liftArray(
    _ messages: UnsafeRawPointer, _ count: Int, to memory: UnsafeMutableRawPointer, _ size: Int, _ filled: inout Int,
    _ arena: MessageArena
  ) -> MessageDecodingError? {
    let table = structTable
    table.requireSize(size)
    do throws(MessageDecodingError) {
      try table.lift(messages.assumingMemoryBound(to: UnsafeRawPointer.self), count, to: memory, &filled, arena)
      return nil
    } catch {
      return error
    }
  }

  /// A message with no field set, of the type that this describes.
  public func emptyMessage<Value: Message>() -> Value {
    let table = structTable
    table.requireType(Value.self)
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    do {
      return try table.make(Value.self, table.content.pointee.empty, arena)
    } catch {
      // Nothing is there that could be wrong, but a required closed enum whose zero has no name.
      preconditionFailure("\(name): \(error)")
    }
  }
}
