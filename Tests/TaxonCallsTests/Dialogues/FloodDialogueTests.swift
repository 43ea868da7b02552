// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TaxonCalls
@testable import TaxonTransport

/// What a session does with a peer that sends too much of what costs it little.
@Suite struct FloodDialogueTests {
  /// Takes whatever comes.
  class Ignorer: HTTPExchangeReceiver {
    func received(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {}
    func receivedHeaders(endStream: Bool) {}
    func received(data: UnsafeRawBufferPointer, isLast: Bool) {}
    func receivedEnd() {}
    func closed(errorCode: UInt32) {}
  }

  final class Refuser: HTTP2SessionDelegate {
    func makeReceiver(for exchange: any HTTPExchange) -> (any HTTPExchangeReceiver)? { Ignorer() }
    func receivedGoAway(lastStreamID: Int32, errorCode: UInt32, debugData: [UInt8]) {}
    func receivedSettings() {}
    func receivedPingAck(_ payload: UInt64) {}
    func streamClosed() {}
  }

  /// Says the bytes to a new session after the preface, and returns what the session thinks of the peer, and the error
  /// code of its GOAWAY.
  func outcome(_ bytes: [UInt8], _ change: (inout FloodLimits) -> Void) throws -> (FloodLimit?, Int?) {
    var configuration = HTTP2Configuration()
    change(&configuration.flood)
    let session = try HTTP2Session(role: .server, configuration: configuration)
    let delegate = Refuser()
    session.delegate = delegate
    let peer = ScriptedPeer()
    var code: Int?
    func drain() throws {
      var output: [UInt8] = []
      try session.drain { bytes in
        output += Array(bytes)
        return true
      }
      for case .goAway(_, let number) in peer.parse(output) { code = number }
    }
    try (ScriptedPeer.preface + ScriptedPeer.emptySettings).withUnsafeBytes { try session.receive($0) }
    try drain()
    try? bytes.withUnsafeBytes { try session.receive($0) }
    try drain()
    return (session.exceeded, code)
  }

  let ping = ScriptedPeer.frame(type: 6, flags: 0, stream: 0, [UInt8](repeating: 1, count: 8))

  func head(_ stream: Int, endStream: Bool = false) -> [UInt8] {
    ScriptedPeer.headers(
      stream,
      [(":method", "POST"), (":scheme", "http"), (":path", "/a/B"), (":authority", "x")], endStream: endStream)
  }

  @Test func rapidResetEndsTheConnection() throws {
    let bytes = (0..<11).flatMap { head($0 * 2 + 1) + ScriptedPeer.reset($0 * 2 + 1, code: 8) }
    let (limit, code) = try outcome(bytes) { $0.resets = .init(burst: 10, perSecond: 0) }
    #expect(limit == .resets)
    #expect(code == 11)
    let fine = try outcome(bytes) { $0.resets = .init(burst: 11, perSecond: 0) }
    #expect(fine.0 == nil)
    #expect(fine.1 == nil)
  }

  @Test func streamsThatTheirPeerMakesUsResetEndTheConnection() throws {
    // A window of more than 2^31-1 bytes is an error of the stream (RFC 9113 §6.9.1).
    let bytes = (0..<11).flatMap {
      head($0 * 2 + 1) + ScriptedPeer.frame(type: 8, flags: 0, stream: $0 * 2 + 1, [127, 255, 255, 255])
    }
    let (limit, code) = try outcome(bytes) { $0.resetsCaused = .init(burst: 10, perSecond: 0) }
    #expect(limit == .resetsCaused)
    #expect(code == 11)
  }

  @Test func aFloodOfSettingsEndsTheConnection() throws {
    let bytes = (0..<10).flatMap { _ in ScriptedPeer.emptySettings }
    let (limit, code) = try outcome(bytes) { $0.settings = .init(burst: 10, perSecond: 0) }
    // The one of the preface counts.
    #expect(limit == .settings)
    #expect(code == 11)
  }

  @Test func aFloodOfPingsEndsTheConnection() throws {
    let bytes = (0..<11).flatMap { _ in ping }
    let (limit, code) = try outcome(bytes) { $0.pings = .init(burst: 10, perSecond: 0) }
    #expect(limit == .pings)
    #expect(code == 11)
  }

