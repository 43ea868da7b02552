// SPDX-License-Identifier: Apache-2.0
import CProtobufC

/// What a field can hold: numbers, Bool, String, `[UInt8]`, enums and messages.
///
/// The Swift type decides the layout in protobuf-c's struct, the message's table the form on the wire. Only types of
/// this module and generated ones conform.
public protocol FieldValue: Hashable, Sendable {
  /// Bytes from one element of a repeated field to the next.
  static var stride: Int { get }

  /// Takes a value out of memory that protobuf-c has filled.
  static func lift(_ memory: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) -> Self

  /// Takes the elements of a repeated field out of memory that protobuf-c has filled.
  static func liftArray(
    _ memory: UnsafeRawPointer, _ count: Int, _ arena: MessageArena
  ) throws(MessageDecodingError) -> [Self]

  /// Initialises memory with the elements of the repeated field in a slot, as an array.
  static func liftArray(
    in slot: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ arena: MessageArena
  ) throws(MessageDecodingError)

  /// Whether a field without presence leaves this value out.
  var isDefault: Bool { get }

  /// Puts the value where protobuf-c will find it.
  func lower(to memory: UnsafeMutableRawPointer, _ arena: MessageArena)

  /// Puts the elements of a repeated field where protobuf-c will find them.
  static func lowerArray(_ values: [Self], to memory: UnsafeMutableRawPointer, _ arena: MessageArena)
}

extension FieldValue {
  /// Initialises memory with the elements of the repeated field in a slot, as an array.
  @inlinable
  public static func liftArray(
    in slot: UnsafeRawPointer, to target: UnsafeMutableRawPointer, _ arena: MessageArena
  ) throws(MessageDecodingError) {
    let count = slot.load(fromByteOffset: Slot.quantifier, as: Int.self)
    // protobuf-c sets the pointer when there are elements.
    let elements = count == 0 ? [] : try liftArray(slot.load(as: UnsafeRawPointer.self), count, arena)
    target.initializeMemory(as: [Self].self, to: elements)
  }

  /// One by one.
  @inlinable
  public static func liftArray(
    _ memory: UnsafeRawPointer, _ count: Int, _ arena: MessageArena
  ) throws(MessageDecodingError) -> [Self] {
    var result: [Self] = []
    result.reserveCapacity(count)
    for index in 0..<count { result.append(try lift(memory + index * stride, arena)) }
    return result
  }

  /// One by one.
  @inlinable
  public static func lowerArray(_ values: [Self], to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    var position = memory
    for value in values {
      value.lower(to: position, arena)
      position += stride
    }
  }
}

extension Bool: FieldValue {
  /// Eight bytes: protobuf-c handles a bool as a uint64 (see `FieldKind.cType`).
  @inlinable public static var stride: Int { 8 }

  /// Takes a value out of memory that protobuf-c has filled.
  @inlinable
  public static func lift(_ memory: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) -> Bool {
    memory.load(as: UInt64.self) != 0
  }

  /// Whether it is false.
  @inlinable public var isDefault: Bool { !self }

  /// Puts the value where protobuf-c will find it.
  @inlinable
  public func lower(to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    memory.storeBytes(of: self ? 1 : 0, as: UInt64.self)
  }
}

extension [UInt8]: FieldValue {
  /// Sixteen bytes: a length and a pointer.
  @inlinable public static var stride: Int { 16 }

  /// Takes a value out of memory that protobuf-c has filled.
  public static func lift(_ memory: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) -> [UInt8] {
    let count = memory.load(as: Int.self)
    if count == 0 { return [] }
    // protobuf-c sets the pointer when there are bytes.
    let start = memory.load(fromByteOffset: 8, as: UnsafePointer<UInt8>.self)
    let bytes = UnsafeBufferPointer(start: start, count: count)
    if count >= MessageArena.smallestLarge, let array = arena.large(at: bytes) { return array }
    return Array(bytes)
  }

  /// Whether it is empty.
  @inlinable public var isDefault: Bool { isEmpty }

  /// Puts the value where protobuf-c will find it.
  public func lower(to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    // The message that the array is in stays until it is packed, and so does the array's memory.
    withUnsafeBufferPointer { bytes in
      memory.storeBytes(of: bytes.count, as: Int.self)
      memory.storeBytes(of: bytes.baseAddress, toByteOffset: 8, as: UnsafePointer<UInt8>?.self)
    }
  }
}

