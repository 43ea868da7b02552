// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import TaxonCalls
import TaxonErrors
import TaxonTransport

/// What a client accepts.
public struct ClientLimits: Sendable {
  /// Bytes of one message of an answer.
  public var maxMessageSize = 4 * 1024 * 1024
  /// Bytes of an answer's head, and of its trailers, each field counted with 32 on top.
  public var maxHeaderListSize = 16 * 1024

  /// The values above.
  public init() {}
}

/// Gives a connection its calls. Called on the connection's loop.
protocol ClientConnectionOwner: AnyObject {
  /// The server's first SETTINGS came, or others.
  func connectionChangedRoom(_ connection: ClientConnection)
  /// A call is over; there may be room for another.
  func connectionEndedCall(_ connection: ClientConnection)
  /// The server finds the PINGs too many.
  func connectionPingedTooOften(_ connection: ClientConnection)
  /// No new calls may be put on the connection any more. Called once.
  func connectionEnded(_ connection: ClientConnection)
  /// When the next connection may be made; nil: with the next call.
  var nextAttempt: NIODeadline? { get }
}

/// The client's end of one connection. Lives on the connection's event loop.
final class ClientConnection: HTTP2SessionDelegate, ClientStreamDelegate {
  let eventLoop: any EventLoop
  let limits: ClientLimits
  private let settings: ConnectionSettings
  private weak var channel: (any NIOCore.Channel)?
  weak var owner: (any ClientConnectionOwner)?
  @exclusivity(unchecked) private(set) var handler: ConnectionHandler?
  let headerCache = HeaderCache()
  @exclusivity(unchecked) var heads: RequestHeads
  /// How many streams the server allows; no call is sent before it has said so.
  @exclusivity(unchecked) private var maxConcurrentStreams = 0
  /// Takes no more calls.
  @exclusivity(unchecked) private(set) var isDraining = false
  @exclusivity(unchecked) private var isShuttingDown = false
  @exclusivity(unchecked) private var hasSentGoAway = false
  /// The server speaks HTTP/2: its SETTINGS came.
  @exclusivity(unchecked) private var hasSettings = false
  /// A call came to its end while the server still took calls.
  @exclusivity(unchecked) private(set) var isUsed = false
  private var goAway: String?
  /// Why this end closed the connection.
  private var reason: String?
  /// The server allows no calls: the connection was of no use.
  private(set) var isUseless = false
  @exclusivity(unchecked) private var keepalive: KeepaliveState?
  private var keepaliveTimer: Scheduled<Void>?
  /// Goes off when the server has allowed no stream for long.
  private var roomTimer: Scheduled<Void>?
  /// Kept when the server's SETTINGS have come, and allow a stream.
  private var acceptance: EventLoopPromise<Void>?

  /// Where it leads; nil until it does, and for one that leads nowhere on the network.
  private(set) var address: String?
  /// The server, as gRPC names peers.
  private(set) lazy var peer = channel?.remoteAddress?.peerName ?? ""
  /// What the server has shown of itself. Parsed when it is first asked for, since few calls ask.
  private(set) lazy var peerCertificate = isEncrypted ? channel.flatMap { PeerCertificate(of: $0) } : nil
  var isEncrypted: Bool { settings.tls != nil }
  /// Since when calls may be sent.
  private var establishedAt: NIODeadline?
  /// The server was waited for long enough.
  private var isGivenUp = false

  init(channel: any NIOCore.Channel, settings: ConnectionSettings, address: String? = nil) {
    self.channel = channel
    self.address = address
    eventLoop = channel.eventLoop
    self.settings = settings
    limits = settings.limits
    heads = RequestHeads(scheme: settings.scheme, authority: settings.authority)
  }

  /// Puts the connection to work on its channel.
  ///
  /// - Returns: Comes when calls may be sent: the server's SETTINGS, which it sends at once (RFC 9113 §3.4), say how many
  ///   it takes; what goes out before may be refused. With TLS 1.3 the handshake is over for the client before the server
  ///   has looked at its certificate: only the SETTINGS say that it is taken.
  ///
  /// - Parameter isNamed: The channel will know where it leads.
  func start(isNamed: Bool = true) throws -> EventLoopFuture<Void> {
    guard let channel else { throw ChannelError.alreadyClosed }
    let session = try HTTP2Session(role: .client, configuration: settings.http2)
    session.delegate = self
    // The handler keeps the connection alive as long as the channel keeps the handler.
    let handler = ConnectionHandler(session: session, awaitsTLS: settings.tls != nil) { [self] failure in
      closed(failure)
    }
    self.handler = handler
    try settings.tls?.addClientHandler(to: channel, serverName: settings.serverName)
    try channel.pipeline.syncOperations.addHandler(handler)
    let promise = eventLoop.makePromise(of: Void.self)
    do {
      try channel.pipeline.syncOperations.addHandler(
        LossWatch(promise) { [weak self] address in
          if let self, isNamed, self.address == nil { self.address = address?.text }
        })
    } catch {
      promise.fail(error)
      throw error
    }
    acceptance = promise
    return promise.futureResult
  }

