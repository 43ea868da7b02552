// SPDX-License-Identifier: Apache-2.0

/// The two words of a String (StringObject.swift of the Swift project; on Apple's systems a part of the ABI).
///
/// A short one has up to 15 bytes of UTF-8, and behind them a byte with their number. A longer one has flags and the number
/// of its bytes in the first word, and the object that holds them in the second, at a distance of 32 bytes. With this,
/// reading and writing strings calls nothing and counts no references.
struct StringWords {
  var first: UInt64
  var second: UInt64

  private static var short: UInt64 { 1 << 61 }
  private static var foreign: UInt64 { 1 << 60 }
  private static var tailAllocated: UInt64 { 1 << 60 }
  private static var shortASCII: UInt64 { 0xE0 }
  private static var highBits: UInt64 { 0x8080_8080_8080_8080 }

  @inline(__always)
  init(at memory: UnsafeRawPointer) {
    first = memory.load(as: UInt64.self)
    second = memory.load(fromByteOffset: 8, as: UInt64.self)
  }

  /// A string of up to 15 bytes, all of them ASCII; nil for any other.
  @inline(__always)
  init?(ascii start: UnsafeRawPointer, _ count: Int) {
    guard count <= 15, count > 0 else { return nil }
    func word(_ offset: Int) -> UInt64 {
      UInt64(littleEndian: start.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
    func half(_ offset: Int) -> UInt64 {
      UInt64(UInt32(littleEndian: start.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    }
    func byte(_ offset: Int) -> UInt64 { UInt64(start.load(fromByteOffset: offset, as: UInt8.self)) }
    second = 0
    if count >= 8 {
      first = word(0)
      // The last eight bytes without those that the first word has; all of them for eight.
      if count > 8 { second = word(count - 8) >> UInt64(8 * (16 - count)) }
    } else if count >= 4 {
      first = half(0) | half(count - 4) << UInt64(8 * (count - 4))
    } else {
      first = byte(0) | byte(count / 2) << UInt64(8 * (count / 2)) | byte(count - 1) << UInt64(8 * (count - 1))
    }
    guard (first | second) & Self.highBits == 0 else { return nil }
    second |= (Self.shortASCII | UInt64(count)) << 56
  }

  /// Whether the bytes lie in the words themselves.
  @inline(__always)
  var isShort: Bool { second & Self.short != 0 }

  /// Whether the string has no bytes.
  @inline(__always)
  var isEmpty: Bool { (isShort ? second >> 56 & 15 : first & 0xFFFF_FFFF_FFFF) == 0 }

  /// Whether the bytes lie in an object; false for an Optional that is nil.
  @inline(__always)
  var hasObject: Bool { !isShort && second != 0 }

  @inline(__always)
  var string: String { unsafeBitCast(self, to: String.self) }

  /// The bytes of the string at `memory`, where they lie; nil for a string whose bytes do not lie together, as those of
  /// NSString may not.
  @inline(__always)
  func bytes(at memory: UnsafeRawPointer) -> UnsafeBufferPointer<UInt8>? {
    if isShort {
      return UnsafeBufferPointer(start: memory.assumingMemoryBound(to: UInt8.self), count: Int(second >> 56 & 15))
    }
    guard second & Self.foreign == 0, first & Self.tailAllocated != 0 else { return nil }
    let address = UInt(second & 0x0FFF_FFFF_FFFF_FFFF) + 32
    return UnsafeBufferPointer(start: UnsafePointer(bitPattern: address), count: Int(first & 0xFFFF_FFFF_FFFF))
  }

  /// Whether strings are as this has them; a program in which they are not must not go on.
  static let areUnderstood: Bool = {
    guard MemoryLayout<String>.size == 16 else { return false }
    let none: String? = nil
    // An Optional has an address.
    guard withUnsafeBytes(of: none, { StringWords(at: $0.baseAddress!).second == 0 }) else { return false }
    let long = (0..<40).map { _ in "long" }.joined()
    for text in ["", "a", "abcdefg", "abcdefgh", "abcdefghijklmno", "é", "a string of thirty-two bytes, yes", long] {
      let isRead = withUnsafeBytes(of: text) { memory in
        // A String has an address.
        let words = StringWords(at: memory.baseAddress!)
        return words.bytes(at: memory.baseAddress!).map { $0.elementsEqual(text.utf8) } ?? false
      }
      let isMade = Array(text.utf8).withUnsafeBytes { bytes in
        bytes.baseAddress.flatMap { StringWords(ascii: $0, bytes.count) }.map { $0.string == text } ?? true
      }
      guard isRead, isMade else { return false }
    }
    return true
  }()
}