extension MessageArena {
  /// Copies bytes and stores their length and address.
  @inline(__always)
  func store(_ bytes: UnsafeBufferPointer<UInt8>, to memory: UnsafeMutableRawPointer) {
    let copy = allocate(bytes.count)
    if let start = bytes.baseAddress { copy.copyMemory(from: start, byteCount: bytes.count) }
    memory.storeBytes(of: bytes.count, as: Int.self)
    memory.storeBytes(of: copy, toByteOffset: 8, as: UnsafeMutableRawPointer.self)
  }
}

extension String: FieldValue {
  /// Sixteen bytes: a length and a pointer.
  @inlinable public static var stride: Int { 16 }

  /// Takes a value out of memory that protobuf-c has filled. Throws when it is not UTF-8.
  public static func lift(_ memory: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) -> String {
    let count = memory.load(as: Int.self)
    if count == 0 { return "" }
    // protobuf-c sets the pointer when there are bytes.
    let start = memory.load(fromByteOffset: 8, as: UnsafePointer<UInt8>.self)
    guard let string = String(checking: UnsafeBufferPointer(start: start, count: count)) else {
      throw MessageDecodingError.invalidUTF8
    }
    return string
  }

  /// Whether it is empty.
  @inlinable public var isDefault: Bool { isEmpty }

  /// Puts the value where protobuf-c will find it.
  public func lower(to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    let isDone: Void? = utf8.withContiguousStorageIfAvailable { bytes in
      // A short string has no memory of its own: this is a copy. That of a longer one stays for as long as the message.
      if bytes.count <= 15 { return arena.store(bytes, to: memory) }
      memory.storeBytes(of: bytes.count, as: Int.self)
      memory.storeBytes(of: bytes.baseAddress, toByteOffset: 8, as: UnsafePointer<UInt8>?.self)
    }
    if isDone == nil { Array(utf8).withUnsafeBufferPointer { arena.store($0, to: memory) } }
  }

  /// Puts the string at an address where protobuf-c will find it. Unless the one at the address is a copy that does not stay,
  /// it is not moved.
  @inline(__always)
  static func lower(
    at source: UnsafeRawPointer, isCopy: Bool, to memory: UnsafeMutableRawPointer, _ arena: MessageArena
  ) {
    let words = StringWords(at: source)
    guard let bytes = words.bytes(at: source), !isCopy || !words.isShort else {
      return source.assumingMemoryBound(to: String.self).pointee.lower(to: memory, arena)
    }
    memory.storeBytes(of: bytes.count, as: Int.self)
    memory.storeBytes(of: bytes.baseAddress, toByteOffset: 8, as: UnsafePointer<UInt8>?.self)
  }

  /// Puts the elements of a repeated field where protobuf-c will find them.
  public static func lowerArray(_ values: [String], to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    values.withUnsafeBytes { strings in
      guard let start = strings.baseAddress else { return }
      for index in 0..<values.count { lower(at: start + 16 * index, isCopy: false, to: memory + 16 * index, arena) }
    }
  }

  /// A string from UTF-8; nil when the bytes are not UTF-8.
  @inline(__always)
  init?(checking bytes: UnsafeBufferPointer<UInt8>) {
    if let start = bytes.baseAddress, let words = StringWords(ascii: start, bytes.count) {
      self = words.string
    } else {
      self.init(checkingLong: bytes)
    }
  }

  @inline(never)
  private init?(checkingLong bytes: UnsafeBufferPointer<UInt8>) {
    if #available(macOS 26, *) {
      if bytes.isASCII {
        self.init(copying: UTF8Span(unchecked: bytes.span, isKnownASCII: true))
        return
      }
      // Four times as fast as `String(validating:)`, which goes through the scalars one by one.
      guard let span = try? UTF8Span(validating: bytes.span) else { return nil }
      self.init(copying: span)
    } else {
      self.init(validating: bytes, as: UTF8.self)
    }
  }

  /// Where the first invalid character begins; nil when all are UTF-8.
  static func firstFault(in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    var position = 0
    while true {
      switch parser.parseScalar(from: &iterator) {
      case .valid(let character): position += character.count
      case .error: return position
      case .emptyInput: return nil
      }
    }
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// Whether all bytes are ASCII.
  @inline(__always)
  var isASCII: Bool {
    guard let start = UnsafeRawPointer(baseAddress) else { return true }
    var bits: UInt64 = 0
    var offset = 0
    while offset + 8 <= count {
      bits |= start.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      offset += 8
    }
    while offset < count {
      bits |= UInt64(start.load(fromByteOffset: offset, as: UInt8.self))
      offset += 1
    }
    return bits & 0x8080_8080_8080_8080 == 0
  }
}