  /// It took too long until calls could be sent.
  func giveUp() {
    eventLoop.assertInEventLoop()
    if handler?.isReady == false {
      close(reason: "the TLS handshake took too long")
    } else {
      isGivenUp = true
      close(reason: hasSettings ? Self.noStreams : "the server did not send its SETTINGS in time")
    }
  }

  private static let noStreams = "the server allows no streams (SETTINGS_MAX_CONCURRENT_STREAMS is 0)"

  /// The server takes calls.
  func established() {
    eventLoop.assertInEventLoop()
    establishedAt = eventLoop.now
    beginKeepalive()
  }

  /// The server has taken back all room for calls, and given none for long. Those that are there may end.
  private func giveUpWaitingForRoom() {
    isUseless = true
    lastPhase = .settings
    failureReason = Self.noStreams
    beginShutdown()
  }

  private func closed(_ failure: ConnectionFailure?) {
    eventLoop.assertInEventLoop()
    var reason = reason ?? handler?.session.ownEnd ?? failure.map { "\($0)" } ?? "closed by the peer"
    if let goAway { reason += " after \(goAway)" }
    failureReason = reason
    lastPhase = phase(of: failure)
    self.failure = failure
    drain()
    if let session = handler?.session, session.hasStreams {
      let error = lost(reason)
      for stream in session.streams {
        guard let call = stream.receiver as? ClientStream else { continue }
        call.connectionLost(error, refusal: session.hasSent(stream) ? nil : .unprocessed)
      }
    }
    handler = nil
    keepaliveTimer?.cancel()
    roomTimer?.cancel()
  }

  private func phase(of failure: ConnectionFailure?) -> ConnectionPhase {
    if acceptance == nil { return goAway == nil ? .call : .goaway }
    if failure?.isOfHandshake == true || handler?.isReady == false { return .tls }
    if goAway != nil { return .goaway }
    return hasSettings || isGivenUp ? .settings : .preface
  }

  /// What the calls end with when the connection is gone.
  func lost(_ reason: String) -> ConnectionError.ConnectionLost {
    let now = eventLoop.now
    let duration = establishedAt.map { now - $0 }
    let pause = owner?.nextAttempt.map { max($0 - now, .zero) } ?? .zero
    var parts = [address, duration.map { "after \($0.text)" }].compactMap { $0 }.joined(separator: ", ")
    if !parts.isEmpty { parts += "; " }
    parts += pause > .zero ? "next attempt in \(pause.text)" : "next attempt with the next call"
    return ConnectionError.ConnectionLost(
      endpoint: settings.target, error: reason, phase: lastPhase, address: address,
      connectedForMs: duration?.milliseconds, nextAttemptInMs: pause.milliseconds, circumstances: " (\(parts))",
      cause: failure)
  }

  /// What it was at when it ended, or when the server said that it will.
  private(set) var lastPhase = ConnectionPhase.preface
  /// Why the connection is gone.
  private(set) var failureReason = "closed by the peer"
  /// The error that ended the connection, if it was one.
  private(set) var failure: ConnectionFailure?

  /// True when another call can be opened at once.
  var hasFreeStream: Bool {
    guard !isDraining, let handler else { return false }
    return handler.session.streams.count < maxConcurrentStreams
  }

  /// True when no call is open.
  var isEmpty: Bool { handler?.session.streams.isEmpty ?? true }

  /// An exchange for a request, which is not open yet.
  func makeExchange() -> HTTP2Stream { handler?.session.makeStream() ?? HTTP2Stream() }

  /// Sends a request's head, and the body that its exchange has.
  func open(_ stream: ClientStream, on exchange: HTTP2Stream, head: HeaderBlock) {
    eventLoop.assertInEventLoop()
    guard let handler else {
      let reason = "the connection to it was closed"
      return stream.connectionLost(
        ConnectionError.CallRefused(endpoint: settings.target, reason: reason), refusal: .unprocessed)
    }
    guard head.sizeBound <= HeaderBlock.maxSize else {
      return stream.connectionLost(
        CallError.HeadersTooLarge(
          what: "The request's header block", size: Int64(head.sizeBound), limit: Int64(HeaderBlock.maxSize)))
    }
    do throws(HTTP2Error) {
      try handler.session.submitRequest(exchange, to: stream, head: head)
      if keepalive?.isAsleep == true { wakeKeepalive() }
    } catch {
      // The connection has used up its stream numbers, or is about to close: the call was not sent.
      stream.connectionLost(
        ConnectionError.CallRefused(endpoint: settings.target, reason: "\(error)"), refusal: .unprocessed)
      beginShutdown()
    }
    handler.scheduleFlush()
  }

  func scheduleFlush() { handler?.scheduleFlush() }

  /// Takes no more calls and closes when those that are there have ended.
  func beginShutdown() {
    eventLoop.assertInEventLoop()
    isShuttingDown = true
    drain()
    closeIfIdle()
  }

  /// A GOAWAY goes out with the last call: a server may close at once when it gets one and has no call of ours yet.
  private func closeIfIdle() {
    guard isShuttingDown, !hasSentGoAway, let handler, handler.session.streams.isEmpty else { return }
    hasSentGoAway = true
    handler.session.submitGoAway(errorCode: .noError)
    handler.scheduleFlush()
  }

