// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOEmbedded
import TaxonErrors
import Testing

@testable import TaxonCalls
@testable import TaxonTransport

/// Scripted dialogues with the server's side: frames in, frames out, no sockets.
@Suite struct ServerDialogueTests {
  final class Fixture: HTTP2SessionDelegate {
    let peer = ScriptedPeer()
    let router = EchoRouter()
    let loop = EmbeddedEventLoop()
    let session: HTTP2Session
    var limits = ServerCallLimits()

    init() throws {
      session = try HTTP2Session(role: .server, configuration: HTTP2Configuration())
      session.delegate = self
      _ = try say(ScriptedPeer.preface + ScriptedPeer.emptySettings)
    }

    func makeReceiver(for exchange: any HTTPExchange) -> (any HTTPExchangeReceiver)? {
      ServerStream(
        exchange,
        context: ServerStreamContext(executor: LoopExecutor(loop), peer: "test", router: router, limits: limits))
    }

    func receivedGoAway(lastStreamID: Int32, errorCode: UInt32, debugData: [UInt8]) {}
    func receivedSettings() {}
    func receivedPingAck(_ payload: UInt64) {}
    func streamClosed() {}

    /// Says the bytes and returns what the server says then, without SETTINGS, PING and WINDOW_UPDATE.
    func say(_ bytes: [UInt8]) throws -> [ScriptedPeer.Frame] {
      try bytes.withUnsafeBytes { try session.receive($0) }
      return try answer()
    }

    func answer() throws -> [ScriptedPeer.Frame] {
      var output: [UInt8] = []
      try session.drain { bytes in
        output += Array(bytes)
        return true
      }
      return peer.parse(output).filter { if case .other = $0 { false } else { true } }
    }

    func call(_ path: String = "/echo/Echo", _ more: [(String, String)] = [], endStream: Bool = false) -> [UInt8] {
      ScriptedPeer.headers(
        1,
        [
          (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"),
          ("content-type", "application/grpc"), ("te", "trailers"),
        ] + more, endStream: endStream)
    }
  }

  let head: [String] = [":status: 200", "content-type: application/grpc"]

  /// The fields behind the head of an error that is one frame.
  private func oneFrame(_ answer: [ScriptedPeer.Frame]) -> [String]? {
    guard case .headers(1, let fields, true)? = answer.first, fields.starts(with: head) else { return nil }
    return Array(fields.dropFirst(head.count))
  }

  /// The trailers of an error that is split.
  private func trailers(_ answer: [ScriptedPeer.Frame]) -> [String]? {
    guard answer.count > 1, answer[0] == .headers(stream: 1, head, endStream: false),
      case .headers(1, let fields, true) = answer[1]
    else { return nil }
    return fields
  }

  @Test func aUnaryCallIsAnsweredWithHeadMessageAndTrailers() throws {
    let fixture = try Fixture()
    let answer = try fixture.say(fixture.call() + ScriptedPeer.data(1, ScriptedPeer.message([7, 8]), endStream: true))
    #expect(
      answer == [
        .headers(stream: 1, head, endStream: false),
        .data(stream: 1, [0, 0, 0, 0, 2, 7, 8], endStream: false),
        .headers(stream: 1, ["grpc-status: 0", "x-echo: yes"], endStream: true),
      ])
    #expect(fixture.session.streams.isEmpty)
  }

  @Test func aMessageMayComeByteByByte() throws {
    let fixture = try Fixture()
    _ = try fixture.say(fixture.call())
    for byte in ScriptedPeer.message([1, 2, 3]) { #expect(try fixture.say(ScriptedPeer.data(1, [byte])) == []) }
    let answer = try fixture.say(ScriptedPeer.data(1, [], endStream: true))
    #expect(answer.contains(.data(stream: 1, [0, 0, 0, 0, 3, 1, 2, 3], endStream: false)))
  }

  @Test func anEmptyMessageIsAMessage() throws {
    let fixture = try Fixture()
    let answer = try fixture.say(fixture.call() + ScriptedPeer.data(1, ScriptedPeer.message([]), endStream: true))
    #expect(answer.contains(.data(stream: 1, [0, 0, 0, 0, 0], endStream: false)))
  }

  @Test(arguments: [
    ("a truncated message", [0, 0, 0, 0, 9, 1] as [UInt8], "13", "PROTOCOL_VIOLATION"),
    ("a truncated prefix", [0, 0, 0], "13", "PROTOCOL_VIOLATION"),
    ("no message", [], "12", "WRONG_MESSAGE_COUNT"),
    ("two messages", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "12", "WRONG_MESSAGE_COUNT"),
    ("a bad flag", [9, 0, 0, 0, 0], "13", "PROTOCOL_VIOLATION"),
    ("compression without an encoding", [1, 0, 0, 0, 0], "13", "PROTOCOL_VIOLATION"),
    ("a huge message", [0, 255, 255, 255, 255, 1], "8", "MESSAGE_TOO_LARGE"),
  ])
  func badBodiesAreAnswered(_ name: String, _ body: [UInt8], _ status: String, _ code: String) throws {
    let fixture = try Fixture()
    let answer = try fixture.say(fixture.call() + ScriptedPeer.data(1, body, endStream: true))
    // What Envoy would count against a server that is well comes as trailers.
    let fields = try #require(code == "MESSAGE_TOO_LARGE" ? oneFrame(answer) : trailers(answer), "\(name): \(answer)")
    #expect(fields.first == "grpc-status: \(status)", "\(name)")
    #expect(fixture.router.failures == [code], "\(name)")
    #expect(fixture.session.streams.isEmpty)
  }

  @Test func aTruncatedRequestIsToldWhereItEnds() throws {
    let fixture = try Fixture()
    let answer = try fixture.say(fixture.call() + ScriptedPeer.data(1, [0, 0, 0, 0, 9, 1], endStream: true))
    let fields = try #require(trailers(answer), "\(answer)")
    #expect(
      fields.contains("grpc-message: the request is truncated: it ended after 1 of the 9 bytes of message 1"))
  }

