// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import Testing

@testable import TaxonCalls
@testable import TaxonTransport

/// What a client's session says to a peer, frame by frame.
@Suite struct ClientDialogueTests {
  /// The frames on streams: what comes on stream 0 is not what is tested.
  private func streams(_ frames: [ScriptedPeer.Frame]) -> [ScriptedPeer.Frame] {
    frames.filter { frame in
      switch frame {
      case .other(_, let stream): stream != 0
      default: true
      }
    }
  }

  @Test(arguments: [true, false])
  func aCallThatIsGivenUpBeforeItsHeadersHaveLeftLeavesNoTrace(isFinished: Bool) throws {
    let dialogue = try ClientDialogue()
    let (stream, call) = try dialogue.open(finished: isFinished)
    stream.abandon(RPCError.cancelled)
    stream.abandon(RPCError.cancelled)
    #expect(try streams(dialogue.drain()) == [])
    #expect(call.ends.count == 1)
    #expect(call.failure?.status == .cancelled)
    #expect(dialogue.session.streams.isEmpty)
  }

  @Test func aCallThatIsGivenUpAfterItsHeadersHaveLeftIsResetOnce() throws {
    let dialogue = try ClientDialogue()
    let (stream, call) = try dialogue.open(finished: false)
    _ = try dialogue.drain()
    stream.abandon(RPCError.cancelled)
    #expect(try streams(dialogue.drain()) == [.reset(stream: 1, code: 8)])
    stream.abandon(RPCError.cancelled)
    #expect(try streams(dialogue.drain()) == [])
    #expect(call.ends.count == 1)
  }

  @Test func aRequestWhoseHeadersAreTooLargeLeavesNoTrace() throws {
    let dialogue = try ClientDialogue()
    let call = ClientDialogue.Call()
    let exchange = dialogue.session.makeStream()
    let stream = ClientStream(
      exchange, call: call, takesManyMessages: false, maxMessageSize: 1 << 20, maxHeaderListSize: 16 * 1024)
    try dialogue.session.submitRequest(
      exchange, to: stream,
      head: HeaderBlock(
        [.init(":method", "POST"), .init(":scheme", "http"), .init(":path", "/a/B")]
          + (0..<10).map { .init("x-\($0)", String(repeating: "x", count: 10_000)) }))
    #expect(try streams(dialogue.drain()) == [])
    #expect(call.failure?.status == .resourceExhausted)
  }

  // MARK: What comes back

  static let head = ScriptedPeer.headers(1, [(":status", "200"), ("content-type", "application/grpc")])
  static let empty = ScriptedPeer.data(1, ScriptedPeer.message([]))

  static func trailers(_ fields: [(String, String)]) -> [UInt8] {
    ScriptedPeer.headers(1, fields, endStream: true)
  }

  /// What becomes of a call of a method with one answer, when these frames come.
  private func outcome(_ frames: [UInt8]...) throws -> (failure: (status: StatusCode, text: String)?, ClientDialogue) {
    let dialogue = try ClientDialogue()
    let (_, call) = try dialogue.open()
    _ = try dialogue.drain()
    _ = try? dialogue.say(Array(frames.joined()))
    #expect(call.ends.count <= 1)
    return (call.failure, dialogue)
  }

  @Test(arguments: [
    ("no message", head + trailers([("grpc-status", "0")]), StatusCode.unimplemented, "ended without one"),
    (
      "headers alone", trailers([(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "0")]),
      .unimplemented, "ended without one"
    ),
    ("two messages", head + empty + empty, .unimplemented, "a second one came"),
    (
      "half a message", head + ScriptedPeer.data(1, [0, 0, 0, 0, 9, 1]) + trailers([("grpc-status", "0")]),
      .internalError, "The answer is truncated: it ended after 1 of the 9 bytes of message 1"
    ),
    (
      "a status that is no number", head + empty + trailers([("grpc-status", "good")]), .unknown,
      "the answer's grpc-status \"good\" is no status code"
    ),
    (
      "an unknown status", head + empty + trailers([("grpc-status", "99"), ("grpc-message", "well")]), .unknown,
      "well (the answer's grpc-status \"99\" is no status code)"
    ),
    ("a reset", head + ScriptedPeer.reset(1, code: 2), .internalError, "The server reset the stream: INTERNAL_ERROR"),
    (
      "a field that HTTP/2 forbids", ScriptedPeer.headers(1, [(":status", "200"), ("connection", "close")]),
      .internalError, "The answer is malformed: "
    ),
    (
      "no :status", ScriptedPeer.headers(1, [("content-type", "application/grpc")]), .internalError,
      "The answer is malformed: "
    ),
  ])
  func whatIsWrongWithAnAnswerIsTold(_ case: (name: String, frames: [UInt8], status: StatusCode, text: String)) throws {
    let (failure, _) = try outcome(`case`.frames)
    #expect(failure?.status == `case`.status, "\(`case`.name)")
    #expect(failure?.text.contains(`case`.text) == true, "\(`case`.name): \(failure?.text ?? "no failure")")
  }

