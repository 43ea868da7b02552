// SPDX-License-Identifier: Apache-2.0
import CProtobufC

extension MessageDescriptor {
  /// Decodes a message into a struct of `size` bytes. Where that throws, the memory is left uninitialised.
  @usableFromInline
  func decode(
    _ bytes: UnsafeRawBufferPointer, to memory: UnsafeMutableRawPointer, _ size: Int, options: DecodingOptions
  ) throws(MessageDecodingError) {
    let table = structTable
    table.requireSize(size)
    if let leaf = table.content.pointee.leaf, bytes.count <= Int(Int32.max), leaf.read(bytes, to: memory) { return }
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    if let second = table.content.pointee.leafBytes, decode(bytes, with: second, to: memory, arena, options) { return }
    try decode(bytes, arena, options: options) { (root) throws(MessageDecodingError) in
      try table.lift(root, to: memory, arena)
    }
  }

  /// Decodes with the table that has leaves as bytes. False, and the memory is left uninitialised, for input that has to go
  /// another way.
  @inline(__always)
  private func decode(
    _ bytes: UnsafeRawBufferPointer, with second: StructTable, to memory: UnsafeMutableRawPointer,
    _ arena: MessageArena, _ options: DecodingOptions
  ) -> Bool {
    guard bytes.count <= Int(Int32.max), !isNestedTooDeep(bytes, options), !hasUnknownNumbers(bytes) else {
      return false
    }
    arena.state.pointee.hasLeaves = true
    defer {
      arena.state.pointee.hasLeaves = false
      arena.state.pointee.hasReplacedValue = false
    }
    let cTable = second.content.pointee.cTable.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
    guard let message = unpackLimited(bytes, cTable, arena), !arena.state.pointee.hasReplacedValue else { return false }
    do throws(MessageDecodingError) {
      try checkUnpacked(message, arena)
      try second.lift(message, to: memory, arena)
      return true
    } catch {
      return false
    }
  }

  /// Unpacks a message and gives it to `read`; again, when `read` throws for a number that a closed enum does not have.
  @inline(__always)
  func decode<Result>(
    _ bytes: UnsafeRawBufferPointer, _ arena: MessageArena, options: DecodingOptions,
    _ read: (UnsafeRawPointer) throws(MessageDecodingError) -> Result
  ) throws(MessageDecodingError) -> Result {
    let root = try unpack(bytes, arena: arena, options: options)
    do {
      return try read(root)
    } catch {
      let root = try unpackAgain(after: error, bytes, arena: arena, options: options)
      do {
        return try read(root)
      } catch {
        throw locate(error, in: bytes, options: options)
      }
    }
  }

  /// Unpacks a message into the arena.
  ///
  /// protobuf-c does the work. Input that it rejects, or reads differently from protobuf, goes the long way: it is
  /// checked, which finds faults and their places, and rewritten so that protobuf-c reads it correctly. Very many
  /// fields, for which protobuf-c would take too much memory, bypass it (see `WideUnpacker`).
  func unpack(
    _ bytes: UnsafeRawBufferPointer, arena: MessageArena, options: DecodingOptions
  ) throws(MessageDecodingError) -> UnsafeRawPointer {
    link()
    guard bytes.count <= Int(Int32.max) else { throw MessageDecodingError(.tooLarge, messageName: name, offset: 0) }
    if hasGroups { return try unpackChecked(bytes, nil, arena: arena, options: options) }
    if isNestedTooDeep(bytes, options) || hasUnknownNumbers(bytes) {
      return try unpackChecked(bytes, nil, arena: arena, options: options)
    }
    let message = unpackLimited(bytes, table, arena)
    if let message, !arena.state.pointee.hasReplacedValue {
      do {
        try checkUnpacked(message, arena)
      } catch {
        throw locate(error, in: bytes, options: options)
      }
      return message
    }
    return try unpackChecked(bytes, message, arena: arena, options: options)
  }