  /// Closes at once; the calls that are open end with the reason.
  func close(reason: String) {
    eventLoop.assertInEventLoop()
    self.reason = reason
    channel?.close(promise: nil)
  }

  private func drain() {
    guard !isDraining else { return }
    isDraining = true
    roomTimer?.cancel()
    owner?.connectionEnded(self)
  }

  private func schedule(
    _ deadline: NIODeadline, _ body: @escaping (ClientConnection) -> Void
  ) -> Scheduled<Void> {
    eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in
      if let self { body(self) }
    }
  }
}

// What comes from the server.
extension ClientConnection {
  func makeReceiver(for exchange: any HTTPExchange) -> (any HTTPExchangeReceiver)? { nil }

  func receivedGoAway(lastStreamID: Int32, errorCode: UInt32, debugData: [UInt8]) {
    let code = HTTP2ErrorCode(rawValue: errorCode)
    let text = String(decoding: debugData.prefix(256), as: UTF8.self)
    goAway = "GOAWAY \(HTTP2ErrorCode.name(errorCode))" + (text.isEmpty ? "" : " (\(text))")
    lastPhase = .goaway
    if let goAway { failureReason = goAway }
    if code == .enhanceYourCalm, text == "too_many_pings" { owner?.connectionPingedTooOften(self) }
    // nghttp2 ends the streams above the last itself, as refused.
    drain()
    if acceptance != nil { return closeAfterRead() }
    // After such a GOAWAY a server closes the connection (RFC 9113 §5.4.1). Calls should not wait for one that does not.
    if code != .noError { closeAfterRead() }
  }

  /// Closes at once, but for what the read that is going on still brings.
  private func closeAfterRead() {
    eventLoop.assumeIsolated().execute { [weak channel] in channel?.close(promise: nil) }
  }

  func receivedSettings() {
    eventLoop.assertInEventLoop()
    maxConcurrentStreams = handler?.session.maxConcurrentStreams ?? 0
    hasSettings = true
    if maxConcurrentStreams > 0 {
      roomTimer?.cancel()
      roomTimer = nil
      let acceptance = acceptance
      self.acceptance = nil
      acceptance?.succeed()
    } else if acceptance == nil, roomTimer == nil, !isDraining {
      roomTimer = schedule(eventLoop.now + settings.connectTimeout) { $0.giveUpWaitingForRoom() }
    }
    if !isDraining { owner?.connectionChangedRoom(self) }
  }

  func receivedPingAck(_ payload: UInt64) {}

  func unprocessedError() -> (any TaxonomyError)? {
    let server = address ?? "the server"
    let end = goAway.map { " (\($0))" } ?? ""
    return ConnectionError.CallRefused(
      endpoint: settings.target,
      reason: "\(server) takes no more calls on the connection\(end), and did not process this one",
      phase: goAway == nil ? nil : .goaway, address: address)
  }

  func receivedOtherAnswer(_ answer: OtherAnswer) {
    var metadata: Logger.Metadata = ["target": "\(settings.target)", "answer": "\(answer.message)"]
    if let address { metadata["address"] = "\(address)" }
    if let body = answer.body { metadata["body"] = "\(body)" }
    settings.logger.debug("the answer is not gRPC", metadata: metadata)
  }

  func streamClosed() {
    eventLoop.assertInEventLoop()
    if !isDraining {
      isUsed = true
      owner?.connectionEndedCall(self)
    } else if handler?.session.streams.isEmpty ?? false {
      // After a GOAWAY of the server's the connection has nothing more to do once its last call is over.
      handler?.scheduleFlush()
      closeIfIdle()
    }
  }
}

// Keepalive.
extension ClientConnection {
  private func beginKeepalive() {
    guard let time = settings.keepaliveTime, handler != nil else { return }
    let now = eventLoop.now
    keepalive = KeepaliveState(
      time: TimeAmount(saturating: time), timeout: TimeAmount(saturating: settings.keepalive.timeout),
      permitsWithoutCalls: settings.keepalive.permitsWithoutCalls, at: now)
    keepaliveTimer = schedule(now + TimeAmount(saturating: time)) { $0.checkKeepalive() }
  }

  private func wakeKeepalive() {
    guard let next = keepalive?.wake(at: eventLoop.now) else { return }
    keepaliveTimer = schedule(next) { $0.checkKeepalive() }
  }

  private func checkKeepalive() {
    let now = eventLoop.now
    guard let handler,
      let action = keepalive?.due(at: now, lastRead: handler.lastRead, hasCalls: !isEmpty)
    else { return }
    switch action {
    case .sleep: break
    case .wait(let next): keepaliveTimer = schedule(next) { $0.checkKeepalive() }
    case .ping(let next):
      handler.session.submitPing(0)
      handler.scheduleFlush()
      keepaliveTimer = schedule(next) { $0.checkKeepalive() }
    case .close:
      close(reason: "no answer to a keepalive PING within \(settings.keepalive.timeout)")
    }
  }
}
