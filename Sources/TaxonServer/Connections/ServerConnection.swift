// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import TaxonCalls
import TaxonTransport

/// The server's end of one connection. Lives on the connection's event loop.
final class ServerConnection: HTTP2SessionDelegate {
  /// What the connections of a server have in common.
  struct Settings: Sendable {
    let router: any ServerRouter
    let calls: ServerCallLimits
    let protocols: CallProtocols
    let http2: HTTP2Configuration
    let connections: ConnectionLimits
    let keepalive: KeepaliveSettings
    let isEncrypted: Bool
    let reporter: LimitReporter
    let ledger: SharedLedger
    /// How long a connection that ends well may take to write what is left.
    let closeLimit: Duration

    init(_ configuration: Server.Configuration, router: any ServerRouter, logger: Logger) {
      self.router = router
      var calls = configuration.calls
      calls.creditStep = max(1, configuration.http2.streamWindow / 2)
      self.calls = calls
      protocols = CallProtocols(
        served: configuration.protocols, connect: configuration.connect, json: configuration.json,
        cors: configuration.cors)
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
      closeLimit = configuration.gracePeriod
      ledger = SharedLedger(
        received: connections.maxTotalUnreadBytes, sent: connections.maxTotalBufferedBytes)
    }

    /// The bounds of one connection.
    var ledgerLimits: LedgerLimits {
      var limits = LedgerLimits()
      limits.received = connections.maxUnreadBytes
      limits.sent = connections.maxBufferedBytes
      return limits
    }
  }

  private let executor: LoopExecutor
  private let streams: ServerStreamContext
  private let settings: Settings
  @exclusivity(unchecked) private var handler: ConnectionHandler?
  @exclusivity(unchecked) private var isShuttingDown = false
  @exclusivity(unchecked) private var shutdownReason = ""
  @exclusivity(unchecked) private var hasSentLast = false
  private(set) weak var channel: (any Channel)?
  @exclusivity(unchecked) private var lifetime: ConnectionLifetime
  @exclusivity(unchecked) private var timer: Scheduled<Void>?
  @exclusivity(unchecked) private var stallTimer: Scheduled<Void>?
  @exclusivity(unchecked) private var trimTimer: Scheduled<Void>?
  private static let trimTime = TimeAmount.milliseconds(500)
  /// Since when there have been no calls; nil when there are some.
  @exclusivity(unchecked) private var idleSince: NIODeadline? = .now()
  private static let shutdownPing: UInt64 = 0x7461_786f_6e00_0001
  private static let keepalivePing: UInt64 = 0x7461_786f_6e00_0002

  init(executor: LoopExecutor, channel: any Channel, settings: Settings) {
    self.executor = executor
    self.channel = channel
    self.settings = settings
    let ledger = ConnectionLedger(settings.ledgerLimits, shared: settings.ledger, eventLoop: executor.eventLoop)
    streams = ServerStreamContext(
      executor: executor, peer: channel.remoteAddress?.peerName ?? "", router: settings.router, limits: settings.calls,
      protocols: settings.protocols, ledger: ledger)
    streams.shedsCall = { [reporter = settings.reporter, peer = streams.peer.address] limit in
      reporter.reached(limit, peer: peer)
    }
    lifetime = ConnectionLifetime(
      settings.keepalive, setupTimeout: settings.connections.setupTimeout, now: .now(),
      jitter: .random(in: -0.1...0.1))
  }

