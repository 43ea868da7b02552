// SPDX-License-Identifier: Apache-2.0

/// Base64 (RFC 4648 §4), several characters at a time: with padding in JSON, without in headers of gRPC. Read with or
/// without padding, and base64url (§5) too.
package enum Base64 {
  private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

  /// The two characters of each twelve bits, the first in the low byte.
  // nonisolated(unsafe): filled once, then only read. Never freed.
  private nonisolated(unsafe) static let pairs: UnsafePointer<UInt16> = {
    let table = UnsafeMutablePointer<UInt16>.allocate(capacity: 4096)
    for index in 0..<4096 {
      let first = UInt16(alphabet.utf8Start[index >> 6])
      let second = UInt16(alphabet.utf8Start[index & 63])
      (table + index).initialize(to: UInt16(littleEndian: first | second << 8))
    }
    return UnsafePointer(table)
  }()

  /// The value of each character, for each of four places, shifted to that place in the group; all ones for other
  /// characters. The characters of base64url have the values of those that they replace.
  // nonisolated(unsafe): filled once, then only read. Never freed.
  private nonisolated(unsafe) static let values: UnsafePointer<UInt32> = {
    let table = UnsafeMutablePointer<UInt32>.allocate(capacity: 4 * 256)
    table.initialize(repeating: invalid, count: 4 * 256)
    for place in 0..<4 {
      let shift = UInt32(18 - 6 * place)
      for value in 0..<64 { table[place << 8 | Int(alphabet.utf8Start[value])] = UInt32(value) << shift }
      table[place << 8 | Int(UInt8(ascii: "-"))] = 62 << shift
      table[place << 8 | Int(UInt8(ascii: "_"))] = 63 << shift
    }
    return UnsafePointer(table)
  }()

  private static var invalid: UInt32 { .max }

  /// How many characters encode `byteCount` bytes.
  package static func encodedCount(_ byteCount: Int, isPadded: Bool) -> Int {
    isPadded ? (byteCount + 2) / 3 * 4 : (byteCount * 4 + 2) / 3
  }

  /// The characters that encode the bytes.
  package static func encode(_ bytes: [UInt8], isPadded: Bool) -> [UInt8] {
    let size = encodedCount(bytes.count, isPadded: isPadded)
    return [UInt8](unsafeUninitializedCapacity: size) { text, count in
      if let start = text.baseAddress { bytes.withUnsafeBufferPointer { encode($0, isPadded: isPadded, to: start) } }
      count = size
    }
  }

  /// Writes `encodedCount` characters.
  package static func encode(
    _ bytes: UnsafeBufferPointer<UInt8>, isPadded: Bool, to output: UnsafeMutablePointer<UInt8>
  ) {
    guard let start = bytes.baseAddress else { return }
    let pairs = pairs
    let source = UnsafeRawPointer(start)
    var target = UnsafeMutableRawPointer(output)
    var offset = 0
    // Six bytes at a time, out of a word of eight.
    while bytes.count - offset >= 8 {
      let word = UInt64(bigEndian: source.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      target.storeBytes(of: pairs[Int(word >> 52)], as: UInt16.self)
      target.storeBytes(of: pairs[Int(word >> 40 & 4095)], toByteOffset: 2, as: UInt16.self)
      target.storeBytes(of: pairs[Int(word >> 28 & 4095)], toByteOffset: 4, as: UInt16.self)
      target.storeBytes(of: pairs[Int(word >> 16 & 4095)], toByteOffset: 6, as: UInt16.self)
      target += 8
      offset += 6
    }
    while offset < bytes.count {
      let left = min(bytes.count - offset, 3)
      var group: Int = 0
      for index in 0..<3 { group = group << 8 | (index < left ? Int(start[offset + index]) : 0) }
      target.storeBytes(of: pairs[group >> 12], as: UInt16.self)
      switch left {
      case 3: target.storeBytes(of: pairs[group & 4095], toByteOffset: 2, as: UInt16.self)
      case 2:
        // In memory the first character comes first.
        target.storeBytes(
          of: UInt8(truncatingIfNeeded: UInt16(littleEndian: pairs[group & 4095])), toByteOffset: 2, as: UInt8.self)
      default: break
      }
      if isPadded, left < 3 {
        for index in (left + 1)..<4 { target.storeBytes(of: UInt8(ascii: "="), toByteOffset: index, as: UInt8.self) }
      }
      target += 4
      offset += 3
    }
  }

  /// The bytes that a text stands for, or nil when it is not base64.
  package static func decode(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    guard let text = unpadded(text) else { return nil }
    var isValid = true
    let bytes = [UInt8](unsafeUninitializedCapacity: decodedCount(text.count)) { bytes, count in
      if let start = bytes.baseAddress { isValid = decode(text, to: start) }
      count = isValid ? decodedCount(text.count) : 0
    }
    return isValid ? bytes : nil
  }

  /// The text without its padding, which may be left out; nil when padding or length are invalid.
  static func unpadded(_ text: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8>? {
    var count = text.count
    if count > 0, count % 4 == 0, text[count - 1] == UInt8(ascii: "=") {
      count -= text[count - 2] == UInt8(ascii: "=") ? 2 : 1
    }
    return count % 4 == 1 ? nil : UnsafeBufferPointer(rebasing: text[..<count])
  }

  /// How many bytes a text without padding stands for.
  static func decodedCount(_ characterCount: Int) -> Int { characterCount / 4 * 3 + characterCount % 4 * 3 / 4 }

  /// Writes `decodedCount` bytes. Returns false for a character that belongs to neither base64 nor base64url.
  static func decode(_ text: UnsafeBufferPointer<UInt8>, to output: UnsafeMutablePointer<UInt8>) -> Bool {
    guard var source = text.baseAddress else { return true }
    let values = values
    var target = output
    let whole = source + text.count / 4 * 4
    let last = text.count % 4
    // Eight characters are six bytes, which are stored as eight while there is room for that.
    while whole - source >= 12 {
      let word = UInt64(littleEndian: UnsafeRawPointer(source).loadUnaligned(as: UInt64.self))
      let first =
        values[Int(word & 255)] | values[256 | Int(word >> 8 & 255)] | values[512 | Int(word >> 16 & 255)]
        | values[768 | Int(word >> 24 & 255)]
      let second =
        values[Int(word >> 32 & 255)] | values[256 | Int(word >> 40 & 255)] | values[512 | Int(word >> 48 & 255)]
        | values[768 | Int(word >> 56)]
      guard first | second < 1 << 24 else { return false }
      let bytes = UInt64(first) << 40 | UInt64(second) << 16
      UnsafeMutableRawPointer(target).storeBytes(of: bytes.bigEndian, as: UInt64.self)
      source += 8
      target += 6
    }
    while source < whole {
      let group =
        values[Int(source[0])] | values[256 | Int(source[1])] | values[512 | Int(source[2])]
        | values[768 | Int(source[3])]
      guard group < 1 << 24 else { return false }
      target[0] = UInt8(truncatingIfNeeded: group >> 16)
      target[1] = UInt8(truncatingIfNeeded: group >> 8)
      target[2] = UInt8(truncatingIfNeeded: group)
      source += 4
      target += 3
    }
    guard last > 0 else { return true }
    var group = values[Int(source[0])] | values[256 | Int(source[1])]
    if last == 3 { group |= values[512 | Int(source[2])] }
    guard group < 1 << 24 else { return false }
    target[0] = UInt8(truncatingIfNeeded: group >> 16)
    if last == 3 { target[1] = UInt8(truncatingIfNeeded: group >> 8) }
    return true
  }
}
