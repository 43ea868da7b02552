// SPDX-License-Identifier: Apache-2.0
import Metrics
import MetricsTestKit
import NIOCore
import Taxon
import TaxonFixtures
import TaxonTransport
import Testing

@testable import TaxonServer

/// Limits as a peer that does not read meets them, and how they are counted.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct BackPressureTests {
  @Test func aServerStopsReadingWhatAPeerAsksThatDoesNotReadItsAnswers() async throws {
    let handled = Tally()
    let server = try await makeServer {
      $0.connections.outboundHighWater = 64 * 1024
      // Not what is tested here.
      $0.connections.maxBufferedBytes = 1 << 40
      $0.http2.maxConcurrentStreams = 1000
      $0.connections.maxRunningCalls = 1000
    } _: { _, _ in
      handled.add()
      return String(repeating: "x", count: 1 << 20)
    }
    var wide = HTTP2Configuration()
    wide.streamWindow = 1 << 30
    wide.maxStreamWindow = 1 << 30
    wide.connectionWindow = 1 << 30
    let client = try await WireClient.connect(.port(server.port ?? 0), configuration: wide)
    #expect(try await client.call().status == "0")
    try await client.channel.setOption(.autoRead, value: false).get()
    var calls: [EventLoopFuture<WireClient.Answer>] = []
    var isStalled = false
    // The system's buffers take some of the answers.
    while !isStalled, calls.count < 200 {
      calls.append(client.begin())
      while handled.count < calls.count + 1, !isStalled { isStalled = try await !reads(server) }
    }
    #expect(isStalled, "\(handled.count) calls were taken")
    // When the peer reads again, nothing is lost.
    try await client.channel.setOption(.autoRead, value: true).get()
    for call in calls { #expect(try await call.get().status == "0") }
    await client.close()
    await server.shutDown()
  }

  @Test func whatAPeerAsksThatTakesNoReplyIsKeptUpToItsShareWhenAllHoldTooMuch() async throws {
    let before = count("max_total_buffered_bytes")
    let handled = Locked(0)
    let decided = Tally()
    let server = try await makeServer {
      $0.connections.maxTotalBufferedBytes = 256 * 1024
    } _: { text, _ in
      guard !text.isEmpty else { return text }
      handled.withLock { $0 += 1 }
      decided.add()
      return String(repeating: "x", count: 100 * 1024)
    }
    var closed = HTTP2Configuration()
    closed.streamWindow = 0
    let client = try await WireClient.connect(.port(server.port ?? 0), configuration: closed)
    try await client.ready()
    let request = try TextService.Text(value: String(repeating: "x", count: 15 * 1024)).encoded()
    let body = [0, 0, 0, UInt8(request.count >> 8), UInt8(request.count & 255)] + request
    let calls = (0..<100).map { _ in
      client.begin("/test.Text/Call", body) { if $0.status == "14" { decided.add() } }
    }
    // Handled or refused. The others have their replies waiting, or wait for their turn.
    await decided.reaches(92)
    #expect(handled.withLock { $0 } < 20)
    #expect(count("max_total_buffered_bytes") > before)
    // Beside it all is well.
    let other = try await WireClient.connect(.port(server.port ?? 0))
    #expect(try await other.call().status == "0")
    await other.close()
    await client.close()
    await server.shutDown()
    withExtendedLifetime(calls) {}
  }

  @Test func smallWindowsStopNoStream() async throws {
    var configuration = Server.Configuration(port: 0)
    configuration.http2.streamWindow = 1000
    configuration.http2.maxStreamWindow = 1000
    let server = try await makeServer([KindsService()]) { $0 = configuration }
    let channel = try watched(
      Channel(
        "127.0.0.1:\(server.port ?? 0)",
        configuration: quietly {
          $0.http2.streamWindow = 1000
          $0.http2.maxStreamWindow = 1000
        }))
    let call = channel.bidirectional(Kind.bidirectional.method, options: CallOptions())
    async let written: Void = {
      for number in 0..<50 {
        try await call.write(KindsService.Text(value: String(repeating: "x", count: 300) + "\(number)"))
      }
      call.finish()
    }()
    var count = 0
    for try await answer in call.responses {
      #expect(answer.value.hasSuffix("X\(count)"))
      count += 1
    }
    try await written
    #expect(count == 50)
    channel.shutDown()
    await server.shutDown()
  }

  /// Whether a server reads from its one connection.
  private func reads(_ server: Server) async throws -> Bool {
    let connection = try #require(server.connections.all.first)
    return try await connection.eventLoop.flatSubmit {
      connection.value.channel?.getOption(.autoRead) ?? connection.eventLoop.makeSucceededFuture(false)
    }.get()
  }

  /// How often a limit was reached, by any test.
  private func count(_ limit: String) -> Int64 {
    processMetrics.counters(label: "taxon.server.limit")
      .filter { $0.dimensions.contains { $0 == ("limit", limit) } }.reduce(0) { $0 + $1.totalValue }
  }

  @Test func aLimitThatIsReachedIsCounted() async throws {
    let before = (connections: count("max_connections"), pings: count("too_many_pings"))
    let server = try await makeServer(configure: { $0.connections.maxConnections = 1 }) { text, _ in text }
    let first = try await WireClient.connect(.port(server.port ?? 0))
    #expect(try await first.call().status == "0")
    #expect(count("max_connections") >= before.connections)
    for _ in 0..<3 {
      let second = try await WireClient.connect(.port(server.port ?? 0))
      _ = try await second.closed
    }
    #expect(count("max_connections") >= before.connections + 3)
    for _ in 0..<5 { try await first.perform { $0.submitPing(1) } }
    _ = try await first.closed
    await server.shutDown()
    #expect(count("too_many_pings") >= before.pings + 1)
  }
}