  @Test func aMessageIsTooLargeAlikeCompressedOrNot() throws {
    let large = [UInt8](repeating: 7, count: 101)
    let compressed = try large.withUnsafeBytes { try Compressor(.gzip).compress($0) { Array($0) } }
    for (bytes, flag) in [(large, UInt8(0)), (compressed, 1)] {
      let fixture = try Fixture()
      fixture.limits.maxMessageSize = 100
      let call = fixture.call("/echo/Echo", [("grpc-encoding", "gzip")])
      let answer = try fixture.say(
        call + ScriptedPeer.data(1, ScriptedPeer.message(bytes, flag: flag), endStream: true))
      guard case .headers(1, let fields, true)? = answer.first else {
        Issue.record("\(answer)")
        continue
      }
      #expect(fields.contains("grpc-status: 8"))
      #expect(fields.contains("grpc-message: Message of 101 bytes is larger than the limit of 100 bytes"))
      #expect(fixture.router.failures == ["MESSAGE_TOO_LARGE"])
      #expect(fixture.router.severities == [.warning])
    }
  }

  @Test func anUnknownMethodIsUnimplementedAndThePeerIsToldToStop() throws {
    let fixture = try Fixture()
    let answer = try fixture.say(fixture.call("/echo/None"))
    let fields = try #require(trailers(answer), "\(answer)")
    #expect(fields.starts(with: ["grpc-status: 12", "grpc-message: Method /echo/None is not implemented"]))
    #expect(answer.last == .reset(stream: 1, code: 0))
  }

  @Test func whatIsNoGRPCIsRejectedInHTTP() throws {
    let fixture = try Fixture()
    let get = ScriptedPeer.headers(
      1, [(":method", "GET"), (":scheme", "http"), (":path", "/echo/Echo"), (":authority", "test")], endStream: true)
    let post = ScriptedPeer.headers(
      3,
      [
        (":method", "POST"), (":scheme", "http"), (":path", "/echo/Echo"), (":authority", "test"),
        ("content-type", "text/plain"),
      ], endStream: true)
    let answer = try fixture.say(get + post)
    let heads = answer.compactMap { frame -> [String]? in
      if case .headers(_, let fields, false) = frame { fields } else { nil }
    }
    try #require(heads.count == 2 && answer.count == 4, "\(answer)")
    #expect(heads[0].starts(with: [":status: 405", "content-type: application/json"]))
    #expect(heads[0].contains("allow: POST"))
    #expect(heads[1].starts(with: [":status: 415", "content-type: application/json"]))
    #expect(heads[1].contains { $0.hasPrefix("accept-post: application/grpc, ") })
    #expect(fixture.session.streams.isEmpty)
  }

  @Test func theAnswerToHEADHasNoContent() throws {
    let fixture = try Fixture()
    let answer = try fixture.say(
      ScriptedPeer.headers(
        1, [(":method", "HEAD"), (":scheme", "http"), (":path", "/"), (":authority", "test")], endStream: true))
    guard case .headers(1, let fields, true)? = answer.first, answer.count == 1 else {
      Issue.record("\(answer)")
      return
    }
    #expect(fields.starts(with: [":status: 404"]))
  }

