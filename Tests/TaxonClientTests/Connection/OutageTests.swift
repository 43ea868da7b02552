// SPDX-License-Identifier: Apache-2.0
import Foundation
import Logging
import NIOCore
import NIOEmbedded
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonResilience
import TaxonTransport
import Testing

@testable import TaxonClient

/// What calls are told while there is no connection, as time goes on.
@Suite struct OutageTests {
  /// A dialer that does what it is told, on a loop that is moved by hand.
  // Used on the test's thread alone.
  private final class StubDialer: Dialer, @unchecked Sendable {
    /// Connects to it, unless it is nil.
    var peer: EmbeddedChannel?
    var dial: (any EventLoop, TimeAmount) -> EventLoopFuture<any NIOCore.Channel> = { loop, _ in
      loop.makeFailedFuture(IOError(errnoCode: ECONNREFUSED, reason: "connect"))
    }
    private(set) var count = 0

    func dial(
      _ addresses: [SocketAddress], on eventLoop: any EventLoop, timeout: TimeAmount,
      initializer: @escaping @Sendable (any NIOCore.Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any NIOCore.Channel> {
      count += 1
      if let peer { return initializer(peer).map { peer } }
      return dial(eventLoop, timeout)
    }
  }

  private final class Call: PendingCall {
    let waitsForReady = false
    var isOver: Bool { error != nil }
    var place: WaitingCalls.Place?
    private(set) var error: (any TaxonomyError)?
    func admit(_ permit: consuming CircuitBreaker.Permit) {}
    func send(on connection: ClientConnection) {}
    func fail(_ error: any TaxonomyError) { self.error = error }
  }

  private let loop = EmbeddedEventLoop()
  private let dialer = StubDialer()

  private func makeChannel(
    _ target: String, _ change: (inout TaxonClient.Channel.Configuration) -> Void = { _ in }
  ) throws -> TaxonClient.Channel {
    loop.advanceTime(by: .hours(1))
    var configuration = TaxonClient.Channel.Configuration(policy: .none)
    configuration.backoff = Backoff(base: .seconds(8), factor: 1.5, cap: .seconds(120), jitter: 1...1)
    configuration.clock = LoopClock(loop: loop)
    configuration.logger = Logger(label: "outage") { _ in SwiftLogNoOpLogHandler() }
    change(&configuration)
    return try TaxonClient.Channel(Target(target), configuration, dialer: dialer, eventLoop: loop)
  }

  private func failure(_ channel: TaxonClient.Channel) throws -> ConnectionError.EndpointUnreachable {
    let call = Call()
    channel.engine.dispatcher.start(call)
    loop.run()
    return try #require(call.error?.as(ConnectionError.EndpointUnreachable.self))
  }

  @Test func aRefusedConnectionSaysForHowLongAndWhenTheNextAttemptIs() throws {
    let channel = try makeChannel("ipv4:10.0.0.3:443")
    let first = try failure(channel)
    let start = "Target ipv4:10.0.0.3:443 cannot be reached: connecting to 10.0.0.3:443 failed: "
    let reason = "Connection refused (ECONNREFUSED)"
    #expect(first.message == start + reason + "; next attempt in 8.0 s")
    #expect(first.phase == .connect)
    #expect(first.address == "10.0.0.3:443")
    #expect(first.reason == reason)
    #expect(first.otherAddresses == 0)
    #expect(first.unreachableForMs == 0)
    #expect(first.nextAttemptInMs == 8000)
    #expect((first.cause as? IOError)?.errnoCode == ECONNREFUSED)

    loop.advanceTime(by: .milliseconds(4_800))
    #expect(try failure(channel).message == start + reason + ", for 4.8 s now; next attempt in 3.2 s")
    #expect(dialer.count == 1)

    // The second attempt comes with the first call after the pause, and its own pause is longer.
    loop.advanceTime(by: .milliseconds(7_200))
    let later = try failure(channel)
    #expect(dialer.count == 2)
    #expect(later.message == start + reason + ", for 12 s now; next attempt in 12 s")
    #expect(later.unreachableForMs == 12_000)
    #expect(later.nextAttemptInMs == 12_000)
    channel.shutDown()
  }

  @Test func packetsThatAreLostEndTheAttemptByItsTimeout() throws {
    dialer.dial = { loop, timeout in
      let promise = loop.makePromise(of: (any NIOCore.Channel).self)
      loop.scheduleTask(in: timeout) { promise.fail(ChannelError.connectTimeout(timeout)) }
      return promise.futureResult
    }
    let channel = try makeChannel("ipv4:192.0.2.1:443") { $0.connectTimeout = .seconds(20) }
    let call = Call()
    channel.engine.dispatcher.start(call)
    loop.advanceTime(by: .seconds(20))
    let error = try #require(call.error?.as(ConnectionError.EndpointUnreachable.self))
    #expect(
      error.message
        == "Target ipv4:192.0.2.1:443 cannot be reached: connecting to 192.0.2.1:443 failed: no answer within 20000 ms, "
        + "for 20 s now; next attempt with the next call")
    #expect(error.phase == .connect)
    #expect(error.unreachableForMs == 20_000)
    #expect(error.nextAttemptInMs == 0)
    channel.shutDown()
  }

