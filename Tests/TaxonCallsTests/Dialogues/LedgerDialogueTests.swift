// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOEmbedded
import TaxonErrors
import Testing

@testable import TaxonCalls
@testable import TaxonTransport

/// What a connection holds for its peer, and what it does past its bounds: frames in, window updates out.
@Suite struct LedgerDialogueTests {
  /// Puts the messages of its calls into lists that the test reads.
  final class Collector: ServerRouter, ServerMethod, @unchecked Sendable {  // used on the test's one thread
    var calls: [Call] = []
    private(set) var failures: [String] = []
    let shape: MethodShape
    let isSafe = false

    init(takesManyMessages: Bool) {
      shape = MethodShape(takesMany: takesManyMessages, answersMany: takesManyMessages)
    }

    func method(_ path: String) -> (any ServerMethod)? { self }
    func failed(_ error: any TaxonomyError, failure: CallFailure, path: String) { failures.append(error.code) }

    func begin(_ stream: ServerStream) -> (any ServerCall)? {
      let call = Call(stream)
      calls.append(call)
      return call
    }

    func begin(
      _ stream: ServerStream, with message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
    ) -> (call: any ServerCall, kept: KeptBytes) { (Call(stream), .none) }
  }

  final class Call: ServerCall {
    let stream: ServerStream
    var waiting: [(bytes: [UInt8], kept: KeptBytes)] = []
    private(set) var hasEnded = false

    init(_ stream: ServerStream) { self.stream = stream }

    func receive(_ message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool) -> KeptBytes {
      let kept = KeptBytes(window: size, memory: message.count + 100)
      waiting.append((Array(message), kept))
      return kept
    }

    func receiveEnd() { hasEnded = true }
    func cancel(_ error: RPCError) { waiting = [] }
    func becameWritable() {}

    /// Reads a message.
    func read() -> [UInt8] {
      let (bytes, kept) = waiting.removeFirst()
      stream.read(kept)
      return bytes
    }
  }

  final class Fixture: HTTP2SessionDelegate {
    let router: Collector
    let loop = EmbeddedEventLoop()
    let session: HTTP2Session
    private let context: ServerStreamContext

    init(takesManyMessages: Bool = true, shared: SharedLedger? = nil, _ change: (inout LedgerLimits) -> Void) throws {
      var limits = LedgerLimits()
      change(&limits)
      var configuration = HTTP2Configuration()
      configuration.streamWindow = 1000
      let ledger = ConnectionLedger(limits, shared: shared, eventLoop: loop)
      router = Collector(takesManyMessages: takesManyMessages)
      session = try HTTP2Session(role: .server, configuration: configuration, ledger: ledger)
      context = ServerStreamContext(
        executor: LoopExecutor(loop), peer: "test", router: router, limits: ServerCallLimits(), ledger: ledger)
      session.delegate = self
      // The window is that of the server's SETTINGS once they are acknowledged.
      try say(
        ScriptedPeer.preface + ScriptedPeer.emptySettings + ScriptedPeer.frame(type: 4, flags: 1, stream: 0, []))
    }

    // The calls keep their streams, and those the router.
    deinit { router.calls = [] }

    func makeReceiver(for exchange: any HTTPExchange) -> (any HTTPExchangeReceiver)? {
      ServerStream(exchange, context: context)
    }
    func receivedGoAway(lastStreamID: Int32, errorCode: UInt32, debugData: [UInt8]) {}
    func receivedSettings() {}
    func receivedPingAck(_ payload: UInt64) {}
    func streamClosed() {}

    /// Says the bytes, and returns by how much the windows of the streams are opened then.
    @discardableResult func say(_ bytes: [UInt8]) throws -> [Int: Int] {
      try bytes.withUnsafeBytes { try session.receive($0) }
      return try windows()
    }

    func windows() throws -> [Int: Int] {
      var output: [UInt8] = []
      try session.drain { bytes in
        output += Array(bytes)
        return true
      }
      var windows: [Int: Int] = [:]
      var rest = output[...]
      while rest.count >= 9 {
        let head = Array(rest.prefix(9))
        let payload = Array(rest.dropFirst(9).prefix(Int(head[1]) << 8 | Int(head[2])))
        if head[3] == 8, head[8] != 0 { windows[Int(head[8]), default: 0] += Int(payload[2]) << 8 | Int(payload[3]) }
        rest = rest.dropFirst(9 + payload.count)
      }
      return windows
    }

    func call(_ stream: Int) throws {
      try say(
        ScriptedPeer.headers(
          stream,
          [
            (":method", "POST"), (":scheme", "http"), (":path", "/a/B"), (":authority", "test"),
            ("content-type", "application/grpc"), ("te", "trailers"),
          ]))
    }
  }

