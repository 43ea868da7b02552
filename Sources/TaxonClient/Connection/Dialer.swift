// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import NIOPosix
import TaxonTransport

/// Makes transport connections.
protocol Dialer: Sendable {
  /// Connects to the first of the addresses that answers. Every channel that is tried goes through `initializer`.
  func dial(
    _ addresses: [SocketAddress], on eventLoop: any EventLoop, timeout: TimeAmount,
    initializer: @escaping @Sendable (any NIOCore.Channel) -> EventLoopFuture<Void>
  ) -> EventLoopFuture<any NIOCore.Channel>
}

/// Puts another dialer in the place of a channel's: tests see what becomes of its connections.
enum DialerObservation {
  @TaskLocal static var observed: (@Sendable (any Dialer) -> any Dialer)?
}

/// Connects over TCP and Unix sockets. Of several addresses the next is tried when one has not answered within 250 ms,
/// the families in turn, and the first that answers is taken (RFC 8305).
struct NetworkDialer: Dialer {
  func dial(
    _ addresses: [SocketAddress], on eventLoop: any EventLoop, timeout: TimeAmount,
    initializer: @escaping @Sendable (any NIOCore.Channel) -> EventLoopFuture<Void>
  ) -> EventLoopFuture<any NIOCore.Channel> {
    let bootstrap = ClientBootstrap(group: eventLoop).connectTimeout(timeout).channelInitializer(initializer)
    guard let first = addresses.first else { return eventLoop.makeFailedFuture(ChannelError.unknownLocalAddress) }
    if addresses.count == 1 { return bootstrap.connect(to: first) }
    return bootstrap.resolver(KnownAddresses(addresses, on: eventLoop)).connect(host: first.text, port: 0)
  }
}

/// Takes sockets that a closure has connected, such as one end of a pair whose other end is a server's.
struct SocketDialer: Dialer {
  let connect: @Sendable () throws -> NIOBSDSocket.Handle

  func dial(
    _ addresses: [SocketAddress], on eventLoop: any EventLoop, timeout: TimeAmount,
    initializer: @escaping @Sendable (any NIOCore.Channel) -> EventLoopFuture<Void>
  ) -> EventLoopFuture<any NIOCore.Channel> {
    do {
      return ClientBootstrap(group: eventLoop).channelInitializer(initializer).withConnectedSocket(try connect())
    } catch {
      return eventLoop.makeFailedFuture(error)
    }
  }
}

/// Gives addresses that are known to NIO, which races them.
private struct KnownAddresses: Resolver, Sendable {
  private let v4: EventLoopFuture<[SocketAddress]>
  private let v6: EventLoopFuture<[SocketAddress]>

  init(_ addresses: [SocketAddress], on eventLoop: any EventLoop) {
    v4 = eventLoop.makeSucceededFuture(addresses.filter { $0.protocol == .inet })
    v6 = eventLoop.makeSucceededFuture(addresses.filter { $0.protocol == .inet6 })
  }

  func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> { v4 }
  func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> { v6 }
  func cancelQueries() {}
}

/// What the connections of one endpoint have in common.
struct ConnectionSettings: Sendable {
  /// The channel's target, as errors name it.
  var target: String
  var authority: String
  /// What encrypts; nil for nothing.
  var tls: TLSContextSource?
  /// The name that the server's certificate has to be for; nil for the address that is connected to.
  var serverName: String?
  var limits: ClientLimits
  var http2: HTTP2Configuration
  var keepalive: Channel.Keepalive
  /// How long a connection that was made may be without room for a call.
  let connectTimeout: TimeAmount
  /// The keepalive's time as it is now: a server may have made it longer.
  var keepaliveTime: Duration?
  let logger: Logger

  /// What goes into `:scheme`.
  var scheme: String { tls == nil ? "http" : "https" }

  init(target: String, authority: String, configuration: Channel.Configuration) {
    self.target = target
    self.authority = authority
    limits = configuration.limits
    http2 = configuration.http2
    http2.maxHeaderListSize = configuration.limits.maxHeaderListSize
    connectTimeout = TimeAmount(configuration.connectTimeout)
    keepalive = configuration.keepalive
    keepaliveTime = configuration.keepalive.time
    logger = configuration.logger
  }
}
