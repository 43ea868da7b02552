// SPDX-License-Identifier: Apache-2.0

// Numbers lie in protobuf-c's struct as they do in Swift, so arrays of them are copied as a whole.

extension Int32: FieldValue {
  /// 4 bytes.
  @inlinable public static var stride: Int { 4 }

  /// Takes a value out of memory that protobuf-c has filled.
  @inlinable
  public static func lift(_ memory: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) -> Int32 {
    memory.load(as: Int32.self)
  }

  /// Takes the elements of a repeated field out of memory that protobuf-c has filled.
  @inlinable
  public static func liftArray(
    _ memory: UnsafeRawPointer, _ count: Int, _ arena: MessageArena
  ) throws(MessageDecodingError) -> [Int32] {
    Array(UnsafeBufferPointer(start: memory.assumingMemoryBound(to: Int32.self), count: count))
  }

  /// Whether it is zero.
  @inlinable public var isDefault: Bool { self == 0 }

  /// Puts the value where protobuf-c will find it.
  @inlinable
  public func lower(to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    memory.storeBytes(of: self, as: Int32.self)
  }

  /// Puts the elements of a repeated field where protobuf-c will find them.
  @inlinable
  public static func lowerArray(_ values: [Int32], to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    values.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: memory, count: $0.count).copyMemory(from: $0) }
  }
}

extension Int64: FieldValue {
  /// 8 bytes.
  @inlinable public static var stride: Int { 8 }

  /// Takes a value out of memory that protobuf-c has filled.
  @inlinable
  public static func lift(_ memory: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) -> Int64 {
    memory.load(as: Int64.self)
  }

  /// Takes the elements of a repeated field out of memory that protobuf-c has filled.
  @inlinable
  public static func liftArray(
    _ memory: UnsafeRawPointer, _ count: Int, _ arena: MessageArena
  ) throws(MessageDecodingError) -> [Int64] {
    Array(UnsafeBufferPointer(start: memory.assumingMemoryBound(to: Int64.self), count: count))
  }

  /// Whether it is zero.
  @inlinable public var isDefault: Bool { self == 0 }

  /// Puts the value where protobuf-c will find it.
  @inlinable
  public func lower(to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    memory.storeBytes(of: self, as: Int64.self)
  }

  /// Puts the elements of a repeated field where protobuf-c will find them.
  @inlinable
  public static func lowerArray(_ values: [Int64], to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    values.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: memory, count: $0.count).copyMemory(from: $0) }
  }
}

extension UInt32: FieldValue {
  /// 4 bytes.
  @inlinable public static var stride: Int { 4 }

  /// Takes a value out of memory that protobuf-c has filled.
  @inlinable
  public static func lift(_ memory: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) -> UInt32 {
    memory.load(as: UInt32.self)
  }

  /// Takes the elements of a repeated field out of memory that protobuf-c has filled.
  @inlinable
  public static func liftArray(
    _ memory: UnsafeRawPointer, _ count: Int, _ arena: MessageArena
  ) throws(MessageDecodingError) -> [UInt32] {
    Array(UnsafeBufferPointer(start: memory.assumingMemoryBound(to: UInt32.self), count: count))
  }

  /// Whether it is zero.
  @inlinable public var isDefault: Bool { self == 0 }

  /// Puts the value where protobuf-c will find it.
  @inlinable
  public func lower(to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    memory.storeBytes(of: self, as: UInt32.self)
  }

  /// Puts the elements of a repeated field where protobuf-c will find them.
  @inlinable
  public static func lowerArray(_ values: [UInt32], to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    values.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: memory, count: $0.count).copyMemory(from: $0) }
  }
}

extension UInt64: FieldValue {
  /// 8 bytes.
  @inlinable public static var stride: Int { 8 }

  /// Takes a value out of memory that protobuf-c has filled.
  @inlinable
  public static func lift(_ memory: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) -> UInt64 {
    memory.load(as: UInt64.self)
  }

  /// Takes the elements of a repeated field out of memory that protobuf-c has filled.
  @inlinable
  public static func liftArray(
    _ memory: UnsafeRawPointer, _ count: Int, _ arena: MessageArena
  ) throws(MessageDecodingError) -> [UInt64] {
    Array(UnsafeBufferPointer(start: memory.assumingMemoryBound(to: UInt64.self), count: count))
  }

  /// Whether it is zero.
  @inlinable public var isDefault: Bool { self == 0 }

  /// Puts the value where protobuf-c will find it.
  @inlinable
  public func lower(to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    memory.storeBytes(of: self, as: UInt64.self)
  }

  /// Puts the elements of a repeated field where protobuf-c will find them.
  @inlinable
  public static func lowerArray(_ values: [UInt64], to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    values.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: memory, count: $0.count).copyMemory(from: $0) }
  }
}

extension Float: FieldValue {
  /// 4 bytes.
  @inlinable public static var stride: Int { 4 }

  /// Takes a value out of memory that protobuf-c has filled.
  @inlinable
  public static func lift(_ memory: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) -> Float {
    memory.load(as: Float.self)
  }

  /// Takes the elements of a repeated field out of memory that protobuf-c has filled.
  @inlinable
  public static func liftArray(
    _ memory: UnsafeRawPointer, _ count: Int, _ arena: MessageArena
  ) throws(MessageDecodingError) -> [Float] {
    Array(UnsafeBufferPointer(start: memory.assumingMemoryBound(to: Float.self), count: count))
  }

  /// Whether it is zero. Negative zero is not: it has another bit pattern.
  @inlinable public var isDefault: Bool { bitPattern == 0 }

  /// Puts the value where protobuf-c will find it.
  @inlinable
  public func lower(to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    memory.storeBytes(of: self, as: Float.self)
  }

  /// Puts the elements of a repeated field where protobuf-c will find them.
  @inlinable
  public static func lowerArray(_ values: [Float], to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    values.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: memory, count: $0.count).copyMemory(from: $0) }
  }
}

extension Double: FieldValue {
  /// 8 bytes.
  @inlinable public static var stride: Int { 8 }

  /// Takes a value out of memory that protobuf-c has filled.
  @inlinable
  public static func lift(_ memory: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) -> Double {
    memory.load(as: Double.self)
  }

  /// Takes the elements of a repeated field out of memory that protobuf-c has filled.
  @inlinable
  public static func liftArray(
    _ memory: UnsafeRawPointer, _ count: Int, _ arena: MessageArena
  ) throws(MessageDecodingError) -> [Double] {
    Array(UnsafeBufferPointer(start: memory.assumingMemoryBound(to: Double.self), count: count))
  }

  /// Whether it is zero. Negative zero is not: it has another bit pattern.
  @inlinable public var isDefault: Bool { bitPattern == 0 }

  /// Puts the value where protobuf-c will find it.
  @inlinable
  public func lower(to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    memory.storeBytes(of: self, as: Double.self)
  }

  /// Puts the elements of a repeated field where protobuf-c will find them.
  @inlinable
  public static func lowerArray(_ values: [Double], to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    values.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: memory, count: $0.count).copyMemory(from: $0) }
  }
}
