// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix
import TaxonHTTP2

/// Makes connections of a server out of channels.
struct ConnectionAcceptor: Sendable {
  let group: any EventLoopGroup
  let settings: ServerConnection.Settings
  let tls: TLSContextSource?
  let connections: ConnectionSet
  private let executors: [ObjectIdentifier: LoopExecutor]

  init(
    group: any EventLoopGroup, settings: ServerConnection.Settings, tls: TLSContextSource?, connections: ConnectionSet
  ) {
    self.group = group
    self.settings = settings
    self.tls = tls
    self.connections = connections
    var executors: [ObjectIdentifier: LoopExecutor] = [:]
    for loop in group.makeIterator() { executors[ObjectIdentifier(loop)] = LoopExecutor(loop) }
    self.executors = executors
  }

  /// Listens on an address.
  func listen(on address: ListenAddress) async throws -> (any Channel)? {
    let highWater = settings.connections.outboundHighWater
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .childChannelOption(.writeBufferWaterMark, value: .init(low: max(highWater / 2, 1), high: highWater))
      .childChannelOption(.recvAllocator, value: ReadSizes())
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try self.accept(channel) }
      }
    switch address {
    case .tcp(let host, let port):
      return try await bootstrap.serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        .bind(host: host, port: port).get()
    case .unix(let path): return try await bootstrap.bind(unixDomainSocketPath: path).get()
    case .none: return nil
    }
  }

  /// Serves the peer of a socket that is connected.
  func serve(socket: CInt) async throws {
    let highWater = settings.connections.outboundHighWater
    _ = try await ClientBootstrap(group: group)
      .channelOption(.writeBufferWaterMark, value: .init(low: max(highWater / 2, 1), high: highWater))
      .channelOption(.recvAllocator, value: ReadSizes())
      .channelOption(.maxMessagesPerRead, value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try self.accept(channel) }
      }
      .withConnectedSocket(socket).get()
  }

  /// Puts a connection to work on its channel, unless there are too many. On the channel's loop.
  private func accept(_ channel: any Channel) throws {
    // Every loop of the group has its executor.
    let executor = executors[ObjectIdentifier(channel.eventLoop)] ?? LoopExecutor(channel.eventLoop)
    let connection = ServerConnection(executor: executor, channel: channel, settings: settings)
    let id = ObjectIdentifier(connection)
    let admission = connections.add(connection, on: channel.eventLoop, limit: settings.connections.maxConnections)
    guard admission != .tooMany else {
      settings.reporter.reached("max_connections", peer: ServerConnection.name(of: channel.remoteAddress))
      return channel.close(promise: nil)
    }
    do {
      try tls?.addServerHandler(to: channel)
      try connection.start { [connections] in connections.remove(id) }
    } catch {
      connections.remove(id)
      throw error
    }
    if admission == .late { connection.beginShutdown() }
  }
}
