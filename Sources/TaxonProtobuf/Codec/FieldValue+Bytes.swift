// SPDX-License-Identifier: Apache-2.0

extension [UInt8]: FieldValue {
  /// Sixteen bytes: a length and a pointer.
  @inlinable public static var stride: Int { 16 }

  /// Takes a value out of memory that protobuf-c has filled.
  public static func lift(_ memory: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) -> [UInt8] {
    let count = memory.load(as: Int.self)
    if count == 0 { return [] }
    // protobuf-c sets the pointer when there are bytes.
    return Array(
      UnsafeBufferPointer(start: memory.load(fromByteOffset: 8, as: UnsafePointer<UInt8>.self), count: count))
  }

  /// Whether it is empty.
  @inlinable public var isDefault: Bool { isEmpty }

  /// Puts the value where protobuf-c will find it.
  public func lower(to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    withUnsafeBufferPointer { bytes in
      guard bytes.count >= MessageArena.smallestBorrowed, let start = bytes.baseAddress else {
        return arena.store(bytes, to: memory)
      }
      // The arena holds on to the array, and while it has another owner nobody changes its memory.
      arena.state.pointee.bytes.append(self)
      memory.storeBytes(of: bytes.count, as: Int.self)
      memory.storeBytes(of: start, toByteOffset: 8, as: UnsafePointer<UInt8>.self)
    }
  }
}

extension MessageArena {
  /// Bytes from which on a value is packed from where it lies, rather than from a copy.
  static let smallestBorrowed = 4096

  /// Copies bytes and stores their length and address.
  @inline(__always)
  func store(_ bytes: UnsafeBufferPointer<UInt8>, to memory: UnsafeMutableRawPointer) {
    let copy = allocate(bytes.count)
    if let start = bytes.baseAddress { copy.copyMemory(from: start, byteCount: bytes.count) }
    memory.storeBytes(of: bytes.count, as: Int.self)
    memory.storeBytes(of: copy, toByteOffset: 8, as: UnsafeMutableRawPointer.self)
  }
}
