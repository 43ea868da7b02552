// SPDX-License-Identifier: Apache-2.0
import CProtobufC
import Synchronization

/// Memory for one message while protobuf-c handles it: allocated piece by piece, freed all at once.
///
/// A handle to a state at the start of the first block, which comes from a pool. A small message needs no other block,
/// and so no malloc. Only the codec uses it.
public struct MessageArena {
  struct State {
    /// The allocator that protobuf-c calls; its `allocator_data` is this state.
    var allocator: ProtobufCAllocator
    var cursor: UnsafeMutableRawPointer
    var end: UnsafeMutableRawPointer
    /// Further blocks; each has the address of the one before in its first word.
    var blocks: UnsafeMutableRawPointer?
    var nextBlockSize: Int
    /// The input that is being unpacked.
    var input: UnsafeRawBufferPointer
    /// Whether protobuf-c has freed a value while unpacking: it has met a second one for the same field.
    var hasReplacedValue: Bool
    /// Whether protobuf-c hands on the messages that contain no others as bytes (see `LeafTable`).
    var hasLeaves: Bool
    /// Whether the input was rewritten before it was unpacked (see `WireRewriter`).
    var isRewritten: Bool
    /// The size that protobuf-c asks for next when a message has very many fields; above a limit it is refused (see
    /// `WideUnpacker`).
    var nextSlab: Int
    /// A required field that is nil in the message being encoded, by its index in the table. Unretained: descriptors
    /// are never freed.
    var missing: (descriptor: Unmanaged<MessageDescriptor>, field: Int)?
    /// Large values whose memory is used in place, both ways: the first, the last, and the one that is likely to be
    /// lifted next.
    var firstLarge: UnsafeMutablePointer<LargeValue>?
    var lastLarge: UnsafeMutablePointer<LargeValue>?
    var nextLarge: UnsafeMutablePointer<LargeValue>?
    /// Where the first block goes when the arena is given back.
    var place: UnsafeMutablePointer<Atomic<UInt>>
  }

  let state: UnsafeMutablePointer<State>

  @inline(__always) static var firstBlockSize: Int { 16 * 1024 }
  @inline(__always) static var secondBlockSize: Int { 64 * 1024 }
  /// The part of the first block that the state takes.
  @inline(__always) static var stateSize: Int { (MemoryLayout<State>.size + 15) & ~15 }

  /// An empty arena. It must be given back.
  @usableFromInline
  static func take() -> MessageArena {
    let place = ArenaPool.place()
    guard let block = ArenaPool.take(place) else { return make(place) }
    let arena = MessageArena(state: block.assumingMemoryBound(to: State.self))
    arena.state.pointee.place = place
    return arena
  }

  @inline(never)
  private static func make(_ place: UnsafeMutablePointer<Atomic<UInt>>) -> MessageArena {
    let block = UnsafeMutableRawPointer.allocate(byteCount: firstBlockSize, alignment: 16)
    let state = block.bindMemory(to: State.self, capacity: 1)
    state.initialize(
      to: State(
        allocator: ProtobufCAllocator(
          alloc: ArenaCallbacks.allocate, free: ArenaCallbacks.free, allocator_data: block),
        cursor: block + stateSize, end: block + firstBlockSize, blocks: nil, nextBlockSize: secondBlockSize,
        input: UnsafeRawBufferPointer(start: nil, count: 0), hasReplacedValue: false, hasLeaves: false,
        isRewritten: false, nextSlab: .max, missing: nil,
        firstLarge: nil, lastLarge: nil, nextLarge: nil, place: place))
    return MessageArena(state: state)
  }

  /// Frees the memory of the arena, except for its first block, which goes back to the pool, ready for `take()`.
  @usableFromInline
  func giveBack() {
    // Before the blocks, in which they lie.
    if state.pointee.firstLarge != nil { releaseLarge() }
    if state.pointee.blocks != nil { freeBlocks() }
    let block = UnsafeMutableRawPointer(state)
    state.pointee.cursor = block + Self.stateSize
    state.pointee.hasReplacedValue = false
    state.pointee.isRewritten = false
    state.pointee.missing = nil
    if let other = ArenaPool.give(block, to: state.pointee.place) {
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
    // A value with a block of its own leaves the current block in use.
    guard blockSize == state.pointee.nextBlockSize else { return start }
    state.pointee.nextBlockSize = min(2 * blockSize, 1 << 20)
    state.pointee.cursor = start + size
    state.pointee.end = block + blockSize
    return start
  }
}

/// A value that stays an array of its own and is not copied to or from the arena. The arena holds it and must release
/// it.
struct LargeValue {
  let bytes: [UInt8]
  var next: UnsafeMutablePointer<LargeValue>?
}

extension MessageArena {
  /// The size of the smallest large value, in bytes.
  @inline(__always) static var smallestLarge: Int { 4096 }

  /// Memory for protobuf-c that may become a field's value without a copy.
  func allocateLarge(_ byteCount: Int) -> UnsafeMutableRawPointer {
    // protobuf-c fills the memory before anything reads the array.
    var bytes = [UInt8](unfilled: byteCount)
    // The count is over zero, so there is memory. It stays in place while the array has one owner or two.
    let start = bytes.withUnsafeMutableBufferPointer { $0.baseAddress! }
    hold(bytes)
    return UnsafeMutableRawPointer(start)
  }

  /// Memory for bytes that become a field's value: a large one is lifted where it lies.
  func allocateValue(_ byteCount: Int) -> UnsafeMutablePointer<UInt8> {
    let memory = byteCount < Self.smallestLarge ? allocate(byteCount) : allocateLarge(byteCount)
    return memory.assumingMemoryBound(to: UInt8.self)
  }

