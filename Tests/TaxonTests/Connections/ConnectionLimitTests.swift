// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Taxon
import TaxonCalls
import TaxonFixtures
import TaxonTransport
import Testing

/// What a server does with connections that are slow, silent, old or too much.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct ConnectionLimitTests {
  /// A window of one byte, which does not grow however fast the bytes are taken.
  private static var narrow: HTTP2Configuration {
    var narrow = HTTP2Configuration()
    narrow.streamWindow = 1
    narrow.maxStreamWindow = 1
    return narrow
  }

  private func withServer(
    _ change: (inout Server.Configuration) -> Void,
    _ body: @escaping @Sendable (String, ServerContext) async throws -> String = { text, _ in text },
    test: (WireClient.Address) async throws -> Void
  ) async throws {
    try await TaxonFixtures.withServer([TextService(body: body)]) {
      $0.gracePeriod = .milliseconds(200)
      change(&$0)
    } test: { _, port in
      try await test(.port(port))
    }
  }

  @Test(arguments: ["", "PRI * HTTP/2.0\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])
  func aConnectionThatDoesNotBeginIsClosed(_ text: String) async throws {
    try await withServer {
      $0.connections.setupTimeout = .milliseconds(500)
    } test: { address in
      let client = try await WireClient.connect(address, speaksHTTP2: false)
      // On a slow machine it is closed before.
      if !text.isEmpty { try? await client.write(Array(text.utf8)) }
      #expect(try await client.closed == "closed")
    }
  }

  @Test func aSilentPeerIsClosed() async throws {
    try await withServer {
      $0.keepalive.time = .milliseconds(50)
      $0.keepalive.timeout = .milliseconds(50)
    } test: { address in
      let client = try await WireClient.connect(address, speaksHTTP2: false)
      // The preface, SETTINGS, and the answer to those of the server; no PING is answered.
      try await client.write(
        Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0] + [0, 0, 0, 4, 1, 0, 0, 0, 0])
      #expect(try await client.closed == "closed")
    }
  }

  @Test func aPeerThatAnswersIsKept() async throws {
    try await withServer {
      $0.keepalive.time = .milliseconds(5)
      $0.keepalive.timeout = .seconds(20)
    } test: { address in
      let client = try await WireClient.connect(address)
      #expect(try await client.call().status == "0")
      // The next one comes after the timeout.
      await client.pings.reaches(1)
      #expect(try await client.call().status == "0")
      await client.close()
    }
  }

  @Test func anIdleConnectionIsClosedGracefully() async throws {
    try await withServer {
      // Long enough for a call on a busy machine.
      $0.keepalive.maxConnectionIdle = .seconds(3)
    } test: { address in
      let client = try await WireClient.connect(address)
      #expect(try await client.call().status == "0")
      _ = try await client.closed
      // The client, which has no calls, may close before the second GOAWAY, which says why.
      #expect(try await client.receivedGoAways.first?.errorCode == 0)
    }
  }

  @Test func anOldConnectionEndsWhenItsCallsHave() async throws {
    let started = Signal()
    let goOn = Signal()
    try await withServer {
      // The call has to begin before.
      $0.keepalive.maxConnectionAge = .seconds(1)
    } _: { text, _ in
      started.send()
      await goOn.wait()
      return text
    } test: { address in
      let client = try await WireClient.connect(address)
      let call = client.begin()
      await started.wait()
      while try await client.receivedGoAways.last?.text != "max_age" { await Task.yield() }
      goOn.send()
      #expect(try await call.get().status == "0")
      #expect(try await client.closed == "closed")
    }
  }

  @Test func anOldConnectionIsClosedAfterItsGrace() async throws {
    try await withServer {
      // The call has to begin before.
      $0.keepalive.maxConnectionAge = .seconds(1)
      $0.keepalive.maxConnectionAgeGrace = .milliseconds(50)
    } _: { text, _ in
      await untilCancelled()
      return text
    } test: { address in
      let client = try await WireClient.connect(address)
      let call = client.begin()
      _ = try await client.closed
      #expect(try await call.get().status == nil)
    }
  }

  @Test func aClientThatPingsTooOftenIsToldToCalmDown() async throws {
    try await withServer { _ in
    } test: { address in
      let client = try await WireClient.connect(address)
      #expect(try await client.call().status == "0")
      // The first follows a call, the second is the first without; then come three strikes.
      for _ in 0..<5 { try await client.perform { $0.submitPing(1) } }
      _ = try await client.closed
      #expect(try await client.receivedGoAways.last == .init(errorCode: 11, text: "too_many_pings"))
    }
  }

  @Test func aConnectionTooManyIsClosed() async throws {
    try await withServer {
      $0.connections.maxConnections = 1
    } test: { address in
      let first = try await WireClient.connect(address)
      #expect(try await first.call().status == "0")
      let second = try await WireClient.connect(address)
      _ = try await second.closed
      #expect(try await first.call().status == "0")
      await first.close()
    }
  }

  @Test func handlersThatIgnoreTheirEndCount() async throws {
    let goOn = Signal()
    try await withServer {
      $0.connections.maxRunningCalls = 2
    } _: { text, _ in
      await goOn.wait()
      return text
    } test: { address in
      let client = try await WireClient.connect(address)
      for _ in 0..<2 {
        let call = client.begin()
        try await client.perform { session in
          for stream in session.streams { session.reset(stream, errorCode: .cancel) }
        }
        #expect(try await call.get().errorCode == 8)
      }
      #expect(try await client.call().errorCode == 7)
      goOn.send()
      while try await client.call().status != "0" { await Task.yield() }
      await client.close()
    }
  }

  @Test func callsWaitWhileAPeerDoesNotReadItsReplies() async throws {
    let handled = Locked(0)
    let narrow = Self.narrow
    try await withServer {
      $0.connections.maxBufferedBytes = 100_000
    } _: { _, _ in
      handled.withLock { $0 += 1 }
      return String(repeating: "x", count: 60_000)
    } test: { address in
      let client = try await WireClient.connect(address, configuration: narrow)
      try await client.ready()
      let calls = (0..<20).map { _ in client.begin() }
      // A PING's answer comes when the calls before it have been taken.
      try await client.ping()
      #expect(handled.withLock { $0 } <= 2)
      await client.close()
      for call in calls { _ = try await call.get() }
    }
  }

  /// A service whose handlers give their writers away.
  struct KeepingService: RPCService {
    static let serviceName = "test.Keeping"
    let writers: Locked<[ResponseWriter<TextService.Text, ConnectionError>]>

    func register(in registry: inout ServiceRegistry) {
      registry.add(serverStreaming: TextService.Method(service: Self.serviceName, method: "Keep")) {
        (request, responses, context) async throws(ConnectionError) in
        try await responses.write(request)
        writers.withLock { $0.append(responses) }
      }
    }
  }

  @Test func aWriterThatIsKeptAfterItsCallIsNoCall() async throws {
    let writers = Locked<[ResponseWriter<TextService.Text, ConnectionError>]>([])
    let server = try await makeServer([KeepingService(writers: writers)]) { $0.connections.maxRunningCalls = 5 }
    let client = try await WireClient.connect(.port(server.port ?? 0))
    for _ in 0..<20 { #expect(try await client.call("/test.Keeping/Keep").status == "0") }
    // Who writes later is told that the call is over.
    for writer in writers.withLock({ $0 }) {
      let error = await #expect(throws: ConnectionError.self) { try await writer.write(TextService.Text(value: "x")) }
      #expect(error?.status == .cancelled)
    }
    await client.close()
    await server.shutDown()
  }

  @Test func aPeerThatStallsIsGivenUp() async throws {
    let narrow = Self.narrow
    // Both replies at once: of two that stall apart the first is given up alone, and the second is below the bounds then.
    let both = Signal()
    let begun = Locked(0)
    try await withServer {
      $0.connections.maxBufferedBytes = 100_000
      $0.connections.stallTimeout = .milliseconds(200)
    } _: { _, _ in
      let isSecond = begun.withLock { count in
        count += 1
        return count == 2
      }
      if isSecond { both.send() }
      await both.wait()
      return String(repeating: "x", count: 60_000)
    } test: { address in
      let client = try await WireClient.connect(address, configuration: narrow)
      try await client.ready()
      let calls = (0..<2).map { _ in client.begin() }
      for call in calls { _ = try await call.get() }
      _ = try await client.closed
      #expect(try await client.receivedGoAways.last?.errorCode == 11)
      #expect(try await client.receivedGoAways.last?.text.contains("stalled for") == true)
    }
  }

  @Test func aSlowPeerBelowTheBoundsIsNotGivenUp() async throws {
    let narrow = Self.narrow
    try await withServer {
      $0.connections.stallTimeout = .milliseconds(20)
    } _: { _, _ in
      // A byte a round trip: many times that time.
      String(repeating: "x", count: 4000)
    } test: { address in
      let client = try await WireClient.connect(address, configuration: narrow)
      try await client.ready()
      _ = try await client.begin().get()
      #expect(try await client.receivedGoAways == [])
      await client.close()
    }
  }
}
