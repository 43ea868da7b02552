// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonCalls
import TaxonFixtures
import TaxonTesting
import TaxonTransport
import Testing

/// What a channel waits for before it sends calls, and for how long.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct ConnectionSetupTests {
  /// SETTINGS with one value.
  private static func settings(_ id: UInt8, _ value: UInt8) -> [UInt8] {
    [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, id, 0, 0, 0, value]
  }
  private static let noStreams = settings(3, 0)
  /// RST_STREAM with CANCEL, on the first stream: the request was there.
  private static let reset: [UInt8] = [0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 8]

  /// Fails a call, and says how long that took.
  private func failure(
    _ peer: ScriptedPeer, timeout: Duration = .seconds(30), connectTimeout: Duration = .seconds(5)
  ) async throws -> (ConnectionError?, Duration) {
    let channel = try watched(
      Channel(
        "127.0.0.1:\(peer.port)", configuration: quietly { $0.connectTimeout = connectTimeout }))
    let start = ContinuousClock.now
    let error = await channel.failure(options: CallOptions(timeout: timeout))
    channel.shutDown()
    await peer.close()
    return (error, ContinuousClock.now - start)
  }

  @Test func callsBeyondTheStreamsOfAServerThatIsNewAreHeldBackAndNotLost() async throws {
    // Refuses what is over its limit, as HTTP/2 has it; one refusal opens the breaker.
    // The first of each channel's calls end when there are as many as may be under way at once.
    let begun = Locked(Tally())
    try await withServer(configuration: limited(to: 20)) { text, _ in
      let begun = begun.withLock { $0 }
      begun.add()
      await begun.reaches(20)
      return text
    } test: { target, _ in
      for _ in 0..<10 {
        begun.withLock { $0 = Tally() }
        let policy = CallPolicy(
          retry: RetryPolicy(maxRetries: 0, backoff: Backoff(base: .milliseconds(1), jitter: 1...1)),
          breaker: .init(failureThreshold: 1))
        let channel = try watched(Channel(target, configuration: quietly(policy)))
        let answers = try await withThrowingTaskGroup(of: String.self) { group in
          for number in 0..<25 { group.addTask { try await channel.text("\(number)") } }
          return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(answers.count == 25)
        #expect(channel.breaker?.state == .closed)
        channel.shutDown()
      }
    }
  }

  @Test func noRequestLeavesBeforeTheServersSettings() async throws {
    let server = try await WireServer(settings: false) { stream, event in
      if event == .head { stream.end(.aborted) }
    }
    let channel = try watched(Channel("127.0.0.1:\(server.port)", configuration: quietly()))
    let call = Task { await channel.failure() }
    // The client's preface and SETTINGS are there; a request would have come with them.
    await server.hears(24 + 9)
    #expect(server.streams == 0)
    try await server.sendSettings()
    #expect(await call.value?.status == .aborted)
    #expect(server.streams == 1)
    channel.shutDown()
    await server.close()
  }

  @Test func aServerThatAllowsNoStreamsIsGivenUpWithinTheTimeToConnect() async throws {
    let (error, time) = try await failure(ScriptedPeer(greeting: Self.noStreams))
    #expect(error?.status == .unavailable)
    guard case .endpointUnreachable(let unreachable)? = error else {
      Issue.record("another error: \(String(describing: error))")
      return
    }
    #expect(unreachable.reason == "the server allows no streams (SETTINGS_MAX_CONCURRENT_STREAMS is 0)")
    #expect(time < .seconds(20))
  }

  @Test func aServerThatTakesItsStreamsBackForGoodIsGivenUpToo() async throws {
    let peer = try await ScriptedPeer(greeting: ScriptedPeer.settings, answer: Self.reset + Self.noStreams)
    let channel = try watched(
      Channel(
        "127.0.0.1:\(peer.port)", configuration: quietly { $0.connectTimeout = .seconds(8) }))
    #expect(await channel.failure()?.status == .cancelled)
    let start = ContinuousClock.now
    var error = await channel.failure(options: CallOptions(timeout: .seconds(30)))
    // The SETTINGS may come in a read of their own, when the next call has left already.
    while error?.status == .cancelled { error = await channel.failure(options: CallOptions(timeout: .seconds(30))) }
    guard case .endpointUnreachable(let unreachable)? = error else {
      Issue.record("another error: \(String(describing: error))")
      return
    }
    #expect(unreachable.reason.contains("allows no streams"))
    #expect(ContinuousClock.now - start < .seconds(40))
    channel.shutDown()
    await peer.close()
  }

  @Test func aServerThatAllowsStreamsLaterIsWaitedFor() async throws {
    let peer = try await ScriptedPeer(greeting: Self.noStreams + Self.settings(3, 1), answer: Self.reset)
    #expect(try await failure(peer).0?.status == .cancelled)
  }

  @Test func aServerThatSpeaksHTTP1IsToldApart() async throws {
    let answer = Array("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n".utf8)
    let (error, time) = try await failure(ScriptedPeer(greeting: answer), connectTimeout: .seconds(40))
    guard case .endpointUnreachable(let unreachable)? = error else {
      Issue.record("another error: \(String(describing: error))")
      return
    }
    #expect(unreachable.reason.contains("HTTP/1.1"))
    #expect(time < .seconds(20))
  }

  private func limited(to streams: Int) -> Server.Configuration {
    var configuration = Server.Configuration(port: 0)
    configuration.http2.maxConcurrentStreams = streams
    return configuration
  }
}