  @Test func emptyMessagesThatNobodyReadsStopTheirPeer() throws {
    let fixture = try Fixture { $0.received = 4000 }
    try fixture.call(1)
    var sent = 0
    var window = 1000
    while window >= 5, sent < 10_000 {
      window += try fixture.say(ScriptedPeer.data(1, ScriptedPeer.message([])))[1, default: 0] - 5
      sent += 1
    }
    // Of 100 bytes each, as many as the stream's part of the bound allows are decoded; the others wait as they came.
    #expect(sent == 200)
    #expect(fixture.router.calls[0].waiting.count == 10)
    #expect(fixture.session.ledger.received <= 1000 + 1000 + 1000)
    // All of them are read in the end.
    try fixture.say(ScriptedPeer.data(1, [], endStream: true))
    for _ in 0..<200 { #expect(fixture.router.calls[0].read() == []) }
    #expect(fixture.router.calls[0].hasEnded)
    #expect(fixture.session.ledger.received == 0)
  }

  @Test func messagesAreReadInTheirOrderWhereverTheyHadToWait() throws {
    let fixture = try Fixture { $0.received = 1200 }
    try fixture.call(1)
    let bytes = (0..<30).flatMap { ScriptedPeer.message([UInt8]($0..<UInt8($0 + $0 % 7))) }
    for byte in bytes { try fixture.say(ScriptedPeer.data(1, [byte])) }
    try fixture.say(ScriptedPeer.data(1, [], endStream: true))
    let call = fixture.router.calls[0]
    #expect(call.waiting.count < 30)
    for number in 0..<30 { #expect(call.read() == [UInt8](UInt8(number)..<UInt8(number + number % 7))) }
    #expect(call.hasEnded)
    #expect(fixture.session.ledger.received == 0)
  }

  @Test func oneOfManyRequestsThatCameInPartAlwaysGoesOn() throws {
    let fixture = try Fixture { $0.received = 2000 }
    let message = ScriptedPeer.message([UInt8](repeating: 1, count: 2500))
    let streams = [1, 3, 5, 7, 9]
    var left: [Int: ArraySlice<UInt8>] = [:]
    var windows: [Int: Int] = [:]
    for stream in streams {
      try fixture.call(stream)
      left[stream] = message[...]
      windows[stream] = 1000
    }
    var most = 0
    var rounds = 0
    while !left.isEmpty, rounds < 1000 {
      rounds += 1
      for stream in streams {
        guard let rest = left[stream], let window = windows[stream], window > 0 else { continue }
        let piece = rest.prefix(min(window, 100))
        left[stream] = rest.count == piece.count ? nil : rest.dropFirst(piece.count)
        windows[stream] = window - piece.count
        let opened = try fixture.say(ScriptedPeer.data(stream, Array(piece), endStream: left[stream] == nil))
        for (stream, count) in opened { windows[stream, default: 0] += count }
        most = max(most, fixture.session.ledger.received)
      }
      // Handlers read what is complete.
      for call in fixture.router.calls where !call.waiting.isEmpty { #expect(call.read().count == 2500) }
      for (stream, count) in try fixture.windows() { windows[stream, default: 0] += count }
    }
    #expect(left.isEmpty, "\(left.count) requests wait for each other")
    let ended = fixture.router.calls.filter(\.hasEnded).count
    #expect(ended == 5)
    // What the first windows let through, one whole message, and what arrays have on top.
    #expect(most <= 2 * (5 * 1000 + 2505), "\(most)")
    #expect(fixture.session.ledger.received == 0)
  }

  @Test func aStreamThatEndsLetsTheNextOneGoOn() throws {
    let fixture = try Fixture { $0.received = 500 }
    for stream in [1, 3] { try fixture.call(stream) }
    let part = Array(ScriptedPeer.message([UInt8](repeating: 1, count: 2500)).prefix(800))
    #expect(try fixture.say(ScriptedPeer.data(1, part)) == [1: 800])
    #expect(try fixture.say(ScriptedPeer.data(3, part)) == [:])
    #expect(try fixture.say(ScriptedPeer.reset(1, code: 8)) == [3: 800])
  }

  @Test func beyondTheBoundOfAllConnectionsCallsOfThoseThatHoldMuchEnd() throws {
    let shared = SharedLedger(received: 2000, sent: 2000)
    let limits = { (limits: inout LedgerLimits) in
      limits.received = 4000
      limits.share = 1000
    }
    let greedy = try Fixture(shared: shared, limits)
    let modest = try Fixture(shared: shared, limits)
    let part = Array(ScriptedPeer.message([UInt8](repeating: 1, count: 2500)).prefix(900))
    for stream in [1, 3, 5, 7] {
      try greedy.call(stream)
      try greedy.say(ScriptedPeer.data(stream, part))
    }
    #expect(greedy.router.failures.contains("SERVER_OVERLOADED"))
    #expect(shared.received <= 4000)
    try modest.call(1)
    #expect(try modest.say(ScriptedPeer.data(1, part)) == [1: 900])
    #expect(modest.router.failures == [])
  }

  @Test func aWindowGrowsForEachStreamAloneAndWithinTheBound() throws {
    var limits = LedgerLimits()
    limits.received = 1000
    let ledger = ConnectionLedger(limits)
    #expect(ledger.grow(by: 600))
    #expect(!ledger.grow(by: 600))
    ledger.shrink(by: 600)
    #expect(ledger.grow(by: 600))
  }
}