  /// Whether messages may be nested too deeply for protobuf-c, which has no limit and would run out of stack.
  @inline(__always)
  private func isNestedTooDeep(_ bytes: UnsafeRawBufferPointer, _ options: DecodingOptions) -> Bool {
    // A message in another one takes two bytes at least.
    guard greatestDepth > options.nestingLimit, bytes.count / 2 > options.nestingLimit else { return false }
    var scan = DepthScan(bytes: bytes, limit: options.nestingLimit)
    return scan.exceedsLimit(self)
  }

  /// Whether there are numbers that a closed enum does not have.
  @inline(__always)
  private func hasUnknownNumbers(_ bytes: UnsafeRawBufferPointer) -> Bool {
    hasClosedEnums && ClosedEnumScan(bytes: bytes).findsUnknownNumber(self)
  }

  /// nil also for messages of very many fields.
  @inline(__always)
  private func unpackLimited(
    _ bytes: UnsafeRawBufferPointer, _ table: UnsafePointer<ProtobufCMessageDescriptor>, _ arena: MessageArena
  ) -> UnsafeRawPointer? {
    arena.state.pointee.nextSlab = MessageArena.smallestLarge
    defer { arena.state.pointee.nextSlab = .max }
    return unpackDirectly(bytes, table, arena)
  }

  @inline(__always)
  private func unpackDirectly(
    _ bytes: UnsafeRawBufferPointer, _ table: UnsafePointer<ProtobufCMessageDescriptor>, _ arena: MessageArena
  ) -> UnsafeRawPointer? {
    let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    arena.state.pointee.input = bytes
    let allocator = UnsafeMutableRawPointer(arena.state).assumingMemoryBound(to: ProtobufCAllocator.self)
    return UnsafeRawPointer(protobuf_c_message_unpack(table, allocator, bytes.count, start))
  }

  /// `message` is what protobuf-c has unpacked, if it could.
  @inline(never)
  private func unpackChecked(
    _ bytes: UnsafeRawBufferPointer, _ message: UnsafeRawPointer?, arena: MessageArena, options: DecodingOptions
  ) throws(MessageDecodingError) -> UnsafeRawPointer {
    var check = WireCheck(bytes: bytes, options: options)
    try check.check(self)
    var message = message
    if check.widest > WideUnpacker.fieldLimit {
      arena.state.pointee.isRewritten = true
      message = WideUnpacker(bytes: bytes, arena: arena, groups: check.groups).unpack(self)
    } else if check.needsRewriting {
      let rewritten = WireRewriter(bytes: bytes, groups: check.groups).rewrite(self)
      arena.state.pointee.isRewritten = true
      message = rewritten.withUnsafeBytes { unpackDirectly($0, table, arena) }
    } else if message == nil {
      message = unpackDirectly(bytes, table, arena)
    }
    guard let message else { throw MessageDecodingError(.outOfMemory, messageName: name, offset: 0) }
    do {
      try checkUnpacked(message, arena)
    } catch {
      throw check.located(error)
    }
    return message
  }

  /// Unpacks the input again, after generated code has met a number that a closed enum does not have: such numbers go
  /// to the unknown fields. Throws any other error, with its place.
  func unpackAgain(
    after error: MessageDecodingError, _ bytes: UnsafeRawBufferPointer, arena: MessageArena, options: DecodingOptions
  ) throws(MessageDecodingError) -> UnsafeRawPointer {
    guard error.isUnknownEnumValue else { throw locate(error, in: bytes, options: options) }
    return try unpackChecked(bytes, nil, arena: arena, options: options)
  }

  /// The same error with its place, for one that was thrown without a view of the input.
  func locate(
    _ error: MessageDecodingError, in bytes: UnsafeRawBufferPointer, options: DecodingOptions
  ) -> MessageDecodingError {
    var check = WireCheck(bytes: bytes, options: options)
    do {
      try check.check(self)
      return check.located(error)
    } catch {
      return error
    }
  }
}

extension MessageDescriptor {
  /// Throws for what protobuf-c accepts: a required field that is missing, an unknown field with an impossible number.
  @inline(__always)
  func checkUnpacked(_ message: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) {
    if !required.isEmpty { try checkRequired(message) }
    if MessageReader.hasUnknownFields(message) { try checkUnknownFields(message, arena) }
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
