// SPDX-License-Identifier: Apache-2.0

/// What is wrong with a request of HTTP/1.1: it is answered with the status and the reason, and the connection ends, since
/// nobody knows where the next request begins.
package struct HTTP1Fault: Error, Hashable, CustomStringConvertible {
  /// The HTTP status, 400 and up.
  package let status: Int
  /// Why, for the client.
  package let reason: String
  /// The limit that was reached, by the name under which it is counted; nil when the request is malformed.
  package let limit: String?

  init(_ status: Int, _ reason: String, limit: String? = nil) {
    self.status = status
    self.reason = reason
    self.limit = limit
  }

  static func malformed(_ reason: String) -> HTTP1Fault { HTTP1Fault(400, reason) }

  /// Status and reason, for the log.
  package var description: String { "HTTP/1.1: \(reason) (answered \(status))" }
}

/// Classes of bytes in HTTP (RFC 9110 §5.6.2, RFC 9112).
enum HTTP1Bytes {
  /// The bytes of a method and of the name of a field (tchar).
  static func isToken(_ byte: UInt8) -> Bool { isIn(tokens, byte) }

  /// What the grammar of a host and a port has (RFC 3986 §3.2.2), without the comma, by which proxies join fields.
  static func isHost(_ byte: UInt8) -> Bool { isIn(hosts, byte) }

  /// What the value of a field may have: everything but controls, of which a tab is none (RFC 9110 §5.5).
  static func isValue(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7F || byte == 0x09 }

  /// Where the first byte is that the value of a field may not have.
  static func endOfValue(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
    var index = start
    // Eight at a time: the highest bit of a byte becomes 1 where it was below 0x20, or 0x7F.
    let (ones, highest): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
    while index + 8 <= bytes.count {
      let piece = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      let deletes = piece ^ (0x7F &* ones)
      guard ((piece &- 0x20 &* ones) & ~piece | (deletes &- ones) & ~deletes) & highest == 0 else { break }
      index += 8
    }
    while index < bytes.count, isValue(bytes[index]) { index += 1 }
    return index
  }

  /// The visible characters of ASCII.
  static func isVisible(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7F }

  /// The byte, a letter of ASCII in lower case.
  static func lower(_ byte: UInt8) -> UInt8 {
    byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
  }

  /// The digit's value; nil for what is no hexadecimal digit.
  static func hexadecimal(_ byte: UInt8) -> UInt64? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }

  /// Bits of the bytes below 64 and below 128; literal, so that nothing has to be made at the first use.
  private static let tokens: (UInt64, UInt64) = (0x03FF_6CFA_0000_0000, 0x57FF_FFFF_C7FF_FFFE)
  private static let hosts: (UInt64, UInt64) = (0x2FFF_6FF2_0000_0000, 0x47FF_FFFE_AFFF_FFFE)

  @inline(__always)
  private static func isIn(_ bits: (UInt64, UInt64), _ byte: UInt8) -> Bool {
    byte < 128 && (byte < 64 ? bits.0 : bits.1) &>> UInt64(byte & 63) & 1 == 1
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// Whether the bytes are those of the text.
  func equals(_ text: StaticString) -> Bool {
    count == text.utf8CodeUnitCount && elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: count))
  }

  /// Whether the bytes are those of the text, which is in lower case, in any case.
  func isField(_ text: StaticString) -> Bool {
    guard count == text.utf8CodeUnitCount else { return false }
    for index in 0..<count where HTTP1Bytes.lower(self[index]) != text.utf8Start[index] { return false }
    return true
  }
}