  /// Keeps an array alive until the arena is given back, so that its memory stays unchanged.
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
    // Arrays of numbers and replaced values are never lifted; without a bound, many of them would take quadratic time.
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

  /// Releases all large values.
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

/// First blocks for reuse: at most one for each of a few groups of threads.
enum ArenaPool {
  @inline(__always) private static var places: Int { 16 }
  /// A place on a cache line of its own, so that threads do not slow each other down.
  @inline(__always) private static var stride: Int { 8 }

  // nonisolated(unsafe): set once; what it points to is reached through atomic operations alone. Never freed.
  private nonisolated(unsafe) static let memory = {
    let memory = UnsafeMutablePointer<Atomic<UInt>>.allocate(capacity: places * stride)
    for index in 0..<(places * stride) { (memory + index).initialize(to: Atomic(0)) }
    return memory
  }()

  /// A block that no other arena uses.
  @inline(__always)
  static func take(_ place: UnsafeMutablePointer<Atomic<UInt>>) -> UnsafeMutableRawPointer? {
    UnsafeMutableRawPointer(bitPattern: place.pointee.exchange(0, ordering: .acquiring))
  }

  /// Keeps a block; returns the one that was in its place, if there was one.
  @inline(__always)
  static func give(
    _ block: UnsafeMutableRawPointer, to place: UnsafeMutablePointer<Atomic<UInt>>
  ) -> UnsafeMutableRawPointer? {
    let previous = place.pointee.exchange(UInt(bitPattern: block), ordering: .acquiringAndReleasing)
    return UnsafeMutableRawPointer(bitPattern: previous)
  }

  /// The calling thread's place: threads differ in the address of their stack, by a megabyte at least.
  @inline(__always)
  static func place() -> UnsafeMutablePointer<Atomic<UInt>> {
    let address = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1) { UInt(bitPattern: $0.baseAddress) }
    let mixed = UInt64(truncatingIfNeeded: address >> 19) &* 0x9E37_79B9_7F4A_7C15
    return memory + Int(mixed >> 60) * Self.stride
  }
}

/// `count` uninitialised bytes: an array made of them must be filled.
///
/// `Array.init(unsafeUninitializedCapacity:)` asks the runtime for the array's type each time (Swift 6.3), and takes
/// twice as long as making an array of a collection, which the compiler specialises for this type. Copying this
/// collection leaves the target's memory unchanged.
private struct UnfilledBytes: RandomAccessCollection {
  let count: Int

  var startIndex: Int { 0 }
  var endIndex: Int { count }
  subscript(position: Int) -> UInt8 { 0 }

  func _copyContents(
    initializing buffer: UnsafeMutableBufferPointer<UInt8>
  ) -> (Iterator, UnsafeMutableBufferPointer<UInt8>.Index) {
    // A byte of any value is a byte: there is nothing to initialise.
    (Self(count: 0).makeIterator(), count)
  }
}

extension [UInt8] {
  /// An uninitialised array, which must be filled before it is read.
  @inline(__always)
  init(unfilled count: Int) { self.init(UnfilledBytes(count: count)) }

  /// A copy.
  @inline(__always)
  init(copying bytes: UnsafeRawBufferPointer) {
    self.init(unfilled: bytes.count)
    withUnsafeMutableBytes { $0.copyMemory(from: bytes) }
  }
}

/// The functions that protobuf-c calls for memory.
///
/// Nothing is freed one by one, but the calls show what protobuf-c does while unpacking: it frees its working memory,
/// and values that a later one replaces. It merges the latter differently from protobuf, and checks cannot see them; so
/// that is noted.
enum ArenaCallbacks {
  /// protobuf-c notes the fields that it meets, in 32 bytes each; it gets no array of this size or more for that, and
  /// `WideUnpacker` unpacks the message.
  static let slabLimit = 1 << 20

  /// The header of each allocation: these bits, and the size in the low half.
  private static let mark: UInt64 = 0xA7E4_A000_0000_0000
  private static let markMask: UInt64 = 0xFFFF_FFFF_0000_0000

  static let allocate: @convention(c) (UnsafeMutableRawPointer?, Int) -> UnsafeMutableRawPointer? = { data, size in
    let arena = arena(data)
    if size >= MessageArena.smallestLarge { return mayHave(arena, size) ? arena.allocateLarge(size) : nil }
    let memory = arena.allocate(size + 8)
    memory.storeBytes(of: mark | UInt64(size), as: UInt64.self)
    return memory + 8
  }

  /// protobuf-c notes the fields that it meets in arrays of doubling size. False for one that is too large: protobuf-c
  /// gives up then.
  private static func mayHave(_ arena: MessageArena, _ size: Int) -> Bool {
    guard size == arena.state.pointee.nextSlab else { return true }
    arena.state.pointee.nextSlab = 2 * size
    return size < slabLimit
  }

  static let free: @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) -> Void = { data, pointer in
    let state = arena(data).state
    guard let pointer, !state.pointee.hasReplacedValue else { return }
    // Large memory is a Swift array, which has no such header.
    let header = (pointer - 8).load(as: UInt64.self)
    let size = header & markMask == mark ? Int(header & ~markMask) : nil
    if isScanResult(pointer, size, state.pointee.input) { return }
    // All zero: protobuf-c's set of required fields, which is always empty here, or an empty value. A leaf is none of them.
    if let size, !state.pointee.hasLeaves, UnsafeRawBufferPointer(start: pointer, count: size).allSatisfy({ $0 == 0 }) {
      return
    }
    state.pointee.hasReplacedValue = true
  }

  /// Whether memory has protobuf-c's notes on the fields of a message with more than sixteen: 32 bytes each, of which
  /// the last eight are the field's address in the input.
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
