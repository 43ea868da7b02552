// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Taxon
import TaxonCalls
import TaxonFixtures
import TaxonProtobuf
import TaxonTransport
import Testing

@testable import TaxonServer

/// What a server has written when its connection ends, and a peer has not read yet.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct SlowReaderTests {
  /// Why a connection ends well.
  enum End: CaseIterable { case shutdown, goAwayOfTheClient, age }

  /// Where the answers are when the connection ends.
  enum Place: CaseIterable {
    /// In the buffers of the server's channel, too.
    case channel
    /// In those of the system, on either side; the peer still has windows to open.
    case system

    var answers: (count: Int, size: Int) { self == .channel ? (8, 1 << 20) : (1, 3 << 19) }

    var windows: HTTP2Configuration {
      var configuration = HTTP2Configuration()
      configuration.streamWindow = self == .channel ? 1 << 30 : 1 << 21
      configuration.maxStreamWindow = configuration.streamWindow
      configuration.connectionWindow = configuration.streamWindow
      return configuration
    }
  }

  private func makeServer(gracePeriod: Duration, _ end: End, size: Int, written: Signal, after count: Int) async throws
    -> Server
  {
    let handled = Locked(0)
    return try await TaxonTests.makeServer {
      $0.gracePeriod = gracePeriod
      $0.connections.outboundHighWater = 64 << 20
      if end == .age { $0.keepalive.maxConnectionAge = .seconds(8) }
    } _: { text, _ in
      if text == "begin" { return text }
      let number = handled.withLock { handled in
        handled += 1
        return handled
      }
      if number == count { written.send() }
      return String(repeating: "x", count: size)
    }
  }

  /// Happens when the end of the server's one connection has waited so often for its peer.
  private func lingers(_ server: Server, times: Int) async throws -> Signal {
    let signal = Signal()
    let count = Locked(0)
    let connection = try #require(server.connections.all.first)
    try await connection.eventLoop.submit {
      let handler = try connection.value.channel?.pipeline.syncOperations.handler(type: ConnectionHandler.self)
      handler?.lingers = {
        let isEnough = count.withLock { count in
          count += 1
          return count == times
        }
        if isEnough { signal.send() }
      }
    }.get()
    return signal
  }

  @Test(arguments: End.allCases, Place.allCases)
  func isNotCutOffWhenAConnectionEndsWell(_ end: End, _ place: Place) async throws {
    let (count, size) = place.answers
    let written = Signal()
    let server = try await makeServer(gracePeriod: .seconds(30), end, size: size, written: written, after: count)
    let client = try await WireClient.connect(.port(server.port ?? 0), configuration: place.windows)
    try await client.ready()
    #expect(try await client.call("/test.Text/Call", text("begin")).status == "0")
    try await client.channel.setOption(.autoRead, value: false).get()
    let lingers = try await lingers(server, times: 4)
    let calls = (0..<count).map { _ in client.begin("/test.Text/Call", text("x")) }
    await written.wait()
    async let shutdown: Void? = end == .shutdown ? server.shutDown() : nil
    if end == .goAwayOfTheClient { try await client.perform { $0.submitGoAway(errorCode: .noError) } }
    // Longer than a peer may take that has everything: the server has looked three times, a second apart.
    await lingers.wait()
    try await client.channel.setOption(.autoRead, value: true).get()
    for call in calls {
      let answer = try await call.get()
      #expect(answer.status == "0" && answer.body.count > size, "\(answer.body.count) bytes")
    }
    _ = try await client.closed
    _ = await shutdown
    await server.shutDown()
  }

  @Test func isGivenUpWhenTheGracePeriodIsOver() async throws {
    let written = Signal()
    let server = try await makeServer(
      gracePeriod: .seconds(2), .shutdown, size: 16 << 20, written: written, after: 1)
    let client = try await WireClient.connect(.port(server.port ?? 0), configuration: Place.channel.windows)
    try await client.ready()
    try await client.channel.setOption(.autoRead, value: false).get()
    let call = client.begin("/test.Text/Call", text("x"))
    await written.wait()
    let begin = ContinuousClock.now
    await server.shutDown()
    let time = ContinuousClock.now - begin
    #expect(time > .milliseconds(1900) && time < .seconds(25), "\(time)")
    try await client.channel.setOption(.autoRead, value: true).get()
    _ = try await call.get()
  }

  /// Two megabytes wait at the client when it shuts down, since the handler does not read yet.
  @Test func theCallsOfAClientThatShutsDownAreSentToTheirEnd() async throws {
    let goOn = Signal()
    let service = Counter(goOn: goOn)
    try await withChannel(to: [service]) { channel, _ async throws in
      let call = channel.clientStreaming(Counter.method, options: CallOptions())
      let writing = Task {
        for _ in 0..<20 { try await call.write(TextService.Text(value: String(repeating: "x", count: 100_000))) }
      }
      await service.started.wait()
      channel.shutDown()
      goOn.send()
      try await writing.value
      #expect(try await call.response().value == "2000000")
    }
  }

  /// Counts the bytes of a request, when it is told to.
  private struct Counter: RPCService {
    static let serviceName = "test.Counter"
    static let method = TextService.Method(service: serviceName, method: "Count")
    let started = Signal()
    let goOn: Signal

    func register(in registry: inout ServiceRegistry) {
      registry.add(clientStreaming: Self.method) { (requests, _) async throws(ConnectionError) in
        started.send()
        await goOn.wait()
        var count = 0
        for try await request in requests { count += request.value.utf8.count }
        return TextService.Text(value: "\(count)")
      }
    }
  }

  /// A request of the text service.
  private func text(_ value: String) -> [UInt8] {
    let message = [0x0a, UInt8(value.utf8.count)] + Array(value.utf8)
    return [0, 0, 0, 0, UInt8(message.count)] + message
  }
}
