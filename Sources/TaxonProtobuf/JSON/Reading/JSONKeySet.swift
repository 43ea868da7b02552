// SPDX-License-Identifier: Apache-2.0

/// The keys that a map has had: finds the one that comes twice.
struct JSONKeySet {
  private let arena: MessageArena
  private let isText: Bool
  private let seed: UInt64
  private var buckets: UnsafeMutablePointer<UnsafeRawPointer?>
  private var mask = 15
  private var count = 0

  /// Chosen anew for every process, so that nobody can make keys that collide.
  private static let processSeed = UInt64.random(in: .min ... .max)

  init(_ arena: MessageArena, isText: Bool) {
    self.arena = arena
    self.isText = isText
    seed = Self.processSeed
    buckets = Self.makeBuckets(16, arena)
  }

  private static func makeBuckets(_ count: Int, _ arena: MessageArena) -> UnsafeMutablePointer<UnsafeRawPointer?> {
    let memory = arena.allocate(count * 8).bindMemory(to: UnsafeRawPointer?.self, capacity: count)
    memory.initialize(repeating: nil, count: count)
    return memory
  }

  /// Adds the key in a slot, which is all zeros behind a number. Returns false when it has been there.
  mutating func insert(_ slot: UnsafeRawPointer) -> Bool {
    if 2 * count > mask { grow() }
    var bucket = Int(truncatingIfNeeded: hash(slot)) & mask
    while let other = buckets[bucket] {
      if isEqual(slot, other) { return false }
      bucket = (bucket + 1) & mask
    }
    buckets[bucket] = slot
    count += 1
    return true
  }

  private mutating func grow() {
    let old = UnsafeBufferPointer(start: buckets, count: mask + 1)
    mask = 4 * old.count - 1
    buckets = Self.makeBuckets(mask + 1, arena)
    for case let slot? in old {
      var bucket = Int(truncatingIfNeeded: hash(slot)) & mask
      while buckets[bucket] != nil { bucket = (bucket + 1) & mask }
      buckets[bucket] = slot
    }
  }

  @inline(__always)
  private func isEqual(_ one: UnsafeRawPointer, _ other: UnsafeRawPointer) -> Bool {
    guard one.load(as: UInt64.self) == other.load(as: UInt64.self) else { return false }
    guard isText, let first = one.loadBytes().baseAddress, let second = other.loadBytes().baseAddress else {
      return true
    }
    return areEqual(first, second, one.loadBytes().count)
  }

  @inline(__always)
  private func hash(_ slot: UnsafeRawPointer) -> UInt64 {
    // Of a string this is the length.
    let first = slot.load(as: UInt64.self)
    var hash = mix(seed ^ first)
    guard isText, let start = slot.loadBytes().baseAddress else { return hash }
    let bytes = UnsafeRawPointer(start)
    let count = Int(first)
    var offset = 0
    while count - offset >= 8 {
      hash = mix(hash ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      offset += 8
    }
    var rest: UInt64 = 0
    while offset < count {
      rest = rest << 8 | UInt64(bytes.load(fromByteOffset: offset, as: UInt8.self))
      offset += 1
    }
    return mix(hash ^ rest)
  }

  /// All bits of the product of a word with an odd constant, folded; the seed is in the word.
  @inline(__always)
  private func mix(_ word: UInt64) -> UInt64 {
    let product = (word ^ seed).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
    return product.high ^ product.low
  }
}
