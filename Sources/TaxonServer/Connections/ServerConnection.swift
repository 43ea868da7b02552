// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import TaxonHTTP2

/// The server's end of one connection. Lives on the connection's event loop.
final class ServerConnection: HTTP2SessionDelegate {
  /// What the connections of a server have in common.
  struct Settings: Sendable {
    let router: any ServerRouter
    let calls: ServerCallLimits
    let http2: HTTP2Configuration
    let connections: ConnectionLimits
    let keepalive: KeepaliveSettings
    let isEncrypted: Bool
    let reporter: LimitReporter

    init(_ configuration: Server.Configuration, router: any ServerRouter, logger: Logger) {
      self.router = router
      calls = configuration.calls
      var http2 = configuration.http2
      http2.maxHeaderListSize = configuration.calls.maxHeaderListSize
      http2.flood.pingPolicy = FloodLimits.PingPolicy(
        minInterval: configuration.keepalive.minPingInterval,
        permitsWithoutCalls: configuration.keepalive.permitsPingsWithoutCalls)
      self.http2 = http2
      connections = configuration.connections
      keepalive = configuration.keepalive
      isEncrypted = configuration.tls != nil
      reporter = LimitReporter(logger: logger)
    }
  }

  private let executor: LoopExecutor
  private let streams: ServerStreamContext
  private let settings: Settings
  @exclusivity(unchecked) private var handler: ConnectionHandler?
  @exclusivity(unchecked) private var isShuttingDown = false
  @exclusivity(unchecked) private var shutdownReason = ""
  @exclusivity(unchecked) private var hasSentLast = false
  private weak var channel: (any Channel)?
  @exclusivity(unchecked) private var lifetime: ConnectionLifetime
  @exclusivity(unchecked) private var timer: Scheduled<Void>?
  /// Since when there have been no calls; nil when there are some.
  @exclusivity(unchecked) private var idleSince: NIODeadline? = .now()
  private static let shutdownPing: UInt64 = 0x7461_786f_6e00_0001
  private static let keepalivePing: UInt64 = 0x7461_786f_6e00_0002

  init(executor: LoopExecutor, channel: any Channel, settings: Settings) {
    self.executor = executor
    self.channel = channel
    self.settings = settings
    streams = ServerStreamContext(
      executor: executor, peer: Self.name(of: channel.remoteAddress), router: settings.router, limits: settings.calls)
    streams.maxBufferedBytes = settings.connections.maxBufferedBytes
    streams.isFull = { [reporter = settings.reporter, peer = streams.peer] in
      reporter.reached("max_buffered_bytes", peer: peer)
    }
    lifetime = ConnectionLifetime(
      settings.keepalive, setupTimeout: settings.connections.setupTimeout, now: .now(),
      jitter: .random(in: -0.1...0.1))
  }

  /// Puts the connection to work on its channel; `closed` is called when the channel is gone.
  func start(closed: @escaping () -> Void) throws {
    let session = try HTTP2Session(role: .server, configuration: settings.http2)
    session.delegate = self
    // The handler keeps the connection alive as long as the channel keeps the handler.
    let handler = ConnectionHandler(session: session, awaitsTLS: settings.isEncrypted) { [self] failure in
      ended(failure)
      closed()
    }
    self.handler = handler
    try channel?.pipeline.syncOperations.addHandler(handler)
    schedule()
  }

  private func ended(_ failure: ConnectionFailure?) {
    executor.eventLoop.assertInEventLoop()
    streams.tasks.close()
    timer?.cancel()
    timer = nil
    if let limit = handler?.session.exceeded {
      settings.reporter.reached(limit.rawValue, peer: streams.peer)
    } else if let failure {
      settings.reporter.logger.debug("connection lost", metadata: ["peer": "\(streams.peer)", "reason": "\(failure)"])
    }
    handler = nil
    FreedMemory.giveBackSoon()
  }

  func makeStream() -> HTTP2Stream? {
    executor.eventLoop.assertInEventLoop()
    idleSince = nil
    if settings.isEncrypted, !streams.isEncrypted, let channel {
      streams.encrypted(PeerCertificate(of: channel))
    }
    guard streams.aliveCalls < settings.connections.maxRunningCalls else {
      settings.reporter.reached("max_running_calls", peer: streams.peer)
      return nil
    }
    return ServerStream(context: streams)
  }

