// SPDX-License-Identifier: Apache-2.0

/// The numbers of a packed field on the wire.
struct PackedNumbers {
  let bytes: UnsafeRawBufferPointer
  let wire: LeafWire
  let count: Int

  /// nil where the bytes are not a whole number of numbers.
  @inline(__always)
  init?(_ bytes: UnsafeRawBufferPointer, _ wire: LeafWire) {
    self.bytes = bytes
    self.wire = wire
    switch wire {
    case .fixed32, .fixed64:
      let size = wire == .fixed32 ? 4 : 8
      guard bytes.count.isMultiple(of: size) else { return nil }
      count = bytes.count / size
    default:
      if let last = bytes.last, last >= 128 { return nil }
      count = Self.lastBytes(bytes)
    }
  }

  /// How many varints end in these bytes.
  private static func lastBytes(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard let start = bytes.baseAddress else { return 0 }
    var count = 0
    var offset = 0
    while offset + 8 <= bytes.count {
      // Each byte of the sum counts its own, so it must not go over; and their sum must fit a byte.
      let end = min(offset + 8 * 31, bytes.count & ~7)
      var sum: UInt64 = 0
      while offset < end {
        sum &+= ~start.loadUnaligned(fromByteOffset: offset, as: UInt64.self) >> 7 & 0x0101_0101_0101_0101
        offset += 8
      }
      count += Int((sum &* 0x0101_0101_0101_0101) >> 56)
    }
    while offset < bytes.count {
      if start.load(fromByteOffset: offset, as: UInt8.self) < 128 { count += 1 }
      offset += 1
    }
    return count
  }

  /// Stores the numbers one after the other, in `size` bytes each, 4 or 8. False where a varint is too long.
  func read(to memory: UnsafeMutableRawPointer, _ size: Int) -> Bool {
    switch wire {
    case .fixed32, .fixed64:
      // There are numbers, so there is memory.
      memory.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
      return true
    case .zigzag32:
      let numbers = memory.bindMemory(to: UInt32.self, capacity: count)
      return readVarints { numbers[$0] = UInt32(truncatingIfNeeded: $1).unzigzagged }
    case .zigzag64:
      let numbers = memory.bindMemory(to: UInt64.self, capacity: count)
      return readVarints { numbers[$0] = $1.unzigzagged }
    default:
      if size == 8 {
        let numbers = memory.bindMemory(to: UInt64.self, capacity: count)
        return readVarints { numbers[$0] = $1 }
      }
      let numbers = memory.bindMemory(to: UInt32.self, capacity: count)
      return readVarints { numbers[$0] = UInt32(truncatingIfNeeded: $1) }
    }
  }

  /// Stores the numbers as Bools.
  func readBools(to memory: UnsafeMutableRawPointer) -> Bool {
    readVarints { memory.storeBytes(of: $1 != 0, toByteOffset: $0, as: Bool.self) }
  }

  /// Gives every number with its place to `body`.
  ///
  /// Numbers of a list tend to have the same length, so the length is guessed by branches, which cost nothing when the
  /// processor foresees them.
  @inline(__always)
  private func readVarints(_ body: (Int, UInt64) -> Void) -> Bool {
    guard var position = bytes.baseAddress else { return true }
    let end = position + bytes.count
    for index in 0..<count {
      // The byte that ends the last number is known to be there, but it may be further than four bytes away.
      guard end - position >= 4 else {
        guard readLong(index, &position, end, body) else { return false }
        continue
      }
      func byte(_ offset: Int) -> UInt64 { UInt64(position.load(fromByteOffset: offset, as: UInt8.self)) }
      let first = byte(0)
      if first < 128 {
        body(index, first)
        position += 1
        continue
      }
      let second = byte(1)
      if second < 128 {
        body(index, first & 0x7F | second << 7)
        position += 2
        continue
      }
      let third = byte(2)
      if third < 128 {
        body(index, first & 0x7F | (second & 0x7F) << 7 | third << 14)
        position += 3
        continue
      }
      let fourth = byte(3)
      if fourth < 128 {
        body(index, first & 0x7F | (second & 0x7F) << 7 | (third & 0x7F) << 14 | fourth << 21)
        position += 4
        continue
      }
      guard readLong(index, &position, end, body) else { return false }
    }
    return true
  }

  @inline(__always)
  private func readLong(
    _ index: Int, _ position: inout UnsafeRawPointer, _ end: UnsafeRawPointer, _ body: (Int, UInt64) -> Void
  ) -> Bool {
    guard end - position >= 10 else {
      var cursor = LeafCursor(position: position, end: end)
      guard let value = cursor.varint() else { return false }
      body(index, value)
      position = cursor.position
      return true
    }
    let word = UInt64(littleEndian: position.loadUnaligned(as: UInt64.self))
    let stops = ~word & 0x8080_8080_8080_8080
    if stops != 0 {
      let bits = stops.trailingZeroBitCount
      body(index, Self.joined(word & (~0 &>> UInt64(63 &- bits))))
      position += (bits + 1) / 8
      return true
    }
    let ninth = UInt64(position.load(fromByteOffset: 8, as: UInt8.self))
    let tenth = UInt64(position.load(fromByteOffset: 9, as: UInt8.self))
    guard ninth < 128 || tenth < 128 else { return false }
    // Of the tenth byte one bit counts.
    let upper = ninth < 128 ? ninth << 56 : (ninth & 0x7F) << 56 | tenth << 63
    body(index, Self.joined(word) | upper)
    position += ninth < 128 ? 9 : 10
    return true
  }

  /// The seven low bits of every byte, next to each other.
  @inline(__always)
  private static func joined(_ word: UInt64) -> UInt64 {
    var word = word & 0x7F7F_7F7F_7F7F_7F7F
    word = word & 0x007F_007F_007F_007F | (word & 0x7F00_7F00_7F00_7F00) >> 1
    word = word & 0x0000_3FFF_0000_3FFF | (word & 0x3FFF_0000_3FFF_0000) >> 2
    return word & 0x0000_0000_0FFF_FFFF | (word & 0x0FFF_FFFF_0000_0000) >> 4
  }
}