  /// Puts the connection to work on its channel; `closed` is called when the channel is gone.
  func start(closed: @escaping () -> Void) throws {
    let session = try HTTP2Session(role: .server, configuration: settings.http2, ledger: streams.ledger)
    streams.ledger.hasRoom = { [weak streams] in streams?.wakeWaiting() }
    streams.ledger.holdsMore = { [weak self] in self?.watchForStalls() }
    streams.isFull = { [weak self] in
      guard let self else { return }
      settings.reporter.reached("max_buffered_bytes", peer: streams.peer.address)
      watchForStalls()
    }
    session.delegate = self
    // The handler keeps the connection alive as long as the channel keeps the handler.
    let handler = ConnectionHandler(
      session: session, awaitsTLS: settings.isEncrypted, closeLimit: settings.closeLimit
    ) { [self] failure in
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
    streams.ledger.close()
    stallTimer?.cancel()
    trimTimer?.cancel()
    timer?.cancel()
    timer = nil
    if let limit = handler?.session.exceeded {
      settings.reporter.reached(limit.rawValue, peer: streams.peer.address)
    } else if let failure, failure.isOfHandshake {
      settings.reporter.handshakeFailed(peer: streams.peer.address, reason: "\(failure)")
    } else if let failure {
      settings.reporter.logger.debug(
        "connection lost", metadata: ["peer": "\(streams.peer.address)", "reason": "\(failure)"])
    }
    handler = nil
    FreedMemory.giveBackSoon()
  }

  func makeReceiver(for exchange: any HTTPExchange) -> (any HTTPExchangeReceiver)? {
    executor.eventLoop.assertInEventLoop()
    idleSince = nil
    if settings.isEncrypted, !streams.peer.isEncrypted, let channel {
      streams.encrypted(PeerCertificate(of: channel))
    }
    guard streams.aliveCalls < settings.connections.maxRunningCalls else {
      settings.reporter.reached("max_running_calls", peer: streams.peer.address)
      return nil
    }
    return ServerStream(exchange, context: streams)
  }

  func drained() {
    guard streams.hasWaiting, let session = handler?.session else { return }
    if !session.ledger.isFull(sent: session.outboundCount) { streams.wakeWaiting() }
  }

  func streamClosed() {
    executor.eventLoop.assertInEventLoop()
    guard handler?.session.hasStreams != true else { return }
    let now = NIODeadline.now()
    idleSince = now
    if trimTimer == nil { trim(at: now + Self.trimTime) }
  }

  /// Gives up, once the connection has been idle for half a second, what it keeps for the next calls. A connection in use has one
  /// such timer at a time.
  private func trim(at time: NIODeadline) {
    trimTimer = executor.eventLoop.assumeIsolated().scheduleTask(deadline: time) { [weak self] in
      guard let self else { return }
      trimTimer = nil
      guard let idleSince, let handler else { return }
      if NIODeadline.now() < idleSince + Self.trimTime { return trim(at: idleSince + Self.trimTime) }
      streams.tasks.endIdle()
      streams.headerCache.clear()
      handler.trim()
      FreedMemory.giveBackSoon()
    }
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
    settings.reporter.reached("\(reason)", peer: streams.peer.address, reason: reason.rawValue)
    if reason == .setup {
      // RFC 9113 §6.5.3; a peer that has not finished the TLS handshake is told nothing.
      handler?.session.submitGoAway(errorCode: .settingsTimeout, debugData: reason.rawValue)
      handler?.flush()
    }
    close()
  }

  // MARK: Peers that stall

  /// Looks at the streams while the connection holds much for its peer: no timer runs for the usual one.
  private func watchForStalls() {
    guard stallTimer == nil, handler != nil else { return }
    let interval = TimeAmount(saturating: settings.connections.stallTimeout / 2)
    stallTimer = executor.eventLoop.assumeIsolated().scheduleTask(in: interval) { [weak self] in
      self?.stallTimer = nil
      self?.endStalls()
    }
  }

  /// Gives up streams of which the peer has taken next to nothing for the whole time, or of whose request nothing more came,
  /// if there is too much.
  private func endStalls() {
    guard let session = handler?.session else { return }
    let ledger = session.ledger
    guard ledger.holdsMuch(sent: session.outboundCount) || streams.hasWaiting else { return }
    let isFull = ledger.isFull(sent: session.outboundCount) || ledger.isFullForAll
    var stalled: [HTTP2Stream] = []
    var bytes = 0
    var moves = false
    for stream in session.streams {
      let isStalled = stream.stalls() >= 2 && isFull
      let inputIsStalled = stream.receiver?.inputStalls() ?? 0 >= 2 && ledger.isFullOfInput
      if isStalled || inputIsStalled {
        stalled.append(stream)
        bytes += stream.waitingCount
      } else {
        moves = true
      }
    }
    if !stalled.isEmpty {
      let time = settings.connections.stallTimeout
      let reason = "\(stalled.count) streams stalled for \(time), with \(bytes) bytes of replies that were not taken"
      settings.reporter.reached("stalled", peer: streams.peer.address, reason: reason)
      if moves {
        for stream in stalled { session.reset(stream, errorCode: .enhanceYourCalm) }
      } else {
        session.submitGoAway(errorCode: .enhanceYourCalm, debugData: reason)
        handler?.flush()
        return close()
      }
    }
    watchForStalls()
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
}
