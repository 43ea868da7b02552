// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonHTTP2

/// The server's end of one connection. Lives on the connection's event loop.
final class ServerConnection: HTTP2SessionDelegate {
  private let executor: LoopExecutor
  private let streams: ServerStreamContext
  private var handler: ConnectionHandler?
  private var isShuttingDown = false
  private var hasSentLast = false
  private weak var channel: (any Channel)?
  private static let shutdownPing: UInt64 = 0x7461_786f_6e00_0001

  init(executor: LoopExecutor, channel: any Channel, router: any ServerRouter, limits: ServerCallLimits) {
    self.executor = executor
    self.channel = channel
    streams = ServerStreamContext(
      executor: executor, peer: Self.name(of: channel.remoteAddress), router: router, limits: limits)
  }

  /// Puts the connection to work on its channel; `closed` is called when the channel is gone.
  func start(configuration: HTTP2Configuration, closed: @escaping () -> Void) throws {
    let session = try HTTP2Session(role: .server, configuration: configuration)
    session.delegate = self
    // The handler keeps the connection alive as long as the channel keeps the handler.
    let handler = ConnectionHandler(session: session) { [self] _ in
      self.handler = nil
      closed()
    }
    self.handler = handler
    try channel?.pipeline.syncOperations.addHandler(handler)
  }

  func makeStream() -> HTTP2Stream? {
    ServerStream(context: streams)
  }

  /// Takes no new calls and closes when those that are there have ended: GOAWAY with the highest number first, so that
  /// calls on their way are still taken, then, after a round trip, with the real one (RFC 9113 §6.8).
  func beginShutdown() {
    guard !isShuttingDown, let handler else { return }
    isShuttingDown = true
    handler.session.submitShutdownNotice()
    // Out first, since nghttp2 lets a PING overtake it.
    handler.flush()
    handler.session.submitPing(Self.shutdownPing)
    handler.scheduleFlush()
    // A peer that does not answer the PING has had its round trip by then.
    executor.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in self?.endShutdown() }
  }

  private func endShutdown() {
    guard !hasSentLast, let handler else { return }
    hasSentLast = true
    handler.session.submitGoAway(errorCode: .noError, debugData: "shutting down")
    handler.flush()
  }

  /// Closes at once; calls that are there are cancelled.
  func close() {
    channel?.close(promise: nil)
  }

  func receivedPingAck(_ payload: UInt64) {
    guard payload == Self.shutdownPing else { return }
    // After the read that is going on, so that the last stream's number counts the calls that come with it.
    executor.eventLoop.assumeIsolated().execute { [weak self] in self?.endShutdown() }
  }

  func receivedGoAway(lastStreamID: Int32, errorCode: UInt32, debugData: [UInt8]) {}
  func receivedSettings() {}
  func streamClosed() {}

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
