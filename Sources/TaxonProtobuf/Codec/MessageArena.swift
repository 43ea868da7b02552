// SPDX-License-Identifier: Apache-2.0

import CProtobufC

/// Memory for one message on its way through protobuf-c: taken bit by bit, given back all at once.
///
/// A handle; what it stands for lies at the start of its first block, which comes from a pool. A small message needs no
/// other, and so no malloc. Only the codec makes use of it.
public struct MessageArena {
  struct State {
    /// What protobuf-c calls; its `allocator_data` is this state.
    var allocator: ProtobufCAllocator
    var cursor: UnsafeMutableRawPointer
    var end: UnsafeMutableRawPointer
    /// Further blocks; each has the address of the one before in its first word.
    var blocks: UnsafeMutableRawPointer?
    var nextBlockSize: Int
    /// What is being unpacked.
    var input: UnsafeRawBufferPointer
    /// Whether protobuf-c has freed a value while unpacking: it has met a second one for the same field.
    var hasReplacedValue: Bool
    /// Whether the input was rewritten before it was unpacked (see `WireRewriter`).
    var isRewritten: Bool
    /// What protobuf-c asks for next if it meets very many fields, for which it gets no memory then (see `WideUnpacker`).
    var nextSlab: Int
    /// A required field that is nil in what is being encoded, by its index in the table. Unretained: descriptors are
    /// never freed.
    var missing: (descriptor: Unmanaged<MessageDescriptor>, field: Int)?
    /// Large values whose memory is used in place, both ways: the first, the last, and the one that is likely to be
    /// lifted next.
    var firstLarge: UnsafeMutablePointer<LargeValue>?
    var lastLarge: UnsafeMutablePointer<LargeValue>?
    var nextLarge: UnsafeMutablePointer<LargeValue>?
  }

  let state: UnsafeMutablePointer<State>

  @inline(__always) static var firstBlockSize: Int { 16 * 1024 }
  @inline(__always) static var secondBlockSize: Int { 64 * 1024 }
  /// What the state takes of the first block.
  @inline(__always) static var stateSize: Int { (MemoryLayout<State>.size + 15) & ~15 }

  /// An empty arena. It must be given back.
  @usableFromInline
  static func take() -> MessageArena {
    if let block = ArenaPool.shared.take() {
      return MessageArena(state: block.assumingMemoryBound(to: State.self))
    }
    return make()
  }

  @inline(never)
  private static func make() -> MessageArena {
    let block = UnsafeMutableRawPointer.allocate(byteCount: firstBlockSize, alignment: 16)
    let state = block.bindMemory(to: State.self, capacity: 1)
    state.initialize(
      to: State(
        allocator: ProtobufCAllocator(
          alloc: ArenaCallbacks.allocate, free: ArenaCallbacks.free, allocator_data: block),
        cursor: block + stateSize, end: block + firstBlockSize, blocks: nil, nextBlockSize: secondBlockSize,
        input: UnsafeRawBufferPointer(start: nil, count: 0), hasReplacedValue: false, isRewritten: false,
        nextSlab: .max, missing: nil,
        firstLarge: nil, lastLarge: nil, nextLarge: nil))
    return MessageArena(state: state)
  }

  /// Frees the memory of the arena, but for its first block, which waits in the pool as `take()` wants it.
  @usableFromInline
  func giveBack() {
    // They lie in the blocks.
    if state.pointee.firstLarge != nil { releaseLarge() }
    if state.pointee.blocks != nil { freeBlocks() }
    let block = UnsafeMutableRawPointer(state)
    state.pointee.cursor = block + Self.stateSize
    state.pointee.hasReplacedValue = false
    state.pointee.isRewritten = false
    state.pointee.missing = nil
    if let other = ArenaPool.shared.give(block) {
      MessageArena(state: other.assumingMemoryBound(to: State.self)).free()
    }
  }

  @inline(never)
  private func freeBlocks() {
    var block = state.pointee.blocks
    while let current = block {
      block = current.load(as: UnsafeMutableRawPointer?.self)
      current.deallocate()
    }
    state.pointee.blocks = nil
    state.pointee.nextBlockSize = Self.secondBlockSize
    state.pointee.end = UnsafeMutableRawPointer(state) + Self.firstBlockSize
  }

  private func free() {
    state.deinitialize(count: 1)
    UnsafeMutableRawPointer(state).deallocate()
  }

  /// Memory for `byteCount` bytes, aligned for anything protobuf-c stores.
  @inline(__always)
  func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
    let cursor = state.pointee.cursor
    let size = (byteCount + 7) & ~7
    if size <= state.pointee.end - cursor {
      state.pointee.cursor = cursor + size
      return cursor
    }
    return allocateInNewBlock(size)
  }

  @inline(never)
  private func allocateInNewBlock(_ size: Int) -> UnsafeMutableRawPointer {
    let blockSize = max(state.pointee.nextBlockSize, size + 16)
    let block = UnsafeMutableRawPointer.allocate(byteCount: blockSize, alignment: 16)
    block.storeBytes(of: state.pointee.blocks, as: UnsafeMutableRawPointer?.self)
    state.pointee.blocks = block
    let start = block + 16
    // A block of a value's own leaves the current one in use.
    guard blockSize == state.pointee.nextBlockSize else { return start }
    state.pointee.nextBlockSize = min(2 * blockSize, 1 << 20)
    state.pointee.cursor = start + size
    state.pointee.end = block + blockSize
    return start
  }
}
