// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TaxonTransport

/// Which raw bytes of HTTP/1.1 are taken, in whatever pieces they come.
struct HTTP1GuardTests {
  /// The size of the head, if it is complete, or the status of the refusal; fed in pieces of so many bytes.
  private func scan(_ text: String, by size: Int) -> Result<Int?, HTTP1Fault> {
    var guardian = HTTP1Guard()
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: size) {
      do throws(HTTP1Fault) {
        let piece = Array(bytes[start..<min(start + size, bytes.count)])
        let result = piece.withUnsafeBytes { bytes -> Result<Int?, HTTP1Fault> in
          do throws(HTTP1Fault) { return .success(try guardian.scan(bytes)) } catch { return .failure(error) }
        }
        if let count = try result.get() { return .success(start + count) }
      } catch {
        return .failure(error)
      }
    }
    return .success(nil)
  }

  @Test func aControlIsFoundAnywhereInALongValue() throws {
    for size in [15, 16, 17, 40] {
      for place in 0..<size {
        for byte: UInt8 in [0, 0x0B, 0x1F, 0x7F] {
          var value = [UInt8](repeating: 0xFF, count: size)
          value[place] = 0x09
          let head = Array("GET / HTTP/1.1\r\nHost: a\r\nX: ".utf8)
          var guardian = HTTP1Guard()
          let good = head + value + Array("\r\n\r\n".utf8)
          #expect(try good.withUnsafeBytes { try guardian.scan($0) } == good.count)
          value[place] = byte
          guardian = HTTP1Guard()
          #expect(throws: HTTP1Fault.malformed("A field has a control character")) {
            try (head + value + Array("\r\n\r\n".utf8)).withUnsafeBytes { try guardian.scan($0) }
          }
        }
      }
    }
  }

  @Test(arguments: [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /a?b=%20 HTTP/1.0\r\n\r\n",
    "\r\nGET / HTTP/1.1\r\nA:\r\nB: \t c \u{e9}\r\n\r\n",
    "M-SEARCH * HTTP/1.1\r\n!#$%&'*+-.^_`|~: x\r\n\r\n",
  ])
  func aWellFormedHeadEndsWithItsEmptyLine(_ text: String) {
    for size in [1, 2, 7, 1000] { #expect(scan(text + "GET", by: size) == .success(text.utf8.count)) }
  }

  @Test(arguments: [
    ("bare LF", "GET / HTTP/1.1\nHost: a\n\n"), ("bare LF behind a field", "GET / HTTP/1.1\r\nHost: a\n\r\n"),
    ("bare LF at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n"), ("bare CR", "GET / HTTP/1.1\r\nA: b\rc\r\n\r\n"),
    ("bare CR in the request line", "GET /\r HTTP/1.1\r\n\r\n"), ("NUL in a value", "GET / HTTP/1.1\r\nA: \0\r\n\r\n"),
    ("NUL in a name", "GET / HTTP/1.1\r\nA\0: b\r\n\r\n"), ("obs-fold", "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n"),
    ("obs-fold by a tab", "GET / HTTP/1.1\r\nA: b\r\n\tc\r\n\r\n"), ("a space before all", " GET / HTTP/1.1\r\n\r\n"),
    ("a space before the first field", "GET / HTTP/1.1\r\n A: b\r\n\r\n"),
    ("a space before the colon", "GET / HTTP/1.1\r\nA : b\r\n\r\n"), ("no colon", "GET / HTTP/1.1\r\nA\r\n\r\n"),
    ("no name", "GET / HTTP/1.1\r\n: b\r\n\r\n"), ("two spaces", "GET  / HTTP/1.1\r\n\r\n"),
    ("a tab in the request line", "GET\t/ HTTP/1.1\r\n\r\n"), ("no version", "GET /\r\n\r\n"),
    ("a space behind the version", "GET / HTTP/1.1 \r\n\r\n"),
    ("a control in the target", "GET /\u{1} HTTP/1.1\r\n\r\n"),
    ("DEL in a value", "GET / HTTP/1.1\r\nA: \u{7f}\r\n\r\n"),
    ("no ASCII in the target", "GET /\u{e9} HTTP/1.1\r\n\r\n"),
    ("another protocol", "GET / HTTQ/1.1\r\n\r\n"), ("two empty lines", "\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
    ("no ASCII in a name", "GET / HTTP/1.1\r\n\u{e9}: b\r\n\r\n"),
  ])
  func whatTwoReadersMayReadDifferentlyIsRefused(_ name: String, _ text: String) {
    for size in [1, 2, 7, 1000] {
      guard case .failure(let fault) = scan(text, by: size) else {
        Issue.record("\(name) is taken, in pieces of \(size) bytes")
        continue
      }
      #expect(fault.status == 400)
    }
  }

  @Test(arguments: ["HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "HTTP/1.9"]) func otherVersionsAreNotSupported(
    _ version: String
  ) {
    #expect(throws: HTTP1Fault(505, "The server speaks HTTP/1.1 and HTTP/2")) {
      try scan("GET / \(version)\r\n\r\n", by: 1).get()
    }
  }

  /// Bytes handed on and bytes of data, or the refusal.
  private func chunks(_ text: String, by size: Int, limit: Int = .max) throws(HTTP1Fault) -> (
    count: Int, data: Int, isEnd: Bool
  ) {
    var chunks = ChunkGuard(trailersLimit: 100)
    let bytes = Array(text.utf8)
    var sum = (count: 0, data: 0, isEnd: false)
    for start in stride(from: 0, to: bytes.count, by: size) {
      let piece = Array(bytes[start..<min(start + size, bytes.count)])
      let result = piece.withUnsafeBytes { bytes -> Result<(count: Int, data: Int, isEnd: Bool), HTTP1Fault> in
        do throws(HTTP1Fault) {
          return .success(try chunks.scan(bytes, limit: limit - sum.data))
        } catch {
          return .failure(error)
        }
      }
      let (count, data, isEnd) = try result.get()
      sum = (sum.count + count, sum.data + data, isEnd)
      if isEnd || count < piece.count { break }
    }
    return sum
  }

  @Test(arguments: [
    "0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "A;x=\"y\"\r\n0123456789\r\n000\r\nA: b\r\n\r\n",
    "1\r\na\r\n01\r\nb\r\n0\r\n\r\n",
  ])
  func aChunkedBodyEndsWithItsTrailers(_ text: String) throws {
    for size in [1, 2, 7, 1000] {
      let (count, _, isEnd) = try chunks(text + "GET", by: size)
      #expect(isEnd)
      #expect(count == text.utf8.count)
    }
  }

  @Test func noMoreDataThanThereIsRoomForIsHandedOn() throws {
    let (count, data, isEnd) = try chunks("5\r\nhello\r\n0\r\n\r\n", by: 1000, limit: 3)
    #expect((count, data, isEnd) == (6, 3, false))
  }

  @Test(arguments: [
    "\r\n", "x\r\n", "-1\r\n", "0x5\r\n", "5 \r\nhello\r\n", " 5\r\nhello\r\n", "5\nhello\r\n", "5\r\nhello\n0\r\n\r\n",
    "5\r\nhelloX", "5\r\nhello\rX", "1000000000000000\r\n", "5;a\nb\r\n", "5\rX", "0\r\n A: b\r\n\r\n",
    "0\r\nA b\r\n\r\n",
    "0\r\n\n", "0\r\nA : b\r\n\r\n", "5;a\0\r\n",
  ])
  func aChunkThatTwoReadersMayReadDifferentlyIsRefused(_ text: String) {
    for size in [1, 2, 7, 1000] { #expect(throws: HTTP1Fault.self) { try chunks(text, by: size) } }
  }

  @Test func extensionsAndTrailersAreLimited() throws {
    let limit = ChunkGuard.maxExtension
    #expect(try chunks("1;\(String(repeating: "x", count: limit - 1))\r\na\r\n0\r\n\r\n", by: 1).isEnd)
    #expect(throws: HTTP1Fault.self) {
      try chunks("1;\(String(repeating: "x", count: limit))\r\na\r\n0\r\n\r\n", by: 1)
    }
    do {
      _ = try chunks("0\r\nA: \(String(repeating: "x", count: 100))\r\n\r\n", by: 1)
      Issue.record("the trailers are taken")
    } catch {
      #expect(error.status == 431)
    }
  }
}
