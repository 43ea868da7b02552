// SPDX-License-Identifier: Apache-2.0

/// What protobuf-c calls for memory.
///
/// Nothing is freed one by one. But what protobuf-c frees while unpacking tells what it does: it frees its own working
/// memory, and values that a later one replaces. The latter it merges otherwise than protobuf asks, and they are out
/// of sight for checks; so it is noted.
enum ArenaCallbacks {
  /// The piece of memory for its notes, of 32 bytes a field, that protobuf-c does not get any more: `WideUnpacker`
  /// unpacks such messages.
  static let slabLimit = 1 << 20

  /// In front of each piece of memory: these bits, and its size in the low half.
  private static let mark: UInt64 = 0xA7E4_A000_0000_0000
  private static let markMask: UInt64 = 0xFFFF_FFFF_0000_0000

  static let allocate: @convention(c) (UnsafeMutableRawPointer?, Int) -> UnsafeMutableRawPointer? = { data, size in
    let arena = arena(data)
    if size >= MessageArena.smallestLarge { return mayHave(arena, size) ? arena.allocateLarge(size) : nil }
    let memory = arena.allocate(size + 8)
    memory.storeBytes(of: mark | UInt64(size), as: UInt64.self)
    return memory + 8
  }

  /// protobuf-c notes the fields that it meets in pieces of memory of twice the size each. False for the one that is too
  /// large; it gives up then.
  private static func mayHave(_ arena: MessageArena, _ size: Int) -> Bool {
    guard size == arena.state.pointee.nextSlab else { return true }
    arena.state.pointee.nextSlab = 2 * size
    return size < slabLimit
  }

  static let free: @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) -> Void = { data, pointer in
    let state = arena(data).state
    guard let pointer, !state.pointee.hasReplacedValue else { return }
    // Large memory is an array, which has other things in front of its elements.
    let header = (pointer - 8).load(as: UInt64.self)
    let size = header & markMask == mark ? Int(header & ~markMask) : nil
    if isScanResult(pointer, size, state.pointee.input) { return }
    // All zero: the set of required fields it has met, which is always empty here, or a value without content.
    if let size, UnsafeRawBufferPointer(start: pointer, count: size).allSatisfy({ $0 == 0 }) { return }
    state.pointee.hasReplacedValue = true
  }

  /// Whether memory is what protobuf-c notes of the fields of a message with more than sixteen: 32 bytes each, of
  /// which the last eight are the address of the field in the input.
  private static func isScanResult(
    _ pointer: UnsafeMutableRawPointer, _ size: Int?, _ input: UnsafeRawBufferPointer
  ) -> Bool {
    if let size, size < 1024 || size & (size - 1) != 0 { return false }
    let address = pointer.load(fromByteOffset: 24, as: UInt.self)
    let start = UInt(bitPattern: input.baseAddress)
    return address >= start && address < start + UInt(input.count)
  }

  private static func arena(_ data: UnsafeMutableRawPointer?) -> MessageArena {
    // `MessageArena.take()` sets it.
    MessageArena(state: data!.assumingMemoryBound(to: MessageArena.State.self))
  }
}