  @Test func anHTTP1ServerIsToldApartHoweverItsBytesCome() throws {
    let bytes = Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)
    for size in [bytes.count, 1, 4] {
      let session = try HTTP2Session(role: .client, configuration: HTTP2Configuration())
      var reason: String?
      for start in stride(from: 0, to: bytes.count, by: size) where reason == nil {
        let piece = bytes[start..<min(start + size, bytes.count)]
        do { try piece.withUnsafeBytes { try session.receive($0) } } catch { reason = "\(error)" }
      }
      #expect(reason?.contains("HTTP/1.1") == true)
    }
  }

  @Test func callsAboveTheLastStreamOfAGoAwayAreKnownToBeUnprocessed() throws {
    let dialogue = try ClientDialogue()
    let (_, first) = try dialogue.open()
    let (_, second) = try dialogue.open()
    _ = try dialogue.drain()
    // Its headers have not left.
    let (_, third) = try dialogue.open()
    try dialogue.say(ScriptedPeer.frame(type: 7, flags: 0, stream: 0, [0, 0, 0, 1, 0, 0, 0, 0]))
    #expect(first.ends.isEmpty)
    for call in [second, third] {
      #expect(call.end?.refusal == .unprocessed)
      #expect(call.failure?.status == .unavailable)
    }
  }

  @Test func requestsThatThePeerHasNoRoomForAreTakenBackAndNotHeld() throws {
    let dialogue = try ClientDialogue()
    let (_, sent) = try dialogue.open()
    _ = try dialogue.drain()
    // About to be sent when the limit comes down to one.
    let (_, queued) = try dialogue.open()
    try dialogue.say(ScriptedPeer.frame(type: 4, flags: 0, stream: 0, [0, 3, 0, 0, 0, 1]))
    #expect(sent.ends.isEmpty)
    #expect(queued.end?.refusal == .unprocessed)
    // Nobody waits for the one that nghttp2 holds back.
    let (stream, held) = try dialogue.open()
    #expect(try streams(dialogue.drain()) == [])
    stream.abandon(RPCError.cancelled)
    #expect(held.failure?.status == .cancelled)
    let (_, last) = try dialogue.open()
    #expect(dialogue.session.streams.count == 2)
    try dialogue.say(ScriptedPeer.frame(type: 7, flags: 0, stream: 0, [0, 0, 0, 1, 0, 0, 0, 0]))
    #expect(last.end?.refusal == .unprocessed)
    #expect(sent.ends.isEmpty)
    #expect(dialogue.session.streams.count == 1)
    try dialogue.say(Self.head, Self.empty, Self.trailers([("grpc-status", "0")]))
    #expect(sent.end != nil && sent.failure == nil)
    #expect(dialogue.session.streams.isEmpty)
    #expect(dialogue.session.isFinished)
  }

  @Test func aFloodSaysWhatItWas() throws {
    var configuration = HTTP2Configuration()
    configuration.flood.settings = .init(burst: 3, perSecond: 0)
    let dialogue = try ClientDialogue(configuration)
    for _ in 0..<3 { _ = try? dialogue.say(ScriptedPeer.emptySettings) }
    #expect(
      dialogue.session.ownEnd
        == "the peer sent too many SETTINGS and PRIORITY frames"
        + " (GOAWAY ENHANCE_YOUR_CALM of this end: too_many_settings)")
  }

  @Test func aFieldOver64KiBEndsItsCallAndSaysSo() throws {
    let block = ScriptedPeer.headers(1, [(":status", "200"), ("x-large", String(repeating: "x", count: 70_000))])
    let start = ScriptedPeer.frame(type: 1, flags: 0, stream: 1, Array(block[9..<9 + 16_384]))
    let (failure, dialogue) = try outcome(start)
    #expect(failure?.status == .resourceExhausted)
    #expect(failure?.text == "A header field of the answer of 70000 bytes is larger than the limit of 65536 bytes")
    #expect(dialogue.session.ownEnd?.contains("a header field of 70000 bytes") == true)
  }

  @Test func aMessageInPiecesOfAByteIsAFlood() throws {
    var configuration = HTTP2Configuration()
    configuration.flood.smallData = .init(burst: 100, perSecond: 0)
    let dialogue = try ClientDialogue(configuration)
    let (_, call) = try dialogue.open(many: true)
    _ = try dialogue.drain()
    try dialogue.say(Self.head)
    // Small messages, their prefixes in frames of their own, are none.
    let pieces = ScriptedPeer.data(1, [0, 0, 0, 0]) + ScriptedPeer.data(1, [3]) + ScriptedPeer.data(1, [1, 2, 3])
    for _ in 0..<1000 { try dialogue.say(pieces) }
    #expect(call.messages.count == 1000)
    try dialogue.say(ScriptedPeer.data(1, [0, 0, 0, 4, 0]))
    for _ in 0..<99 { try dialogue.say(ScriptedPeer.data(1, [1])) }
    #expect(dialogue.session.exceeded == nil)
    for _ in 0..<4 { _ = try? dialogue.say(ScriptedPeer.data(1, [1])) }
    #expect(dialogue.session.exceeded == .smallData)
    #expect(dialogue.session.ownEnd?.contains("too_many_small_frames") == true)
  }
}
