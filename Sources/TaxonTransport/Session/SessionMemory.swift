// SPDX-License-Identifier: Apache-2.0
import CNghttp2

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Memory for one nghttp2 session: small blocks that are given back are kept and given out again. A call costs nghttp2
/// eight allocations, which come and go in the same few sizes.
///
/// Not thread-safe, as the session is not.
enum SessionMemory {
  /// Bytes before a block that say of which class it is; as many as keep the block aligned for any type.
  private static let headSize = 16
  private static let step = 64
  /// Blocks of up to 512 bytes are kept.
  private static let classes = 8

  typealias Lists = UnsafeMutablePointer<UnsafeMutableRawPointer?>

  /// Lists of free blocks, one for each class; then the block in which nghttp2 puts frames together, and whether that was
  /// freed.
  static func make() -> Lists {
    let lists = Lists.allocate(capacity: classes + 2)
    lists.initialize(repeating: nil, count: classes + 2)
    return lists
  }

  /// The first block of so many bytes is that for frames: nghttp2 takes it when a session is made, and keeps it.
  private static let frameSize = 16 * 1024

  /// Gives the pages of the block for frames back to the system. Only while no frame is in it: what was there is lost.
  static func forgetFrames(_ lists: Lists) {
    guard let block = lists[classes] else { return }
    let size = (block - headSize).load(fromByteOffset: 8, as: Int.self)
    let page = Int(getpagesize())
    let start = (Int(bitPattern: block) + page - 1) / page * page
    let end = (Int(bitPattern: block) + size) / page * page
    guard start < end else { return }
    madvise(UnsafeMutableRawPointer(bitPattern: start), end - start, MADV_DONTNEED)
  }

  /// Gives back what is kept. No block may be in use.
  static func destroy(_ lists: Lists) {
    trim(lists)
    lists.deallocate()
  }

  /// Gives back what is kept and not in use.
  static func trim(_ lists: Lists) {
    for index in 0..<classes {
      while let block = lists[index] {
        lists[index] = block.load(as: UnsafeMutableRawPointer?.self)
        (block - headSize).deallocate()
      }
    }
  }

  /// The functions that nghttp2 calls.
  static func functions(_ lists: Lists) -> nghttp2_mem {
    nghttp2_mem(
      mem_user_data: lists,
      malloc: { size, user in SessionMemory.allocate(size, user) },
      free: { block, user in SessionMemory.free(block, user) },
      calloc: { count, size, user in
        let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
        guard !overflow, let block = SessionMemory.allocate(bytes, user) else { return nil }
        block.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        return block
      },
      realloc: { block, size, user in SessionMemory.resize(block, size, user) })
  }

  private static func allocate(_ size: Int, _ user: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    let index = max(0, size - 1) / step
    guard index < classes, let lists = user?.assumingMemoryBound(to: UnsafeMutableRawPointer?.self) else {
      let block = fresh(size, index: classes)
      if size >= frameSize, let lists = user?.assumingMemoryBound(to: UnsafeMutableRawPointer?.self),
        lists[classes] == nil, lists[classes + 1] == nil
      {
        lists[classes] = block
      }
      return block
    }
    if let block = lists[index] {
      lists[index] = block.load(as: UnsafeMutableRawPointer?.self)
      return block
    }
    return fresh((index + 1) * step, index: index)
  }

  /// A new block; of a large one, its head keeps the size.
  private static func fresh(_ size: Int, index: Int) -> UnsafeMutableRawPointer? {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: size + headSize, alignment: headSize)
    memory.storeBytes(of: index, as: Int.self)
    memory.storeBytes(of: size, toByteOffset: 8, as: Int.self)
    return memory + headSize
  }

  private static func free(_ block: UnsafeMutableRawPointer?, _ user: UnsafeMutableRawPointer?) {
    guard let block else { return }
    let index = (block - headSize).load(as: Int.self)
    guard index < classes, let lists = user?.assumingMemoryBound(to: UnsafeMutableRawPointer?.self) else {
      if let lists = user?.assumingMemoryBound(to: UnsafeMutableRawPointer?.self), lists[classes] == block {
        lists[classes] = nil
        lists[classes + 1] = block
      }
      return (block - headSize).deallocate()
    }
    block.storeBytes(of: lists[index], as: UnsafeMutableRawPointer?.self)
    lists[index] = block
  }

  private static func resize(
    _ block: UnsafeMutableRawPointer?, _ size: Int, _ user: UnsafeMutableRawPointer?
  ) -> UnsafeMutableRawPointer? {
    guard let block else { return allocate(size, user) }
    let capacity = (block - headSize).load(fromByteOffset: 8, as: Int.self)
    if size <= capacity { return block }
    let new = allocate(size, user)
    new?.copyMemory(from: block, byteCount: capacity)
    free(block, user)
    return new
  }
}
