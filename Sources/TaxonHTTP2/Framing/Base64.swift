// SPDX-License-Identifier: Apache-2.0

/// Base64 as the `-bin` headers of gRPC use it: written without padding, read with or without.
enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// The value of each character, 255 for what is none.
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: 255, count: 256)
    for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
    return values
  }()

  /// The two characters of each 12 bits, as they lie in memory.
  private static let pairs: [UInt16] = (0..<4096).map { bits in
    UInt16(littleEndian: UInt16(alphabet[bits >> 6]) | UInt16(alphabet[bits & 63]) << 8)
  }

  /// Characters that so many bytes take.
  static func encodedCount(_ count: Int) -> Int { (count * 4 + 2) / 3 }

  static func encode(_ bytes: [UInt8]) -> [UInt8] {
    let size = encodedCount(bytes.count)
    return [UInt8](unsafeUninitializedCapacity: size) { text, count in
      if let start = text.baseAddress { encode(bytes, into: start) }
      count = size
    }
  }

  /// Writes `encodedCount` characters.
  static func encode(_ bytes: [UInt8], into text: UnsafeMutablePointer<UInt8>) {
    bytes.withUnsafeBufferPointer { bytes in
      pairs.withUnsafeBufferPointer { pairs in
        guard let first = bytes.baseAddress, let pairs = pairs.baseAddress else { return }
        encode(first, bytes.count, pairs, into: text)
      }
    }
  }

  private static func encode(
    _ bytes: UnsafePointer<UInt8>, _ count: Int, _ pairs: UnsafePointer<UInt16>,
    into text: UnsafeMutablePointer<UInt8>
  ) {
    var (bytes, text) = (bytes, UnsafeMutableRawPointer(text))
    let end = bytes + count
    // Four bytes are read at once, of which three are used.
    while end - bytes >= 4 {
      let group = Int(UInt32(bigEndian: UnsafeRawPointer(bytes).loadUnaligned(as: UInt32.self)))
      text.storeBytes(of: pairs[group &>> 20], as: UInt16.self)
      text.storeBytes(of: pairs[group &>> 8 & 4095], toByteOffset: 2, as: UInt16.self)
      bytes += 3
      text += 4
    }
    while end - bytes > 0 {
      let rest = min(3, end - bytes)
      let group =
        Int(bytes[0]) << 16 | (rest > 1 ? Int(bytes[1]) << 8 : 0) | (rest > 2 ? Int(bytes[2]) : 0)
      for index in 0...rest {
        text.storeBytes(of: alphabet[group >> (18 - 6 * index) & 63], toByteOffset: index, as: UInt8.self)
      }
      bytes += rest
      text += rest + 1
    }
  }

  /// The bytes that the text stands for, or nil when it is no base64.
  static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count * 3 / 4)
    var group: UInt32 = 0
    var characters = 0
    var padding = 0
    for character in text {
      if character == UInt8(ascii: "=") {
        padding += 1
        continue
      }
      let value = values[Int(character)]
      guard value != 255, padding == 0 else { return nil }
      group = group << 6 | UInt32(value)
      characters += 1
      if characters % 4 == 0 {
        bytes.append(UInt8(truncatingIfNeeded: group >> 16))
        bytes.append(UInt8(truncatingIfNeeded: group >> 8))
        bytes.append(UInt8(truncatingIfNeeded: group))
        group = 0
      }
    }
    guard padding == 0 || (characters + padding) % 4 == 0 && padding <= 2 else { return nil }
    switch characters % 4 {
    case 0: break
    case 2: bytes.append(UInt8(truncatingIfNeeded: group >> 4))
    case 3:
      bytes.append(UInt8(truncatingIfNeeded: group >> 10))
      bytes.append(UInt8(truncatingIfNeeded: group >> 2))
    default: return nil
    }
    return bytes
  }
}