  @Test func emptyDataEndsTheConnectionPaddedOrNot() throws {
    for frame in [ScriptedPeer.data(1, []), ScriptedPeer.frame(type: 0, flags: 8, stream: 1, [2, 0, 0])] {
      let bytes = head(1) + (0..<11).flatMap { _ in frame }
      let (limit, code) = try outcome(bytes) { $0.emptyData = .init(burst: 10, perSecond: 0) }
      #expect(limit == .emptyData)
      #expect(code == 11)
    }
  }

  /// A block of which a field of 4,000 bytes stands in the compression table and is named again and again, a byte a time.
  func bomb(_ stream: Int, isFirst: Bool) -> [UInt8] {
    let field =
      [0x40, 6] + Array("x-bomb".utf8) + [0x7f, 0xa1, 0x1e] + [UInt8](repeating: UInt8(ascii: "x"), count: 4000)
    let block =
      head(stream).dropFirst(9)
      + (isFirst ? field : []) + [UInt8](repeating: 0xbe, count: 10_000)
    return ScriptedPeer.frame(type: 1, flags: 5, stream: stream, block)
  }

  @Test func headerBombsEndTheConnection() throws {
    let bytes = (0..<11).flatMap { bomb($0 * 2 + 1, isFirst: $0 == 0) }
    let (limit, code) = try outcome(bytes) { $0.largeHeaders = .init(burst: 10, perSecond: 0) }
    #expect(limit == .largeHeaders)
    #expect(code == 11)
    let fine = try outcome(bytes) { $0.largeHeaders = .init(burst: 11, perSecond: 0) }
    #expect(fine.0 == nil)
    #expect(fine.1 == nil)
  }

  @Test func headersThatAreSomewhatTooLargeCountToo() throws {
    let bytes = (0..<11).flatMap { index in
      ScriptedPeer.headers(
        index * 2 + 1,
        [(":method", "POST"), (":scheme", "http"), (":path", "/a/B"), (":authority", "x")]
          + (0..<180).map { ("x-\($0)", String(repeating: "x", count: 60)) }, endStream: true)
    }
    let small = try outcome(bytes) { $0.largeHeaders = .init(burst: 10, perSecond: 0) }
    #expect(small.0 == .largeHeaders)
  }

  /// Counts the fields of its block.
  final class Counter: Ignorer {
    var names: [String] = []
    var code: UInt32?
    override func received(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
      names.append(String(decoding: name, as: UTF8.self))
    }
    override func closed(errorCode: UInt32) { code = errorCode }
  }

  final class Accepter: HTTP2SessionDelegate {
    var streams: [Counter] = []
    func makeReceiver(for exchange: any HTTPExchange) -> (any HTTPExchangeReceiver)? {
      streams.append(Counter())
      return streams.last
    }
    func receivedGoAway(lastStreamID: Int32, errorCode: UInt32, debugData: [UInt8]) {}
    func receivedSettings() {}
    func receivedPingAck(_ payload: UInt64) {}
    func streamClosed() {}
  }

  @Test func whatIsFarOverTheLimitIsNotLookedAtAndTheTableStaysInStep() throws {
    let session = try HTTP2Session(role: .server, configuration: HTTP2Configuration())
    let delegate = Accepter()
    session.delegate = delegate
    let bytes =
      ScriptedPeer.preface + ScriptedPeer.emptySettings + bomb(1, isFirst: true)
      + ScriptedPeer.frame(type: 1, flags: 5, stream: 3, head(3).dropFirst(9) + [0xbe])
    try bytes.withUnsafeBytes { try session.receive($0) }
    var output: [UInt8] = []
    try session.drain { piece in
      output += Array(piece)
      return true
    }
    #expect(delegate.streams.count == 2)
    // Four times the limit of 16 KiB in fields of some 4,000 bytes, and four small ones.
    #expect((16...24).contains(delegate.streams[0].names.count))
    #expect(delegate.streams[0].code == HTTP2ErrorCode.enhanceYourCalm.rawValue)
    #expect(delegate.streams[1].names == [":method", ":scheme", ":path", ":authority", "x-bomb"])
    let resets = ScriptedPeer().parse(output).filter { if case .reset = $0 { true } else { false } }
    #expect(resets.count == 1)
  }

