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

  static func encode(_ bytes: [UInt8]) -> [UInt8] {
    let size = (bytes.count * 4 + 2) / 3
    return [UInt8](unsafeUninitializedCapacity: size) { text, count in
      bytes.withUnsafeBufferPointer { bytes in
        alphabet.withUnsafeBufferPointer { alphabet in encode(bytes, alphabet, into: text) }
      }
      count = size
    }
  }

  private static func encode(
    _ bytes: UnsafeBufferPointer<UInt8>, _ alphabet: UnsafeBufferPointer<UInt8>,
    into text: UnsafeMutableBufferPointer<UInt8>
  ) {
    var end = 0
    func put(_ value: Int) {
      text[end] = alphabet[value & 63]
      end += 1
    }
    var index = 0
    while index + 2 < bytes.count {
      let group = Int(bytes[index]) << 16 | Int(bytes[index + 1]) << 8 | Int(bytes[index + 2])
      text[end] = alphabet[group >> 18]
      text[end + 1] = alphabet[group >> 12 & 63]
      text[end + 2] = alphabet[group >> 6 & 63]
      text[end + 3] = alphabet[group & 63]
      end += 4
      index += 3
    }
    switch bytes.count - index {
    case 1:
      let group = Int(bytes[index]) << 4
      put(group >> 6)
      put(group)
    case 2:
      let group = (Int(bytes[index]) << 8 | Int(bytes[index + 1])) << 2
      put(group >> 12)
      put(group >> 6)
      put(group)
    default: break
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
