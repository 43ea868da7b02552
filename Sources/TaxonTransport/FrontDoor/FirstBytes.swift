// SPDX-License-Identifier: Apache-2.0

/// Tells from the first bytes of a connection without TLS what the client speaks. No I/O.
///
/// HTTP/2 with prior knowledge begins with a preface that no request of HTTP/1.1 can begin with (RFC 9113 §3.4); the first
/// byte that differs from it decides.
struct FirstBytes {
  /// What a client speaks.
  enum Verdict: Equatable {
    /// HTTP/2.
    case http2
    /// HTTP/1.1, or what has to be answered as such.
    case http1
    /// TLS, where none is spoken.
    case tls
    /// Nothing that could be a request.
    case unknown
  }

  private static let preface: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
  private var matched = 0

  /// Looks at bytes in the order in which they come; nil: those that came could be either.
  mutating func receive(_ bytes: UnsafeRawBufferPointer) -> Verdict? {
    for byte in bytes {
      if byte != Self.preface.utf8Start[matched] {
        // What begins as the preface does begins as a request of HTTP/1.1 can: POST, PUT, PATCH.
        return matched > 0 ? .http1 : Self.verdict(byte)
      }
      matched += 1
      if matched == Self.preface.utf8CodeUnitCount { return .http2 }
    }
    return nil
  }

  private static func verdict(_ byte: UInt8) -> Verdict {
    // A record of TLS's handshake (RFC 8446 §5.1).
    if byte == 0x16 { return .tls }
    // An empty line may come before a request (RFC 9112 §2.2).
    return HTTP1Bytes.isToken(byte) || byte == UInt8(ascii: "\r") ? .http1 : .unknown
  }
}
