// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TaxonTransport

/// How a client's protocol is told from what it sends first.
struct FirstBytesTests {
  static let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

  /// What is known after all of the text, a byte a time, and how many bytes that took.
  private func verdict(_ text: [UInt8]) -> (FirstBytes.Verdict?, Int) {
    var first = FirstBytes()
    for (index, byte) in text.enumerated() {
      if let verdict = withUnsafeBytes(of: byte, { first.receive($0) }) { return (verdict, index + 1) }
    }
    return (nil, text.count)
  }

  @Test func thePrefaceIsHTTP2AtItsLastByte() {
    #expect(verdict(Array(Self.preface.utf8)) == (.http2, 24))
    #expect(verdict(Array(Self.preface.utf8.dropLast())) == (nil, 23))
  }

  @Test(arguments: ["POST / HTTP/1.1", "PUT / HTTP/1.1", "PATCH / HTTP/1.1", "PRI * HTTP/1.1", "GET /", "\r\nGET /"])
  func aRequestIsHTTP1AtTheFirstByteThatDiffers(_ text: String) {
    let (result, count) = verdict(Array(text.utf8))
    #expect(result == .http1)
    #expect(count == zip(text.utf8, Self.preface.utf8).prefix { $0 == $1 }.count + 1)
  }

  @Test func whatIsNoRequestIsToldFromOneAtOnce() {
    #expect(verdict([0x16, 3, 1]) == (.tls, 1))
    for byte: UInt8 in [0, 0x0A, 0x20, 0x7F, 0x80, 0xFF] { #expect(verdict([byte]) == (.unknown, 1)) }
  }
}
