// SPDX-License-Identifier: Apache-2.0

/// Strings that came before: the headers of a connection's calls repeat, and a string that is known need not be made.
struct StringCache {
  private var slots = [String](repeating: "", count: 32)
  private static let longest = 256

  /// The string with these bytes.
  mutating func string(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
    // Up to 15 bytes a string needs no memory of its own.
    guard bytes.count > 15, bytes.count <= Self.longest else { return String(decoding: bytes, as: UTF8.self) }
    let slot = (bytes.count &+ Int(bytes[bytes.count - 1]) &* 7 &+ Int(bytes[bytes.count / 2]) &* 13) & 31
    let isKnown =
      slots[slot].utf8.withContiguousStorageIfAvailable { known in
        known.count == bytes.count && known.elementsEqual(bytes)
      } ?? false
    if isKnown { return slots[slot] }
    let string = String(decoding: bytes, as: UTF8.self)
    slots[slot] = string
    return string
  }
}
