// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import TaxonCalls
import TaxonTransport

/// The server's end of one connection. Lives on the connection's event loop.
final class ServerConnection: HTTPConnectionDelegate {
  /// What the connections of a server have in common.
  struct Settings: Sendable {
    let router: any ServerRouter
    let calls: ServerCallLimits
    let protocols: CallProtocols
    let http1: HTTP1Configuration
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
      var http1 = configuration.http1
      http1.maxHeaderListSize = configuration.calls.maxHeaderListSize
      http1.bodyWindow = configuration.http2.streamWindow
      self.http1 = http1
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
  /// Nil before it is known which version of HTTP the client speaks, and when the channel is gone.
  @exclusivity(unchecked) private var transport: (any ServerTransport)?
  @exclusivity(unchecked) private var isEnded = false
  /// Why the connection is being closed gracefully.
  @exclusivity(unchecked) private var shutdownReason: String?
  // Not weak, here and in the closures below: an object to which there is a weak reference pays for each strong one. What
  // ends the connection lets go of them.
  @exclusivity(unchecked) private(set) var channel: (any Channel)?
  @exclusivity(unchecked) private var lifetime: ConnectionLifetime
  @exclusivity(unchecked) private var timer: Scheduled<Void>?
  @exclusivity(unchecked) private var stallTimer: Scheduled<Void>?
  @exclusivity(unchecked) private var trimTimer: Scheduled<Void>?
  private static let trimTime = TimeAmount.milliseconds(500)
  /// Since when there have been no calls; nil when there are some.
  @exclusivity(unchecked) private var idleSince: NIODeadline? = .now()

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

  /// Puts the connection to work on its channel.
  ///
  /// - Parameters:
  ///   - began: Called when it is known which version of HTTP the client speaks, and its handlers are in the pipeline.
  ///   - closed: Called when the channel is gone.
  func start(began: @escaping () -> Void, closed: @escaping () -> Void) throws {
    // The handlers keep the connection alive as long as the channel keeps them.
    let whenEnded = { [self] (failure: ConnectionFailure?) in
      ended(failure)
      closed()
    }
    let door = FrontDoor(awaitsTLS: settings.isEncrypted) { [self] version in
      try speak(version, whenEnded: whenEnded)
      began()
    } closed: {
      whenEnded($0)
    }
    try channel?.pipeline.syncOperations.addHandler(door)
    streams.ledger.hasRoom = { [streams] in streams.wakeWaiting() }
    streams.ledger.holdsMore = { [self] in watchForStalls() }
    streams.isFull = { [self] in
      settings.reporter.reached("max_buffered_bytes", peer: streams.peer.address)
      watchForStalls()
    }
    schedule()
  }

  private func speak(_ version: HTTPVersion, whenEnded: @escaping (ConnectionFailure?) -> Void) throws {
    guard let channel else { throw ChannelError.alreadyClosed }
    let transport: any ServerTransport
    switch version {
    case .http2:
      transport = try HTTP2Transport(
        self, configuration: settings.http2, ledger: streams.ledger, closeLimit: settings.closeLimit, closed: whenEnded)
    case .http1:
      let connection = HTTP1Connection(
        settings.http1, isEncrypted: settings.isEncrypted, ledger: streams.ledger, turn: executor.turn,
        closeLimit: settings.closeLimit, closed: whenEnded)
      connection.delegate = self
      transport = connection
      lifetime.speaksHTTP1(idleTimeout: settings.http1.idleTimeout)
      endSetup()
    }
    self.transport = transport
    try transport.addHandlers(to: channel)
    if let shutdownReason, !isEnded { transport.beginShutdown(reason: shutdownReason) }
  }

  /// The loop on which everything happens.
  var eventLoop: any EventLoop { executor.eventLoop }

  private func ended(_ failure: ConnectionFailure?) {
    executor.eventLoop.assertInEventLoop()
    isEnded = true
    streams.tasks.close()
    streams.ledger.close()
    for timer in [stallTimer, trimTimer, timer] { timer?.cancel() }
    (stallTimer, trimTimer, timer) = (nil, nil, nil)
    streams.isFull = nil
    channel = nil
    if let (limit, reason) = transport?.exceeded {
      settings.reporter.reached(limit, peer: streams.peer.address, reason: reason)
    } else if let failure, failure.isOfHandshake {
      settings.reporter.handshakeFailed(peer: streams.peer.address, reason: "\(failure)")
    } else if case .otherProtocol(let reason)? = failure {
      settings.reporter.unknownProtocol(peer: streams.peer.address, reason: reason)
    } else if let failure {
      settings.reporter.logger.debug(
        "connection lost", metadata: ["peer": "\(streams.peer.address)", "reason": "\(failure)"])
    }
    // It may be about to tell its exchanges.
    let transport = transport.take()
    executor.eventLoop.assumeIsolated().execute { _ = transport }
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
    guard streams.hasWaiting, let transport else { return }
    if !streams.ledger.isFull(sent: transport.outboundCount) { streams.wakeWaiting() }
  }