  @Test func ofSeveralAddressesTheLastIsNamedAndTheOthersAreCounted() throws {
    let two = try makeChannel("ipv4:10.0.0.3:443,10.0.0.4:443")
    #expect(
      try failure(two).message.hasPrefix(
        "Target ipv4:10.0.0.3:443,10.0.0.4:443 cannot be reached: connecting to 10.0.0.4:443 and one other address failed: "
      ))
    two.shutDown()
    for balancing in [TaxonClient.Channel.Balancing.pickFirst, .roundRobin] {
      let three = try makeChannel("ipv4:10.0.0.3:1,10.0.0.4:2,10.0.0.5:3") { $0.balancing = balancing }
      let error = try failure(three)
      #expect(error.otherAddresses == 2)
      #expect(error.endpoint == "ipv4:10.0.0.3:1,10.0.0.4:2,10.0.0.5:3")
      #expect(error.message.contains(" connecting to 10.0.0.5:3 and 2 other addresses failed: "), "\(error.message)")
      three.shutDown()
    }
  }

  @Test func aConnectionThatWasGoodDoesNotCountAsTimeOfFailure() throws {
    let peer = EmbeddedChannel(loop: loop)
    dialer.peer = peer
    let channel = try makeChannel("ipv4:10.0.0.3:443") { $0.connectTimeout = .seconds(20) }
    func settings(maxStreams: UInt8) throws {
      try peer.writeInbound(ByteBuffer(bytes: [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, maxStreams]))
      loop.run()
    }
    channel.engine.dispatcher.start(Call())
    try peer.connect(to: SocketAddress(ipAddress: "10.0.0.3", port: 443)).wait()
    try settings(maxStreams: 100)
    loop.advanceTime(by: .minutes(2))
    try settings(maxStreams: 0)
    dialer.peer = nil
    let waiting = Call()
    channel.engine.dispatcher.start(waiting)
    loop.advanceTime(by: .seconds(20))
    let refused = try #require(waiting.error?.as(ConnectionError.EndpointUnreachable.self))
    #expect(refused.phase == .settings && refused.unreachableForMs == 0, "\(refused.message)")
    // What fails after it has begun to fail with it.
    let later = try failure(channel)
    #expect(later.phase == .connect && later.unreachableForMs == 0, "\(later.message)")
    channel.shutDown()
  }

  @Test func oneOfSeveralAddressesIsNotLoggedAsTheTarget() throws {
    for (balancing, subject) in [
      (TaxonClient.Channel.Balancing.pickFirst, "the target"), (.roundRobin, "an address of the target"),
    ] {
      let lines = Locked<[String]>([])
      let channel = try makeChannel("ipv4:10.0.0.3:1,10.0.0.4:2") {
        $0.balancing = balancing
        $0.logger = Logger(label: "outage") { _ in LineHandler(lines: lines) }
      }
      _ = try failure(channel)
      let outages = lines.withLock { $0 }.filter { $0.contains("cannot be reached") }
      #expect(outages.count == (balancing == .pickFirst ? 1 : 2))
      #expect(outages.allSatisfy { $0.hasPrefix("notice \(subject) cannot be reached: ") }, "\(outages)")
      channel.shutDown()
    }
  }

  @Test func eachKindOfFailureIsLoggedOnceAndSoIsItsEnd() throws {
    var log = OutageLog()
    let lines = Locked<[String]>([])
    let logger = Logger(label: "outage") { _ in LineHandler(lines: lines) }
    var outage = Outage(
      phase: .connect, address: "10.0.0.3:443", reason: "no answer within 20 ms", since: .now(), began: .now(),
      nextAttempt: .now())
    log.note(outage, of: "dns:///orders", logger)
    outage.reason = "no answer within 40 ms"
    log.note(outage, of: "dns:///orders", logger)
    (outage.phase, outage.reason) = (.tls, "TLS: CERTIFICATE_VERIFY_FAILED")
    log.note(outage, of: "dns:///orders", logger)
    log.end(of: "dns:///orders", at: "10.0.0.3:443", logger)
    log.end(of: "dns:///orders", at: "10.0.0.3:443", logger)
    let place = "address 10.0.0.3:443"
    #expect(
      lines.withLock { $0 } == [
        "notice the target cannot be reached: \(place), phase CONNECT, reason no answer within 20 ms, target dns:///orders",
        "debug the target cannot be reached: \(place), phase CONNECT, reason no answer within 40 ms, target dns:///orders",
        "notice the target cannot be reached: \(place), phase TLS, reason TLS: CERTIFICATE_VERIFY_FAILED, target dns:///orders",
        "notice the target can be reached again: \(place), target dns:///orders",
      ])
  }

  private struct LineHandler: LogHandler {
    let lines: Locked<[String]>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let fields = (event.metadata ?? [:]).map { "\($0) \($1)" }.sorted().joined(separator: ", ")
      lines.withLock { $0.append("\(event.level) \(event.message): \(fields)") }
    }
  }
}