  /// A request that is not gRPC, and goes on after the answer.
  private func rejected(_ fixture: Fixture, _ more: [(String, String)] = []) throws {
    let fields = [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "test")] + more
    let answer = try fixture.say(ScriptedPeer.headers(1, fields))
    guard answer.count == 2, case .data(1, let text, true)? = answer.last else {
      Issue.record("\(answer)")
      return
    }
    #expect(String(decoding: text, as: UTF8.self).hasPrefix(#"{"error":"METHOD_NOT_FOUND","#))
  }

  @Test func aRejectedRequestMayEnd() throws {
    let fixture = try Fixture()
    try rejected(fixture)
    #expect(try fixture.say(ScriptedPeer.data(1, Array("test".utf8))) == [])
    #expect(try fixture.say(ScriptedPeer.data(1, Array("test".utf8), endStream: true)) == [])
    #expect(fixture.session.streams.isEmpty)
  }

  @Test func aRejectedRequestIsStillLookedAt() throws {
    let fixture = try Fixture()
    try rejected(fixture, [("content-length", "1")])
    #expect(try fixture.say(ScriptedPeer.data(1, Array("test".utf8))) == [.reset(stream: 1, code: 1)])
  }

  @Test func aRejectedRequestThatIsLargeIsStopped() throws {
    let fixture = try Fixture()
    try rejected(fixture)
    #expect(try fixture.say(ScriptedPeer.data(1, Array(repeating: 0, count: 16 * 1024))) == [])
    #expect(try fixture.say(ScriptedPeer.data(1, [0])) == [.reset(stream: 1, code: 0)])
    #expect(fixture.session.streams.isEmpty)
  }

  @Test func aRejectedRequestThatDoesNotEndIsStopped() throws {
    let fixture = try Fixture()
    try rejected(fixture)
    // The embedded loop's clock begins at zero.
    fixture.loop.advanceTime(to: .now() + .seconds(2))
    #expect(try fixture.answer() == [.reset(stream: 1, code: 0)])
    #expect(fixture.session.streams.isEmpty)
  }

  @Test func aBadTimeoutIsRefused() throws {
    let fixture = try Fixture()
    let answer = try fixture.say(fixture.call("/echo/Echo", [("grpc-timeout", "soon")]))
    #expect("\(answer)".contains("grpc-status: 13"))
    #expect("\(answer)".contains("is not 1 to 8 digits"))
  }

  @Test func anUnknownEncodingIsUnimplemented() throws {
    let fixture = try Fixture()
    let answer = try fixture.say(fixture.call("/echo/Echo", [("grpc-encoding", "br")]))
    #expect("\(answer)".contains("grpc-status: 12"))
  }

  @Test func headersOverTheLimitAreRefusedAndTheTableStaysInStep() throws {
    let fixture = try Fixture()
    fixture.limits.maxHeaderListSize = 400
    let answer = try fixture.say(fixture.call("/echo/Echo", [("x-big", String(repeating: "x", count: 300))]))
    #expect("\(answer)".contains("grpc-status: 8"))
    let next = try fixture.say(
      ScriptedPeer.headers(
        3,
        [
          (":method", "POST"), (":scheme", "http"), (":path", "/echo/Echo"), (":authority", "test"),
          ("content-type", "application/grpc"),
        ]) + ScriptedPeer.data(3, ScriptedPeer.message([1]), endStream: true))
    #expect(next.contains(.data(stream: 3, [0, 0, 0, 0, 1, 1], endStream: false)))
  }

  @Test func aResetCancelsTheCall() throws {
    let fixture = try Fixture()
    _ = try fixture.say(
      fixture.call("/echo/Wait") + ScriptedPeer.data(1, ScriptedPeer.message([]), endStream: true))
    #expect(fixture.session.streams.count == 1)
    _ = try fixture.say(ScriptedPeer.reset(1, code: 8))
    #expect(fixture.router.cancelled == 1)
    #expect(fixture.session.streams.isEmpty)
  }

  @Test func theDeadlineEndsTheCall() throws {
    let fixture = try Fixture()
    _ = try fixture.say(
      fixture.call("/echo/Wait", [("grpc-timeout", "20m")])
        + ScriptedPeer.data(1, ScriptedPeer.message([]), endStream: true))
    // The embedded loop's clock begins at zero, the deadline counts from now: go far.
    fixture.loop.advanceTime(to: .now() + .seconds(3600))
    let answer = try fixture.answer()
    #expect("\(answer)".contains("grpc-status: 4"))
    #expect(fixture.router.cancelled == 1)
    #expect(fixture.router.failures == ["DEADLINE_EXCEEDED"])
  }

  @Test func aLostConnectionCancelsTheCalls() throws {
    let fixture = try Fixture()
    _ = try fixture.say(
      fixture.call("/echo/Wait") + ScriptedPeer.data(1, ScriptedPeer.message([]), endStream: true))
    fixture.session.connectionLost()
    #expect(fixture.router.cancelled == 1)
    #expect(try fixture.answer() == [])
  }

  @Test func aGoAwayLetsCallsEndAndRefusesNewOnes() throws {
    let fixture = try Fixture()
    _ = try fixture.say(fixture.call())
    fixture.session.submitGoAway(errorCode: .noError)
    #expect(try fixture.answer() == [.goAway(last: 1, code: 0)])
    let answer = try fixture.say(ScriptedPeer.data(1, ScriptedPeer.message([5]), endStream: true))
    #expect(answer.contains(.data(stream: 1, [0, 0, 0, 0, 1, 5], endStream: false)))
    #expect(fixture.session.isFinished)
  }

  @Test func theObjectOfAStreamThatIsOverIsUsedAgainOnceItsCallHasLetGoOfIt() throws {
    let fixture = try Fixture()
    func stream(_ id: UInt8) throws -> HTTP2Stream {
      var bytes = fixture.call("/echo/Wait")
      bytes[8] = id
      _ = try fixture.say(bytes)
      return try #require(fixture.session.streams.first)
    }
    func identity(_ id: UInt8) throws -> ObjectIdentifier {
      defer { _ = try? fixture.say(ScriptedPeer.frame(type: 3, flags: 0, stream: Int(id), [0, 0, 0, 8])) }
      return ObjectIdentifier(try stream(id))
    }
    let first = try identity(1)
    #expect(try identity(3) == first)
    let kept = try stream(5)
    _ = try fixture.say(ScriptedPeer.frame(type: 3, flags: 0, stream: 5, [0, 0, 0, 8]))
    #expect(kept.receiver == nil)
    #expect(kept.session == nil)
    #expect(try identity(7) != ObjectIdentifier(kept))
  }

  @Test func trailersOfARequestAreNoMetadata() throws {
    let fixture = try Fixture()
    _ = try fixture.say(
      fixture.call("/echo/Wait", [("x-user", "ann")]) + ScriptedPeer.data(1, ScriptedPeer.message([])))
    let stream = try #require(fixture.session.streams.first?.receiver as? ServerStream)
    _ = try fixture.say(ScriptedPeer.headers(1, [("x-user", "root")], endStream: true))
    #expect(stream.head.metadata.values("x-user") == ["ann"])
  }

  @Test func whiteSpaceAroundAValueIsStripped() throws {
    let fixture = try Fixture()
    _ = try fixture.say(fixture.call("/echo/Wait", [("x-note", " hi\t")]))
    let stream = try #require(fixture.session.streams.first?.receiver as? ServerStream)
    #expect(stream.head.metadata["x-note"] == "hi")
  }

  @Test func aMessageThatIsTooLargeIsTheSameErrorWhetherItIsCompressedOrNot() throws {
    let fixture = try Fixture()
    fixture.limits.maxMessageSize = 1000
    var bomb: [UInt8] = []
    try [UInt8](repeating: 0, count: 100_000).withUnsafeBytes { zeros in
      try Compressor(.gzip).compress(zeros) { bomb = Array($0) }
    }
    let answer = try fixture.say(
      fixture.call("/echo/Echo", [("grpc-encoding", "gzip")])
        + ScriptedPeer.data(1, ScriptedPeer.message(bomb, flag: 1), endStream: true))
    #expect("\(answer)".contains("grpc-message: Message of 1001 bytes is larger than the limit of 1000 bytes"))
    #expect(fixture.router.failures == ["MESSAGE_TOO_LARGE"])
  }

  @Test func aFieldOver64KiBEndsTheConnectionAndSaysSo() throws {
    let fixture = try Fixture()
    let fields = ScriptedPeer.headers(1, [(":method", "POST"), ("x-large", String(repeating: "x", count: 70_000))])
    // The first frame of the block; the string's length is in it.
    let start = ScriptedPeer.frame(type: 1, flags: 0, stream: 1, Array(fields[9..<9 + 16_384]))
    #expect(throws: HTTP2Error.self) { try fixture.say(start) }
    let answer = try fixture.answer()
    #expect(answer == [.reset(stream: 1, code: 11), .goAway(last: 1, code: 9)])
    #expect(fixture.session.ownEnd?.contains("a header field of 70000 bytes is over the limit of 65536 bytes") == true)
  }

  @Test func trailersOver64KiBAreReplacedByAnError() throws {
    let fixture = try Fixture()
    fixture.router.trailing = ["x-large": String(repeating: "x", count: 70_000)]
    let answer = try fixture.say(fixture.call() + ScriptedPeer.data(1, [0, 0, 0, 0, 0], endStream: true))
    #expect(fixture.router.failures == ["HEADERS_TOO_LARGE"])
    guard case .headers(1, let trailers, endStream: true)? = answer.last else {
      Issue.record("no trailers, but \(answer)")
      return
    }
    #expect(trailers.first == "grpc-status: 8")
    #expect(trailers.contains { $0.hasPrefix("grpc-message: The answer's trailers of 70") })
  }
}
