// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonTransport

/// A version of HTTP on a server's connection: what is its own of the connection's life. Lives on the connection's event loop.
protocol ServerTransport: AnyObject {
  /// When the peer was last heard of.
  var lastRead: NIODeadline { get }
  /// Exchanges that are open, in no order.
  var exchanges: [any ServerExchange] { get }
  /// An exchange is open.
  var hasExchanges: Bool { get }
  /// Bytes of all answers that wait for the peer.
  var outboundCount: Int { get }
  /// The limit for which the connection ended, by the name under which it is counted, and what more there is to say of it.
  var exceeded: (limit: String, reason: String)? { get }
  /// Puts what speaks the version at the end of the channel's pipeline. The channel may be gone when it returns.
  func addHandlers(to channel: any Channel) throws
  /// Asks the peer for a sign of life.
  func ping()
  /// Gives up memory that is kept for the next calls.
  func trim()
  /// Takes no new calls, and closes when those that are there have ended.
  func beginShutdown(reason: String)
  /// Tells the peer why the connection is about to be closed, as far as the version has words for it.
  func end(_ code: HTTP2ErrorCode, reason: String)
}

/// HTTP/1.1 has no words for most of it.
extension HTTP1Connection: ServerTransport {
  var exchanges: [any ServerExchange] { exchange.map { [$0] } ?? [] }
  var hasExchanges: Bool { exchange != nil }
  var exceeded: (limit: String, reason: String)? {
    guard let fault, let limit = fault.limit else { return nil }
    return (limit, fault.reason)
  }
  func ping() {}
  func beginShutdown(reason: String) { beginShutdown() }
  func end(_ code: HTTP2ErrorCode, reason: String) {}
}

/// HTTP/2: GOAWAY and PING.
final class HTTP2Transport: HTTP2SessionDelegate, ServerTransport {
  // The connection holds its transport, and lets go of it when the channel is gone.
  unowned let connection: ServerConnection
  private let handler: ConnectionHandler
  @exclusivity(unchecked) private var isShuttingDown = false
  @exclusivity(unchecked) private var shutdownReason = ""
  @exclusivity(unchecked) private var hasSentLast = false
  private static let shutdownPing: UInt64 = 0x7461_786f_6e00_0001
  private static let keepalivePing: UInt64 = 0x7461_786f_6e00_0002

  /// HTTP/2 that calls `closed` when the channel is gone.
  init(
    _ connection: ServerConnection, configuration: HTTP2Configuration, ledger: ConnectionLedger, closeLimit: Duration,
    closed: @escaping (ConnectionFailure?) -> Void
  ) throws {
    self.connection = connection
    let session = try HTTP2Session(role: .server, configuration: configuration, ledger: ledger)
    handler = ConnectionHandler(session: session, closeLimit: closeLimit, closed: closed)
    session.delegate = self
  }

  func addHandlers(to channel: any Channel) throws { try channel.pipeline.syncOperations.addHandler(handler) }

  var lastRead: NIODeadline { handler.lastRead }
  var exchanges: [any ServerExchange] { handler.session.streams }
  var hasExchanges: Bool { handler.session.hasStreams }
  var outboundCount: Int { handler.session.outboundCount }
  var exceeded: (limit: String, reason: String)? { handler.session.exceeded.map { ($0.rawValue, "") } }

  func ping() {
    handler.session.submitPing(Self.keepalivePing)
    handler.flush()
  }

  func trim() { handler.trim() }

  func end(_ code: HTTP2ErrorCode, reason: String) {
    handler.session.submitGoAway(errorCode: code, debugData: reason)
    handler.flush()
  }

  /// GOAWAY with the highest number first, so that calls on their way are still taken, then, after a round trip, with the real
  /// one (RFC 9113 §6.8).
  func beginShutdown(reason: String) {
    isShuttingDown = true
    shutdownReason = reason
    handler.session.submitShutdownNotice()
    // Out first, since nghttp2 lets a PING overtake it.
    handler.flush()
    handler.session.submitPing(Self.shutdownPing)
    handler.scheduleFlush()
    // A peer that does not answer the PING has had its round trip by then.
    connection.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in self?.endShutdown() }
  }

  private func endShutdown() {
    guard !hasSentLast else { return }
    hasSentLast = true
    handler.session.submitGoAway(errorCode: .noError, debugData: shutdownReason)
    handler.flush()
  }

  // MARK: From the session

  func makeReceiver(for exchange: any HTTPExchange) -> (any HTTPExchangeReceiver)? {
    connection.makeReceiver(for: exchange)
  }

  func streamClosed() { connection.streamClosed() }

  func drained() { connection.drained() }

  func receivedSettingsAck() { connection.endSetup() }

  func receivedPingAck(_ payload: UInt64) {
    guard payload == Self.shutdownPing else { return }
    // After the read that is going on, so that the last stream's number counts the calls that come with it.
    connection.eventLoop.assumeIsolated().execute { [weak self] in self?.endShutdown() }
  }

  func receivedGoAway(lastStreamID: Int32, errorCode: UInt32, debugData: [UInt8]) {}
  func receivedSettings() {}
}