  /// A stream whose messages are cut out of what comes.
  private final class Cut: Ignorer {
    private let exchange: any HTTPExchange
    private var deframer = MessageDeframer(limit: 1 << 30)
    init(_ exchange: any HTTPExchange) { self.exchange = exchange }
    override func received(data: UnsafeRawBufferPointer, isLast: Bool) {
      _ = try? deframer.process(data) { _, _ in
        exchange.completedMessage()
        return true
      }
    }
  }

  private func outcomeOfMessages(_ bytes: [UInt8]) throws -> FloodLimit? {
    final class Taker: HTTP2SessionDelegate {
      func makeReceiver(for exchange: any HTTPExchange) -> (any HTTPExchangeReceiver)? { Cut(exchange) }
      func receivedGoAway(lastStreamID: Int32, errorCode: UInt32, debugData: [UInt8]) {}
      func receivedSettings() {}
      func receivedPingAck(_ payload: UInt64) {}
      func streamClosed() {}
    }
    var configuration = HTTP2Configuration()
    configuration.flood.smallData = .init(burst: 10, perSecond: 0)
    let session = try HTTP2Session(role: .server, configuration: configuration)
    let delegate = Taker()
    session.delegate = delegate
    try? (ScriptedPeer.preface + ScriptedPeer.emptySettings + bytes).withUnsafeBytes { try session.receive($0) }
    return session.exceeded
  }

  @Test func messagesInPiecesOfAByteEndTheConnection() throws {
    let bytes = ScriptedPeer.message([UInt8](repeating: 1, count: 100)).flatMap { ScriptedPeer.data(1, [$0]) }
    #expect(try outcomeOfMessages(head(1) + bytes) == .smallData)
    #expect(try outcomeOfMessages(head(1) + bytes.prefix(10 * bytes.count / 105)) == nil)
    // Padding is no data.
    let padded = (0..<11).flatMap { _ in
      ScriptedPeer.frame(type: 0, flags: 8, stream: 1, [250, 1] + [UInt8](repeating: 0, count: 250))
    }
    #expect(try outcomeOfMessages(head(1) + padded) == .smallData)
  }

  @Test func streamsOfSmallMessagesNeverMeetTheBudgetOfSmallFrames() throws {
    let whole = ScriptedPeer.data(1, ScriptedPeer.message([1]))
    #expect(try outcomeOfMessages(head(1) + (0..<1000).flatMap { _ in whole }) == nil)
    // The prefix in a frame of its own, and the message in three.
    let cut = [[0, 0, 0, 0, 3], [1], [2], [3]].flatMap { ScriptedPeer.data(1, $0) }
    #expect(try outcomeOfMessages(head(1) + (0..<1000).flatMap { _ in cut }) == nil)
    let large = ScriptedPeer.message([UInt8](repeating: 1, count: 400))
    let split = ScriptedPeer.data(1, Array(large.prefix(5))) + ScriptedPeer.data(1, Array(large.dropFirst(5)))
    #expect(try outcomeOfMessages(head(1) + (0..<100).flatMap { _ in split }) == nil)
  }

  @Test func continuationsWithoutEndEndTheConnection() throws {
    let first = ScriptedPeer.frame(type: 1, flags: 0, stream: 1, [])
    let more = (0..<20).flatMap { _ in ScriptedPeer.frame(type: 9, flags: 0, stream: 1, []) }
    let (limit, code) = try outcome(first + more) { $0.maxContinuations = 8 }
    #expect(limit == .frames)
    #expect(code == 11)
  }

  @Test func answersThatNobodyReadsEndTheConnection() throws {
    let bytes = (0..<12).flatMap { _ in ping }
    let (limit, code) = try outcome(bytes) { $0.maxUnsentAcks = 10 }
    #expect(limit == .frames)
    #expect(code == 11)
  }

  @Test func aStreamThatWasSkippedCannotBeUsed() throws {
    let (limit, code) = try outcome(head(1) + head(5) + head(3)) { _ in }
    #expect(limit == nil)
    #expect(code == 1)
  }

  @Test func priorityOfTheConnectionIsAnError() throws {
    let (_, code) = try outcome(ScriptedPeer.frame(type: 2, flags: 0, stream: 0, [0, 0, 0, 0, 1])) { _ in }
    #expect(code == 1)
  }
}
