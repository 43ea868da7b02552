// SPDX-License-Identifier: Apache-2.0

/// The percent-encoding of `grpc-message` (gRPC over HTTP/2, "Percent-Encoded"): bytes of the UTF-8 text from space
/// to `~` stay, but for `%`, and for a space at either end, which a header's value must not have; every other byte
/// becomes `%XX`.
public enum GRPCMessage {
  /// The header's value for a text; the text itself where nothing needs encoding.
  public static func encode(_ text: String) -> String {
    let size = encodedCount(text)
    guard size > text.utf8.count else { return text }
    return String(unsafeUninitializedCapacity: size) { buffer in
      encode(text, into: UnsafeMutableBufferPointer(rebasing: buffer[..<size]))
      return size
    }
  }

  /// Writes the header's value for a text into memory of `encodedCount` bytes.
  package static func encode(_ text: String, into target: UnsafeMutableBufferPointer<UInt8>) {
    var text = text
    text.withUTF8 { bytes in
      // Nothing needs encoding.
      if bytes.count == target.count {
        _ = target.initialize(from: bytes)
        return
      }
      var end = 0
      for (index, byte) in bytes.enumerated() {
        if isPlain(byte), byte != 0x20 || index > 0 && index < bytes.count - 1 {
          target[end] = byte
          end += 1
        } else {
          target[end] = 0x25
          target[end + 1] = hexDigit(byte >> 4)
          target[end + 2] = hexDigit(byte & 0xF)
          end += 3
        }
      }
    }
  }

  /// The text of a header's value. Never fails: what is not a valid escape stays as it is, and bytes that are not UTF-8
  /// become U+FFFD, as the document asks of receivers.
  public static func decode(_ value: some Sequence<UInt8>) -> String {
    let bytes = Array(value)
    guard bytes.contains(0x25) else { return String(decoding: bytes, as: UTF8.self) }
    var decoded: [UInt8] = []
    decoded.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      if bytes[index] == 0x25, index + 2 < bytes.count,
        let high = hexValue(bytes[index + 1]), let low = hexValue(bytes[index + 2])
      {
        decoded.append(high << 4 | low)
        index += 3
      } else {
        decoded.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: decoded, as: UTF8.self)
  }

  /// Bytes that the text takes once it is encoded.
  package static func encodedCount(_ text: String) -> Int {
    var text = text
    return text.withUTF8 { bytes in
      var count = bytes.count
      var index = 0
      // Eight at a time, as long as all of them are plain.
      while let next = eight(bytes, from: index), isPlain(next) { index += 8 }
      while index < bytes.count {
        count &+= isPlain(bytes[index]) ? 0 : 2
        index += 1
      }
      if bytes.first == 0x20 { count += 2 }
      if bytes.count > 1, bytes.last == 0x20 { count += 2 }
      return count
    }
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte <= 0x7E && byte != 0x25
  }

  private static func eight(_ bytes: UnsafeBufferPointer<UInt8>, from index: Int) -> UInt64? {
    guard bytes.count - index >= 8, let start = bytes.baseAddress else { return nil }
    return UnsafeRawPointer(start + index).loadUnaligned(as: UInt64.self)
  }

  /// Whether each of the eight bytes is plain. Borrows and carries go into bytes beside one that is not, and do no harm.
  private static func isPlain(_ bytes: UInt64) -> Bool {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let percents = bytes ^ (0x25 &* ones)
    let isControl = (bytes &- 0x20 &* ones) & ~bytes
    let isPercent = (percents &- ones) & ~percents
    let isAbove = bytes &+ ones | bytes
    return (isControl | isPercent | isAbove) & (0x80 &* ones) == 0
  }

  private static func hexDigit(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? 0x30 + nibble : 0x41 + nibble - 10
  }

  private static func hexValue(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x41...0x46: digit - 0x41 + 10
    case 0x61...0x66: digit - 0x61 + 10
    default: nil
    }
  }
}