extension Message {
  /// Eight bytes: a pointer.
  public static var stride: Int { 8 }

  /// Takes a value out of memory that protobuf-c has filled.
  @inlinable
  public static func lift(_ memory: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) -> Self {
    try withUnsafeTemporaryAllocation(of: Self.self, capacity: 1) { (result) throws(MessageDecodingError) -> Self in
      // A buffer of one has a base address.
      try descriptor.lift(memory, to: result.baseAddress!, MemoryLayout<Self>.size, arena)
      return result.baseAddress!.move()
    }
  }

  /// Takes the elements of a repeated field out of memory that protobuf-c has filled.
  @inlinable
  public static func liftArray(
    _ memory: UnsafeRawPointer, _ count: Int, _ arena: MessageArena
  ) throws(MessageDecodingError) -> [Self] {
    var fault: MessageDecodingError?
    let result = [Self](unsafeUninitializedCapacity: count) { buffer, filled in
      // There are elements.
      fault = descriptor.liftArray(memory, count, to: buffer.baseAddress!, MemoryLayout<Self>.size, &filled, arena)
    }
    if let fault { throw fault }
    return result
  }

  /// Initialises an array of messages; `fill` initialises the memory of its elements and counts them.
  @inlinable
  public static func makeArray(
    _ count: Int, at target: UnsafeMutableRawPointer, _ fill: (UnsafeMutableRawPointer, inout Int) -> Void
  ) {
    let array = [Self](unsafeUninitializedCapacity: count) { buffer, filled in
      // There are elements.
      fill(UnsafeMutableRawPointer(buffer.baseAddress!), &filled)
    }
    target.initializeMemory(as: [Self].self, to: array)
  }

  /// Never: a message that is set is written.
  public var isDefault: Bool { false }

  /// Puts the value where protobuf-c will find it.
  public func lower(to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    let table = Self.descriptor.structTable
    table.requireType(Self.self)
    withUnsafePointer(to: self) { value in
      memory.storeBytes(of: table.lower(value, isCopy: true, arena), as: UnsafeMutableRawPointer.self)
    }
  }

  /// Puts the elements of a repeated field where protobuf-c will find them.
  public static func lowerArray(_ values: [Self], to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    let table = descriptor.structTable
    table.requireType(Self.self)
    values.withUnsafeBytes { table.lower($0.baseAddress, values.count, to: memory, arena) }
  }
}

// Numbers lie in protobuf-c's struct as they do in Swift, so arrays of them are copied as a whole.
extension FieldValue where Self: Numeric & BitwiseCopyable {
  /// The size of the number in bytes.
  @inlinable public static var stride: Int { MemoryLayout<Self>.stride }

  /// Takes a value out of memory that protobuf-c has filled.
  @inlinable
  public static func lift(_ memory: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) -> Self {
    memory.load(as: Self.self)
  }

  /// Takes the elements of a repeated field out of memory that protobuf-c has filled.
  @inlinable
  public static func liftArray(
    _ memory: UnsafeRawPointer, _ count: Int, _ arena: MessageArena
  ) throws(MessageDecodingError) -> [Self] {
    Array(UnsafeBufferPointer(start: memory.assumingMemoryBound(to: Self.self), count: count))
  }

  /// Puts the value where protobuf-c will find it.
  @inlinable
  public func lower(to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    memory.storeBytes(of: self, as: Self.self)
  }

  /// Puts the elements of a repeated field where protobuf-c will find them.
  @inlinable
  public static func lowerArray(_ values: [Self], to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    values.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: memory, count: $0.count).copyMemory(from: $0) }
  }
}

extension FieldValue where Self: FixedWidthInteger {
  /// Whether it is zero.
  @inlinable public var isDefault: Bool { self == 0 }
}

extension Int32: FieldValue {}
extension Int64: FieldValue {}
extension UInt32: FieldValue {}
extension UInt64: FieldValue {}

extension Float: FieldValue {
  /// Whether it is zero. Negative zero is not: it has another bit pattern.
  @inlinable public var isDefault: Bool { bitPattern == 0 }
}

extension Double: FieldValue {
  /// Whether it is zero. Negative zero is not: it has another bit pattern.
  @inlinable public var isDefault: Bool { bitPattern == 0 }
}
