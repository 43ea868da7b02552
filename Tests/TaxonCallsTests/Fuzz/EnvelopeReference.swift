// SPDX-License-Identifier: Apache-2.0

/// Bodies, texts and queries as a plain reader reads them, who has all of them at once and is in no hurry.
enum EnvelopeReference {
  /// Frames of a body: a flag and a message each (gRPC over HTTP/2, "Length-Prefixed-Message").
  ///
  /// - Parameter maxFlag: A frame with a larger flag ends the list.
  static func frames(
    _ bytes: [UInt8], limit: Int, flags: (UInt8) -> Bool
  ) -> (list: [(flag: UInt8, message: [UInt8])], isFaulty: Bool, isCut: Bool) {
    var list: [(flag: UInt8, message: [UInt8])] = []
    var rest = bytes[...]
    while rest.count >= 5 {
      let prefix = Array(rest.prefix(5))
      let length = prefix[1...].reduce(0) { $0 << 8 | Int($1) }
      guard flags(prefix[0]), length <= limit else { return (list, true, false) }
      guard rest.count - 5 >= length else { break }
      list.append((prefix[0], Array(rest.dropFirst(5).prefix(length))))
      rest = rest.dropFirst(5 + length)
    }
    return (list, false, !rest.isEmpty)
  }

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// Base64 in groups of four characters, each of which may have padding (RFC 4648 §4, gRPC-Web): the bytes up to where it is none,
  /// or ends inside of a group.
  static func groups(_ text: [UInt8]) -> (bytes: [UInt8], isFaulty: Bool, isCut: Bool) {
    var bytes: [UInt8] = []
    var rest = text[...]
    while rest.count >= 4 {
      let group = Array(rest.prefix(4))
      rest = rest.dropFirst(4)
      let characters = group.last == 61 ? Array(group[..<(group[2] == 61 ? 2 : 3)]) : group
      guard let decoded = decode(characters, alphabet), encode(decoded) == group else { return (bytes, true, false) }
      bytes += decoded
    }
    return (bytes, false, !rest.isEmpty)
  }

  /// Base64 of either alphabet, with or without padding; nil when it is none.
  static func base64(_ text: [UInt8]) -> [UInt8]? {
    var text = text[...]
    if text.count % 4 == 0, text.last == 61 {
      text = text.dropLast()
      if text.last == 61 { text = text.dropLast() }
    }
    guard text.count % 4 != 1 else { return nil }
    return decode(text.map { $0 == 45 ? 43 : $0 == 95 ? 47 : $0 }, alphabet)
  }

  /// With padding.
  static func encode(_ bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start...].prefix(3)
      let bits = (Array(group) + [0, 0]).prefix(3).reduce(0) { $0 << 8 | Int($1) }
      for place in 0..<4 { text.append(place <= group.count ? alphabet[bits >> (18 - 6 * place) & 63] : 61) }
    }
    return text
  }

  private static func decode(_ text: [UInt8], _ alphabet: [UInt8]) -> [UInt8]? {
    var bits: [Bool] = []
    for character in text {
      guard let value = alphabet.firstIndex(of: character) else { return nil }
      for place in 0..<6 { bits.append(value >> (5 - place) & 1 == 1) }
    }
    return (0..<bits.count / 8).map { byte in bits[8 * byte..<8 * byte + 8].reduce(0) { $0 << 1 | ($1 ? 1 : 0) } }
  }

  /// The values of a query, decoded (WHATWG URL, application/x-www-form-urlencoded).
  static func query(_ target: [UInt8]) -> [(name: [UInt8], value: [UInt8])] {
    guard let mark = target.firstIndex(of: 63) else { return [] }
    return target[(mark + 1)...].split(separator: 38).map { item in
      let name = item.prefix { $0 != 61 }
      return (percentDecoded(name), percentDecoded(item.dropFirst(name.count + 1)))
    }
  }

  static func percentDecoded(_ text: ArraySlice<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    var index = text.startIndex
    while index < text.endIndex {
      let digits = text[(index + 1)...].prefix(2)
      if text[index] == 37, digits.count == 2,
        digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit && $0 < 128 }),
        let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        index += 3
      } else {
        bytes.append(text[index] == 43 ? 32 : text[index])
        index += 1
      }
    }
    return bytes
  }
}
