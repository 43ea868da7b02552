// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix
import TaxonErrors
import TaxonHTTP2

/// One server, and the connection to it: made when the first call wants it, and again when it is gone.
// Its mutable state is reached on the event loop alone.
final class Endpoint: @unchecked Sendable {
  private enum State {
    case idle
    /// Calls wait for the connection in the order in which they came.
    case connecting([any PendingCall])
    case ready(ClientConnection)
    case closed
  }

  let eventLoop: any EventLoop
  private let target: Target
  private let http2: HTTP2Configuration
  private let limits: ClientLimits
  private let connectTimeout: Duration
  private var state = State.idle

  init(
    target: Target, eventLoop: any EventLoop, http2: HTTP2Configuration, limits: ClientLimits, connectTimeout: Duration
  ) {
    self.target = target
    self.eventLoop = eventLoop
    self.http2 = http2
    self.limits = limits
    self.connectTimeout = connectTimeout
  }

  /// Runs on the endpoint's loop: at once when called there.
  func execute(_ body: @escaping @Sendable () -> Void) {
    if eventLoop.inEventLoop { body() } else { eventLoop.execute(body) }
  }

  func schedule(_ deadline: NIODeadline, _ body: @escaping @Sendable () -> Void) -> Scheduled<Void> {
    eventLoop.scheduleTask(deadline: deadline, body)
  }

  /// Sends a call as soon as there is a connection.
  func start(_ call: any PendingCall) {
    switch state {
    case .ready(let connection): call.send(on: connection)
    case .connecting(let calls): state = .connecting(calls + [call])
    case .idle:
      state = .connecting([call])
      connect()
    case .closed: call.fail(UndeclaredError(.cancelled, "The channel is shut down"))
    }
  }

  private func connect() {
    let bootstrap = ClientBootstrap(group: eventLoop)
      .connectTimeout(TimeAmount(connectTimeout))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try self.adopt(channel) }
      }
    let attempt =
      switch target.address {
      case .host(let host, let port):
        bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1).connect(host: host, port: port)
      case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
      }
    attempt.hop(to: eventLoop).whenComplete { result in
      switch result {
      case .success(let channel): self.connected(self.fresh.removeValue(forKey: ObjectIdentifier(channel)))
      case .failure(let error): self.connectFailed(error)
      }
    }
  }

  /// Connections that are being made, by their channels: one for each address that is tried.
  private var fresh: [ObjectIdentifier: ClientConnection] = [:]

  private func adopt(_ channel: any NIOCore.Channel) throws {
    let connection = ClientConnection(
      channel: channel, authority: target.authority, endpointName: target.description, limits: limits)
    let id = ObjectIdentifier(channel)
    try connection.start(configuration: http2) { [weak self, weak connection] in
      guard let self, let connection else { return }
      if case .ready(let current) = self.state, current === connection { self.state = .idle }
      self.fresh[id] = nil
    }
    fresh[id] = connection
  }

  private func connected(_ connection: ClientConnection?) {
    guard let connection else { return connectFailed(ChannelError.alreadyClosed) }
    guard case .connecting(let calls) = state else { return connection.close() }
    state = .ready(connection)
    for call in calls { start(call) }
  }

  private func connectFailed(_ error: any Error) {
    guard case .connecting(let calls) = state else { return }
    state = .idle
    let failure = ConnectionError.EndpointUnreachable(endpoint: target.description, error: "\(error)", cause: error)
    for call in calls { call.fail(failure) }
  }

  /// Takes no more calls; the connection closes when its calls have ended.
  func shutDown() {
    let old = state
    state = .closed
    switch old {
    case .ready(let connection): connection.beginShutdown()
    case .connecting(let calls):
      for call in calls { call.fail(UndeclaredError(.cancelled, "The channel is shut down")) }
    case .idle, .closed: break
    }
  }
}
