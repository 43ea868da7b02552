// SPDX-License-Identifier: Apache-2.0

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
    withUnsafeBufferPointer { bytes in
      guard bytes.count >= MessageArena.smallestLarge, let start = bytes.baseAddress else {
        return arena.store(bytes, to: memory)
      }
      // The arena holds on to the array, and while it has another owner nobody changes its memory.
      arena.hold(self)
      memory.storeBytes(of: bytes.count, as: Int.self)
      memory.storeBytes(of: start, toByteOffset: 8, as: UnsafePointer<UInt8>.self)
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
