// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TaxonTransport

/// What a session does about frames that nghttp2 would skip in silence, however the bytes come.
@Suite struct FrameScannerTests {
  private let fields = [(":method", "POST"), (":scheme", "http"), (":path", "/a/B"), (":authority", "x")]

  private func head(_ stream: Int, endStream: Bool = false) -> [UInt8] {
    ScriptedPeer.headers(stream, fields, endStream: endStream)
  }

  /// Says the bytes to a scanner in pieces of a size; the error's code and how many bytes came before the frame, nil when
  /// there is no violation.
  private func scan(_ bytes: [UInt8], pieces size: Int) -> (code: HTTP2ErrorCode, offset: Int)? {
    var scanner = FrameScanner(role: .server)
    let bytes = ScriptedPeer.preface + ScriptedPeer.emptySettings + bytes
    for start in stride(from: 0, to: bytes.count, by: size) {
      let found = bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { piece -> FrameScanner.Violation? in
        do throws(FrameScanner.Violation) { try scanner.scan(piece) } catch { return error }
        return nil
      }
      if let found { return (found.code, start + found.offset - ScriptedPeer.preface.count - 9) }
    }
    return nil
  }

  private static let violations: [(name: String, before: [UInt8], frame: [UInt8], code: HTTP2ErrorCode)] = {
    let tests = FrameScannerTests()
    let dependent = ScriptedPeer.frame(type: 2, flags: 0, stream: 3, [128, 0, 0, 3, 9])
    return [
      ("DATA after END_STREAM", tests.head(1, endStream: true), ScriptedPeer.data(1, [1, 2, 3]), .streamClosed),
      (
        "empty DATA after DATA with END_STREAM", tests.head(1) + ScriptedPeer.data(1, [1], endStream: true),
        ScriptedPeer.data(1, []), .streamClosed
      ),
      (
        "DATA after RST_STREAM", tests.head(1) + ScriptedPeer.reset(1, code: 8), ScriptedPeer.data(1, []), .streamClosed
      ),
      ("HEADERS after RST_STREAM", tests.head(1) + ScriptedPeer.reset(1, code: 8), tests.head(1), .streamClosed),
      (
        "DATA on an older stream", tests.head(1, endStream: true) + tests.head(301), ScriptedPeer.data(1, []),
        .noError
      ),
      ("HEADERS on a skipped stream", tests.head(5), tests.head(3), .protocolError),
      (
        "PRIORITY on stream 0", tests.head(1), ScriptedPeer.frame(type: 2, flags: 0, stream: 0, [0, 0, 0, 1, 9]),
        .protocolError
      ),
      ("PRIORITY that depends on itself", tests.head(1), dependent, .protocolError),
      ("PRIORITY", tests.head(1), ScriptedPeer.frame(type: 2, flags: 0, stream: 3, [0, 0, 0, 1, 9]), .noError),
      ("RST_STREAM after the end", tests.head(1, endStream: true), ScriptedPeer.reset(1, code: 8), .noError),
      (
        "WINDOW_UPDATE after the end", tests.head(1, endStream: true),
        ScriptedPeer.frame(type: 8, flags: 0, stream: 1, [0, 0, 0, 1]), .noError
      ),
      (
        "DATA within a header block, which nghttp2 finds", ScriptedPeer.frame(type: 1, flags: 1, stream: 1, []),
        ScriptedPeer.data(1, [1]), .noError
      ),
      (
        "HEADERS after CONTINUATION",
        ScriptedPeer.frame(type: 1, flags: 1, stream: 1, []) + ScriptedPeer.frame(type: 9, flags: 4, stream: 1, []),
        tests.head(1), .streamClosed
      ),
      ("trailers", tests.head(1) + ScriptedPeer.data(1, [1]), tests.head(1, endStream: true), .noError),
    ]
  }()

  /// `noError` says that the frame is let pass.
  @Test(arguments: 0..<violations.count)
  func framesAreLookedAtHoweverTheyCome(index: Int) {
    let (name, before, frame, code) = Self.violations[index]
    // What comes behind must be understood as well.
    let bytes = before + frame + head(401) + ScriptedPeer.data(401, [UInt8](repeating: 7, count: 300))
    for size in [1, 2, 3, 5, 7, 8, 9, 10, 11, 13, 40, 1000] {
      let found = scan(bytes, pieces: size)
      #expect(found?.code ?? .noError == code, "\(name) in pieces of \(size)")
      guard let found else { continue }
      // Never behind the frame, and not before it when it came in one piece.
      #expect(found.offset < before.count + frame.count)
      if size == 1000, found.code == .streamClosed { #expect(found.offset == before.count) }
    }
  }

  @Test func aPeerThatGoesOnAfterItsEndIsToldSo() throws {
    for frame in [head(1), ScriptedPeer.data(1, [1, 2, 3])] {
      for end in [ScriptedPeer.data(1, [], endStream: true), ScriptedPeer.reset(1, code: 8)] {
        let (codes, error) = try replies(to: [head(1) + end, frame])
        #expect(codes == [HTTP2ErrorCode.streamClosed.rawValue])
        #expect(error != nil)
      }
    }
  }

  @Test func aPeerMayNotKnowThatAStreamWasReset() throws {
    // A window over 2^31-1 makes the session reset the stream; the peer's DATA was on its way then.
    let fault = ScriptedPeer.frame(type: 8, flags: 0, stream: 1, [127, 255, 255, 255])
    let (codes, error) = try replies(to: [head(1) + fault, ScriptedPeer.data(1, [1, 2, 3]), head(3)])
    #expect(codes.isEmpty)
    #expect(error == nil)
  }

  /// The error codes of the GOAWAYs that a session sends, and what it throws.
  private func replies(to reads: [[UInt8]]) throws -> (codes: [UInt32], error: HTTP2Error?) {
    let session = try HTTP2Session(role: .server, configuration: HTTP2Configuration())
    let delegate = FloodDialogueTests.Refuser()
    session.delegate = delegate
    let peer = ScriptedPeer()
    var codes: [UInt32] = []
    var failure: HTTP2Error?
    for read in [ScriptedPeer.preface + ScriptedPeer.emptySettings] + reads {
      do {
        try read.withUnsafeBytes { try session.receive($0) }
      } catch let error as HTTP2Error {
        failure = error
      }
      var output: [UInt8] = []
      try session.drain { bytes in
        output += Array(bytes)
        return true
      }
      for case .goAway(_, let code) in peer.parse(output) { codes.append(UInt32(code)) }
    }
    return (codes, failure)
  }
}
