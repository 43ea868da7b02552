// SPDX-License-Identifier: Apache-2.0

/// A value that is an array in its own right, rather than copied to or from the arena. It lies in the arena, which must
/// release it.
struct LargeValue {
  let bytes: [UInt8]
  var next: UnsafeMutablePointer<LargeValue>?
}

extension MessageArena {
  /// Bytes from which on a value is a large one.
  @inline(__always) static var smallestLarge: Int { 4096 }

  /// Memory for protobuf-c that may become a field's value as it is.
  func allocateLarge(_ byteCount: Int) -> UnsafeMutableRawPointer {
    // protobuf-c fills what it asks for, and nobody else sees the array before.
    var bytes = [UInt8](unfilled: byteCount)
    // There is memory: the count is over zero. The array keeps it where it is, as the only owner or one of two.
    let start = bytes.withUnsafeMutableBufferPointer { $0.baseAddress! }
    hold(bytes)
    return UnsafeMutableRawPointer(start)
  }

  /// Owns an array too until the arena is given back, so that its memory stays as it is.
  @inline(__always)
  func hold(_ bytes: consuming [UInt8]) {
    let value = allocate(MemoryLayout<LargeValue>.size).bindMemory(to: LargeValue.self, capacity: 1)
    value.initialize(to: LargeValue(bytes: bytes, next: nil))
    if let last = state.pointee.lastLarge {
      last.pointee.next = value
    } else {
      state.pointee.firstLarge = value
      state.pointee.nextLarge = value
    }
    state.pointee.lastLarge = value
  }

  /// The array that lies at `bytes`, if it is one of the next that were allocated.
  func large(at bytes: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    var candidate = state.pointee.nextLarge
    // Numbers have some of them, and values that were replaced; without a bound, many of those would cost their square.
    for _ in 0..<16 {
      guard let value = candidate else { return nil }
      let start = value.pointee.bytes.withUnsafeBufferPointer { $0.baseAddress }
      if start == bytes.baseAddress, value.pointee.bytes.count == bytes.count {
        state.pointee.nextLarge = value.pointee.next
        return value.pointee.bytes
      }
      candidate = value.pointee.next
    }
    return nil
  }

  /// Releases all of them.
  @inline(never)
  func releaseLarge() {
    var value = state.pointee.firstLarge
    while let current = value {
      value = current.pointee.next
      current.deinitialize(count: 1)
    }
    state.pointee.firstLarge = nil
    state.pointee.lastLarge = nil
    state.pointee.nextLarge = nil
  }
}
