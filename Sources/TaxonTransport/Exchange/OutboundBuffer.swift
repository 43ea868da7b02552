// SPDX-License-Identifier: Apache-2.0

/// Bytes of a stream that wait for the peer's window, in one piece of memory.
package struct OutboundBuffer: ~Copyable {
  private var memory: UnsafeMutableRawBufferPointer?
  private var start = 0
  private var end = 0

  /// An empty buffer without memory.
  package init() {}

  /// Bytes that wait.
  package var count: Int { end - start }

  /// Bytes of the memory that is worth keeping for another body.
  private static let keptSizes = 512...4096

  /// Whether it has memory already.
  package var hasMemory: Bool { memory != nil }

  /// Takes memory that another buffer has given up.
  package mutating func adopt(_ memory: UnsafeMutableRawBufferPointer?) {
    if self.memory == nil { self.memory = memory }
  }

  /// Gives up the memory, and what is in it; nil when it is not worth keeping.
  mutating func surrender() -> UnsafeMutableRawBufferPointer? {
    guard let memory, Self.keptSizes.contains(memory.count) else { return nil }
    self.memory = nil
    (start, end) = (0, 0)
    return memory
  }

  /// Makes room for `size` bytes at the end and lets `body` fill all of them.
  package mutating func append(_ size: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
    reserve(size)
    // reserve made the memory.
    body(UnsafeMutableRawBufferPointer(rebasing: memory![end..<end + size]))
    end += size
  }

  /// Moves everything out of another buffer.
  package mutating func append(contentsOf other: inout OutboundBuffer) {
    guard let bytes = other.memory, other.count > 0 else { return }
    if count == 0 {
      // Nothing is copied: the two change their memory.
      swap(&self, &other)
      return
    }
    append(other.count) { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[other.start..<other.end])) }
    (other.start, other.end) = (0, 0)
  }

  /// Appends a copy of what is in another buffer.
  package mutating func append(copying other: borrowing OutboundBuffer) {
    guard let bytes = other.memory, other.count > 0 else { return }
    let (start, end) = (other.start, other.end)
    append(end - start) { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<end])) }
  }

  /// Moves up to `target.count` bytes out and says how many.
  mutating func read(into target: UnsafeMutableRawBufferPointer) -> Int {
    guard let memory, count > 0 else { return 0 }
    let taken = min(count, target.count)
    target.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[start..<start + taken]))
    start += taken
    if start == end { (start, end) = (0, 0) }
    return taken
  }

  private mutating func reserve(_ size: Int) {
    guard let old = memory else {
      memory = .allocate(byteCount: max(size, Self.keptSizes.lowerBound), alignment: 8)
      return
    }
    if end + size <= old.count { return }
    if count + size <= old.count, start > 0 {
      old.copyMemory(from: UnsafeRawBufferPointer(rebasing: old[start..<end]))
    } else {
      let new = UnsafeMutableRawBufferPointer.allocate(byteCount: max(old.count * 2, count + size), alignment: 8)
      new.copyMemory(from: UnsafeRawBufferPointer(rebasing: old[start..<end]))
      old.deallocate()
      memory = new
    }
    (start, end) = (0, count)
  }

  deinit { memory?.deallocate() }
}