  func streamClosed() {
    executor.eventLoop.assertInEventLoop()
    guard !isEnded, transport?.hasExchanges != true else { return }
    let now = NIODeadline.now()
    idleSince = now
    if trimTimer == nil { trim(at: now + Self.trimTime) }
  }

  /// Gives up, once the connection has been idle for half a second, what it keeps for the next calls. A connection in use has one
  /// such timer at a time.
  private func trim(at time: NIODeadline) {
    trimTimer = executor.eventLoop.assumeIsolated().scheduleTask(deadline: time) { [self] in
      trimTimer = nil
      guard let idleSince, let transport else { return }
      if NIODeadline.now() < idleSince + Self.trimTime { return trim(at: idleSince + Self.trimTime) }
      streams.tasks.endIdle()
      streams.headerCache.clear()
      transport.trim()
      FreedMemory.giveBackSoon()
    }
  }

  // MARK: The clock

  /// One timer at a time, however many calls there are.
  private func schedule() {
    guard !isEnded else { return }
    let now = NIODeadline.now()
    let next = lifetime.next(now: now, lastRead: transport?.lastRead ?? now, idleSince: idleSince)
    timer = executor.eventLoop.assumeIsolated().scheduleTask(deadline: next) { [self] in tick() }
  }

  private func tick() {
    executor.eventLoop.assertInEventLoop()
    guard !isEnded else { return }
    let now = NIODeadline.now()
    switch lifetime.check(now: now, lastRead: transport?.lastRead ?? now, idleSince: idleSince) {
    case .ping?: transport?.ping()
    case .drain(let reason)?: beginShutdown(reason: reason.rawValue)
    case .close(let reason)?: close(for: reason)
    case nil: break
    }
    schedule()
  }

  private func close(for reason: ConnectionLifetime.Reason) {
    settings.reporter.reached("\(reason)", peer: streams.peer.address, reason: reason.rawValue)
    // RFC 9113 §6.5.3; a peer that has not finished the TLS handshake is told nothing.
    if reason == .setup { transport?.end(.settingsTimeout, reason: reason.rawValue) }
    close()
  }

  /// The peer has done its part of the setup.
  func endSetup() {
    executor.eventLoop.assertInEventLoop()
    guard lifetime.isSettingUp else { return }
    lifetime.endSetup()
    timer?.cancel()
    schedule()
  }

  // MARK: Peers that stall

  /// Looks at the streams while the connection holds much for its peer: no timer runs for the usual one.
  private func watchForStalls() {
    guard stallTimer == nil, !isEnded else { return }
    let interval = TimeAmount(saturating: settings.connections.stallTimeout / 2)
    stallTimer = executor.eventLoop.assumeIsolated().scheduleTask(in: interval) { [self] in
      stallTimer = nil
      endStalls()
    }
  }

  /// Gives up streams of which the peer has taken next to nothing for the whole time, or of whose request nothing more came,
  /// if there is too much.
  private func endStalls() {
    guard let transport else { return }
    let ledger = streams.ledger
    guard ledger.holdsMuch(sent: transport.outboundCount) || streams.hasWaiting else { return }
    let isFull = ledger.isFull(sent: transport.outboundCount) || ledger.isFullForAll
    var stalled: [any ServerExchange] = []
    var bytes = 0
    var moves = false
    for stream in transport.exchanges {
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
        for stream in stalled { stream.reset(.enhanceYourCalm) }
      } else {
        transport.end(.enhanceYourCalm, reason: reason)
        return close()
      }
    }
    watchForStalls()
  }

  // MARK: The end

  /// Takes no new calls and closes when those that are there have ended. A peer that has said nothing yet may still bring a
  /// call within a second: it may be on its way.
  func beginShutdown(reason: String = "shutting down") {
    executor.eventLoop.assertInEventLoop()
    guard shutdownReason == nil, !isEnded else { return }
    shutdownReason = reason
    lifetime.beganDraining()
    if let transport { return transport.beginShutdown(reason: reason) }
    executor.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in
      if let self, transport == nil { close() }
    }
  }

  /// Closes at once; calls that are there are cancelled.
  func close() {
    executor.eventLoop.assertInEventLoop()
    channel?.close(promise: nil)
  }
}
