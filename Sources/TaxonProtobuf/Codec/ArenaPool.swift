// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The first blocks of arenas that are not in use: at most one for each of a few groups of threads.
final class ArenaPool: Sendable {
  static let shared = ArenaPool()

  @inline(__always) private static var places: Int { 16 }
  /// A place on a cache line of its own, so that threads do not slow each other down.
  @inline(__always) private static var stride: Int { 8 }

  // nonisolated(unsafe): set once; what it points to is reached through atomic operations alone. Never freed.
  private nonisolated(unsafe) let memory: UnsafeMutablePointer<Atomic<UInt>>

  private init() {
    memory = .allocate(capacity: Self.places * Self.stride)
    for index in 0..<(Self.places * Self.stride) { (memory + index).initialize(to: Atomic(0)) }
  }

  /// A block that nobody else uses.
  func take() -> UnsafeMutableRawPointer? {
    UnsafeMutableRawPointer(bitPattern: place().pointee.exchange(0, ordering: .acquiring))
  }

  /// Keeps a block; returns the one that was in its place, if there was one.
  func give(_ block: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    let previous = place().pointee.exchange(UInt(bitPattern: block), ordering: .acquiringAndReleasing)
    return UnsafeMutableRawPointer(bitPattern: previous)
  }

  /// The calling thread's place: threads differ in the address of their stack, by a megabyte at least.
  @inline(__always)
  private func place() -> UnsafeMutablePointer<Atomic<UInt>> {
    let address = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1) { UInt(bitPattern: $0.baseAddress) }
    let mixed = UInt64(truncatingIfNeeded: address >> 19) &* 0x9E37_79B9_7F4A_7C15
    return memory + Int(mixed >> 60) * Self.stride
  }
}
