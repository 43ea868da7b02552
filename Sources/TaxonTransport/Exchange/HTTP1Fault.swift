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
  static func isToken(_ byte: UInt8) -> Bool {
    byte < 64 ? lowTokens >> UInt64(byte) & 1 == 1 : byte < 128 && highTokens >> UInt64(byte - 64) & 1 == 1
  }

  /// What the value of a field may have: everything but controls, of which a tab is none (RFC 9110 §5.5).
  static func isValue(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7F || byte == 0x09 }

  /// The visible characters of ASCII.
  static func isVisible(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7F }

  /// The digit's value; nil for what is no hexadecimal digit.
  static func hexadecimal(_ byte: UInt8) -> UInt64? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }

  private static let (lowTokens, highTokens): (UInt64, UInt64) = {
    var sets: (UInt64, UInt64) = (0, 0)
    let tokens: StaticString = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    for index in 0..<tokens.utf8CodeUnitCount {
      let byte = tokens.utf8Start[index]
      if byte < 64 { sets.0 |= 1 << UInt64(byte) } else { sets.1 |= 1 << UInt64(byte - 64) }
    }
    return sets
  }()
}

extension UnsafeBufferPointer<UInt8> {
  /// Whether the bytes are those of the text.
  func equals(_ text: StaticString) -> Bool {
    count == text.utf8CodeUnitCount && elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: count))
  }
}