  func drained() {
    guard streams.hasWaiting, let handler else { return }
    if handler.session.outboundCount <= settings.connections.maxBufferedBytes { streams.wakeWaiting() }
  }

  func streamClosed() {
    executor.eventLoop.assertInEventLoop()
    if handler?.session.hasStreams != true { idleSince = .now() }
  }

  // MARK: The clock

  /// One timer at a time, however many calls there are.
  private func schedule() {
    guard let handler else { return }
    let next = lifetime.next(now: .now(), lastRead: handler.lastRead, idleSince: idleSince)
    timer = executor.eventLoop.assumeIsolated().scheduleTask(deadline: next) { [weak self] in self?.tick() }
  }

  private func tick() {
    executor.eventLoop.assertInEventLoop()
    guard let handler else { return }
    switch lifetime.check(now: .now(), lastRead: handler.lastRead, idleSince: idleSince) {
    case .ping?:
      handler.session.submitPing(Self.keepalivePing)
      handler.flush()
    case .drain(let reason)?: beginShutdown(reason: reason.rawValue)
    case .close(let reason)?: close(for: reason)
    case nil: break
    }
    schedule()
  }

  private func close(for reason: ConnectionLifetime.Reason) {
    settings.reporter.reached("\(reason)", peer: streams.peer, reason: reason.rawValue)
    if reason == .setup {
      // RFC 9113 §6.5.3; a peer that has not finished the TLS handshake is told nothing.
      handler?.session.submitGoAway(errorCode: .settingsTimeout, debugData: reason.rawValue)
      handler?.flush()
    }
    close()
  }

  // MARK: The end

  /// Takes no new calls and closes when those that are there have ended: GOAWAY with the highest number first, so that
  /// calls on their way are still taken, then, after a round trip, with the real one (RFC 9113 §6.8).
  func beginShutdown(reason: String = "shutting down") {
    executor.eventLoop.assertInEventLoop()
    guard !isShuttingDown, let handler else { return }
    isShuttingDown = true
    shutdownReason = reason
    lifetime.beganDraining()
    guard handler.isReady else { return close() }
    handler.session.submitShutdownNotice()
    // Out first, since nghttp2 lets a PING overtake it.
    handler.flush()
    handler.session.submitPing(Self.shutdownPing)
    handler.scheduleFlush()
    // A peer that does not answer the PING has had its round trip by then.
    executor.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in self?.endShutdown() }
  }

  private func endShutdown() {
    executor.eventLoop.assertInEventLoop()
    guard !hasSentLast, let handler else { return }
    hasSentLast = true
    handler.session.submitGoAway(errorCode: .noError, debugData: shutdownReason)
    handler.flush()
  }

  /// Closes at once; calls that are there are cancelled.
  func close() {
    executor.eventLoop.assertInEventLoop()
    channel?.close(promise: nil)
  }

  func receivedPingAck(_ payload: UInt64) {
    executor.eventLoop.assertInEventLoop()
    guard payload == Self.shutdownPing else { return }
    // After the read that is going on, so that the last stream's number counts the calls that come with it.
    executor.eventLoop.assumeIsolated().execute { [weak self] in self?.endShutdown() }
  }

  func receivedSettingsAck() {
    executor.eventLoop.assertInEventLoop()
    guard lifetime.isSettingUp else { return }
    lifetime.endSetup()
    timer?.cancel()
    schedule()
  }

  func receivedGoAway(lastStreamID: Int32, errorCode: UInt32, debugData: [UInt8]) {}
  func receivedSettings() {}

  /// The address as gRPC names peers.
  static func name(of address: SocketAddress?) -> String {
    switch address {
    case .v4?: "ipv4:\(address?.ipAddress ?? ""):\(address?.port ?? 0)"
    case .v6?: "ipv6:[\(address?.ipAddress ?? "")]:\(address?.port ?? 0)"
    case .unixDomainSocket?: "unix:\(address?.pathname ?? "")"
    case nil: ""
    }
  }
}
