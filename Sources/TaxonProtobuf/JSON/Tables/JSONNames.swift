// SPDX-License-Identifier: Apache-2.0

/// From names to indices: a hash table in memory that is never freed, as the descriptors it belongs to.
struct JSONNames {
  struct Entry {
    let start: UnsafePointer<UInt8>
    let count: Int
    let index: Int
  }

  private let buckets: UnsafeMutablePointer<Entry?>
  private let mask: Int

  /// Of equal names the first one counts.
  init(_ names: [Entry]) {
    var capacity = 4
    while capacity < 2 * names.count { capacity *= 2 }
    buckets = .allocate(capacity: capacity)
    buckets.initialize(repeating: nil, count: capacity)
    mask = capacity - 1
    for name in names where index(of: UnsafeBufferPointer(start: name.start, count: name.count)) == nil {
      var bucket = Self.hash(name.start, name.count) & mask
      while buckets[bucket] != nil { bucket = (bucket + 1) & mask }
      buckets[bucket] = name
    }
  }

  /// The index that goes with a name; nil for a name that is not in the table.
  @inline(__always)
  func index(of name: UnsafeBufferPointer<UInt8>) -> Int? {
    guard let start = name.baseAddress else { return nil }
    var bucket = Self.hash(start, name.count) & mask
    while let entry = buckets[bucket] {
      if entry.count == name.count, areEqual(entry.start, start, name.count) { return entry.index }
      bucket = (bucket + 1) & mask
    }
    return nil
  }

  /// Of the length, the first eight bytes and the last eight. The names in the table are the schema's, so nobody can
  /// make them collide.
  @inline(__always)
  private static func hash(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int {
    let raw = UnsafeRawPointer(start)
    var first: UInt64 = 0
    var last: UInt64 = 0
    if count >= 8 {
      first = raw.loadUnaligned(as: UInt64.self)
      last = raw.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
    } else if count >= 4 {
      first = UInt64(raw.loadUnaligned(as: UInt32.self))
      last = UInt64(raw.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
    } else if count > 0 {
      first = UInt64(start[0]) << 8 | UInt64(start[count / 2])
      last = UInt64(start[count - 1])
    }
    let mixed = (first ^ UInt64(count)) &* 0x9E37_79B9_7F4A_7C15 ^ (last &* 0xC2B2_AE3D_27D4_EB4F)
    return Int(truncatingIfNeeded: (mixed ^ mixed >> 29) &* 0x9E37_79B9_7F4A_7C15 >> 32)
  }
}

/// Whether the bytes are the same; word by word.
@inline(__always)
func areEqual(_ one: UnsafePointer<UInt8>, _ other: UnsafePointer<UInt8>, _ count: Int) -> Bool {
  let one = UnsafeRawPointer(one)
  let other = UnsafeRawPointer(other)
  guard count >= 8 else {
    var index = 0
    while index < count {
      guard one.load(fromByteOffset: index, as: UInt8.self) == other.load(fromByteOffset: index, as: UInt8.self) else {
        return false
      }
      index += 1
    }
    return true
  }
  var offset = 0
  while offset <= count - 8 {
    guard
      one.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        == other.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    else { return false }
    offset += 8
  }
  // The last word again from its end, whatever of it was compared before.
  return one.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
    == other.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
}
