// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import Testing

@testable import TaxonCalls
@testable import TaxonTransport

/// What a client says of answers that are not as they should be.
@Suite struct MalformedAnswerTests {
  private typealias Peer = ScriptedPeer

  private let head = ScriptedPeer.headers(1, [(":status", "200"), ("content-type", "application/grpc")])
  private let ok = ScriptedPeer.headers(1, [("grpc-status", "0")], endStream: true)
  private let message = ScriptedPeer.data(1, ScriptedPeer.message([1, 2, 3]))

  /// Answers a call with the frames, and returns what it fails with.
  private func failure(many: Bool = false, _ frames: [UInt8]...) throws -> String {
    let dialogue = try ClientDialogue()
    let (_, call) = try dialogue.open(many: many)
    _ = try dialogue.drain()
    try dialogue.say(Array(frames.joined()))
    #expect(call.ends.count == 1)
    #expect(dialogue.session.streams.isEmpty)
    return call.failure.map { "\($0.status): \($0.text)" } ?? "no failure"
  }

  // MARK: Messages

  @Test func anAnswerWithoutItsMessageIsUnimplemented() throws {
    let text = "UNIMPLEMENTED: The method answers one message, and the answer ended without one"
    #expect(try failure(head, ok) == text)
    let only = Peer.headers(
      1, [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "0")], endStream: true)
    #expect(try failure(only) == text)
    #expect(try failure(many: true, head, ok) == "no failure")
  }

  @Test func anAnswerWithASecondMessageIsUnimplemented() throws {
    let text = "UNIMPLEMENTED: The method answers one message, and a second one came"
    #expect(try failure(head, message, message, ok) == text)
    #expect(try failure(many: true, head, message, message, ok) == "no failure")
  }

  @Test(
    arguments: [
      ([0, 0], "after 2 of the 5 bytes of the prefix of message 1"),
      ([0, 0, 0, 0, 9, 1, 2], "after 2 of the 9 bytes of message 1"),
      ([0, 0, 0, 0, 1, 7, 0, 0, 0, 1, 0], "after 0 of the 256 bytes of message 2"),
    ] as [([UInt8], String)])
  func aTruncatedAnswerSaysWhereItEnds(_ body: [UInt8], _ place: String) throws {
    for many in [false, true] {
      #expect(
        try failure(many: many, head, Peer.data(1, body), ok)
          == "INTERNAL: The answer is truncated: it ended \(place)")
      #expect(
        try failure(many: many, head, Peer.data(1, body, endStream: true))
          == "INTERNAL: The answer is truncated: it ended \(place), and without trailers")
    }
  }

  @Test func theServersErrorCountsBehindATruncatedMessage() throws {
    let trailers = Peer.headers(1, [("grpc-status", "9"), ("grpc-message", "not now")], endStream: true)
    #expect(
      try failure(head, Peer.data(1, [0, 0, 0, 0, 9, 1]), trailers) == "FAILED_PRECONDITION: not now")
  }

  // MARK: Status

  @Test(arguments: ["abc", "-1", "17", "99999999999"])
  func aBadStatusIsUnknownAndIsTold(_ status: String) throws {
    let fault = "the answer's grpc-status \"\(status)\" is no status code"
    let bare = Peer.headers(1, [("grpc-status", status)], endStream: true)
    #expect(try failure(head, message, bare) == "UNKNOWN: \(fault)")
    let explained = Peer.headers(1, [("grpc-status", status), ("grpc-message", "why")], endStream: true)
    #expect(try failure(head, message, explained) == "UNKNOWN: why (\(fault))")
  }

  @Test func aStatusOfGRPCsIsNotCommentedOn() throws {
    let unknown = Peer.headers(1, [("grpc-status", "2"), ("grpc-message", "why")], endStream: true)
    #expect(try failure(head, message, unknown) == "UNKNOWN: why")
  }

  // MARK: Streams

  @Test func aResetOfTheServersIsTheServers() throws {
    #expect(try failure(Peer.reset(1, code: 2)) == "INTERNAL: The server reset the stream: INTERNAL_ERROR")
    #expect(try failure(head, Peer.reset(1, code: 8)) == "CANCELLED: The server reset the stream: CANCEL")
  }

  @Test func headersThatHTTP2DoesNotAllowAreNamedWithoutTheirValue() throws {
    let bad = Peer.headers(1, [(":status", "200"), ("connection", "secret")])
    #expect(
      try failure(bad)
        == "INTERNAL: The answer is malformed: the header field \"connection\" is invalid, or not allowed there")
    let late = Peer.headers(1, [("grpc-status", "0"), (":status", "200")], endStream: true)
    #expect(
      try failure(head, message, late)
        == "INTERNAL: The answer is malformed: the header field \":status\" is invalid, or not allowed there")
  }

  @Test func whatIsWrongWithAnAnswerAsAWholeIsTold() throws {
    let start = "INTERNAL: The answer is malformed: "
    #expect(
      try failure(Peer.headers(1, [("content-type", "application/grpc")])) == start + "its head has no :status")
    #expect(
      try failure(head, message, Peer.headers(1, [("grpc-status", "0")]))
        == start + "headers came after its head that do not end it")
    let long = Peer.headers(
      1, [(":status", "200"), ("content-type", "application/grpc"), ("content-length", "9")])
    #expect(try failure(long, message, ok) == start + "its body is not as long as its content-length says")
    #expect(
      try failure(long, message, Peer.data(1, [], endStream: true))
        == start + "its body is not as long as its content-length says")
    let interim = Peer.headers(1, [(":status", "103")])
    #expect(try failure(interim, message) == start + "its body came before its head")
  }

  @Test func aWindowThatIsOpenedTooFarIsTold() throws {
    let update = Peer.frame(type: 8, flags: 0, stream: 1, [127, 255, 255, 255])
    #expect(try failure(update) == "INTERNAL: The answer is malformed: Flow control error")
  }

  @Test func moreThanTheWindowAllowsIsTold() throws {
    var configuration = HTTP2Configuration()
    configuration.streamWindow = 100
    let dialogue = try ClientDialogue(configuration)
    let (_, call) = try dialogue.open()
    _ = try dialogue.drain()
    // The server has taken note of the window.
    try dialogue.say(Peer.frame(type: 4, flags: 1, stream: 0, []))
    try dialogue.say(head, Peer.data(1, [0, 0, 0, 1, 0] + [UInt8](repeating: 0, count: 200)))
    #expect(call.failure?.text == "The answer is malformed: more came than the stream's window allows")
  }

  // MARK: The connection

  private func end(_ change: (inout HTTP2Configuration) -> Void = { _ in }, _ frames: [UInt8]...) throws -> String? {
    var configuration = HTTP2Configuration()
    change(&configuration)
    let dialogue = try ClientDialogue(configuration)
    _ = try dialogue.open(many: true)
    _ = try dialogue.drain()
    _ = try? dialogue.say(Array(frames.joined()))
    return dialogue.session.ownEnd
  }

  @Test func aGoAwayOfThisEndSaysWhatCame() throws {
    #expect(
      try end({ _ in }, Peer.frame(type: 0, flags: 0, stream: 0, [1]))
        == "what came is malformed: DATA: stream_id == 0 (GOAWAY PROTOCOL_ERROR of this end)")
    #expect(
      try end({ _ in }, Peer.frame(type: 1, flags: 4, stream: 1, [0x80]))
        == "what came is malformed: (GOAWAY COMPRESSION_ERROR of this end)")
  }

  @Test func aFloodThatThisEndEndsIsTold() throws {
    let empty = (0..<11).flatMap { _ in Peer.data(1, []) }
    #expect(
      try end({ $0.flood.emptyData = .init(burst: 10, perSecond: 0) }, head, empty)
        == "the peer sent too many empty DATA frames (GOAWAY ENHANCE_YOUR_CALM of this end: too_many_empty_frames)")
    let settings = (0..<11).flatMap { _ in Peer.emptySettings }
    #expect(
      try end({ $0.flood.settings = .init(burst: 10, perSecond: 0) }, settings)
        == "the peer sent too many SETTINGS and PRIORITY frames"
        + " (GOAWAY ENHANCE_YOUR_CALM of this end: too_many_settings)")
  }

  @Test(arguments: [
    (
      "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
      "it answers HTTP/1.1: is this the port of a gRPC server, which speaks HTTP/2, and one without TLS?"
    ),
    ("<!DOCTYPE HTML>\r\n", "it does not speak HTTP/2: its first bytes are \"<!DOCTYPE\""),
    ("220 mail\r\n\u{1}", "it does not speak HTTP/2: its first bytes are \"220 mail?\""),
    (
      "\u{15}\u{3}\u{1}\0\u{2}\u{2}F",
      "it answers TLS, and the channel is set to speak without (Channel.Configuration.tls)"
    ),
  ])
  func aServerOfAnotherProtocolIsToldApart(_ answer: String, _ text: String) throws {
    let session = try HTTP2Session(role: .client, configuration: HTTP2Configuration())
    do {
      try Array(answer.utf8).withUnsafeBytes { try session.receive($0) }
      Issue.record("no error")
    } catch {
      #expect("\(error)" == text)
    }
  }
}
