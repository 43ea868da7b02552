// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix
import TaxonCalls
import TaxonErrors
import TaxonTransport

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

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
      .serverChannelInitializer { [connections] channel in
        channel.eventLoop.makeCompletedFuture { connections.began(channel, isListening: true) }
      }
      .serverChannelOption(.backlog, value: CInt(Self.backlog))
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

  /// Stops listening, and returns when the connections that the system has made by then are all served.
  ///
  /// A peer is connected, and may have sent a request, before this process accepts the connection. Closing the socket
  /// resets the connections that wait there, and a proxy in front answers those requests with an error that nobody may
  /// retry. So they are accepted first.
  func stopListening(_ channel: any Channel) async {
    // Another descriptor of the socket: it listens until both are closed, and a program that is started meanwhile must not
    // keep it open.
    let listener = try? await channel.eventLoop.submit {
      try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
        fcntl($0, F_DUPFD_CLOEXEC, 0)
      }
    }.get()
    // NIO lets go of those that it has accepted and not handed on yet when the channel closes: it accepts no more, and they
    // are handed on first.
    try? await channel.setOption(.autoRead, value: false).get()
    await handOn(channel)
    try? await channel.close()
    guard let listener, listener >= 0 else { return }
    // Collected first, so that the time between the last one and the close is as short as can be.
    let sockets = acceptAll(listener, atMost: Self.backlog)
    close(listener)
    for socket in sockets { try? await serve(socket: socket) }
  }

  /// Returns when connections that the channel has accepted have gone to their loops, back to the channel's and to their loops
  /// again; after five seconds at most, since a handler may hold a loop.
  private func handOn(_ channel: any Channel) async {
    let done = channel.eventLoop.makePromise(of: Void.self)
    let timer = channel.eventLoop.scheduleTask(in: .seconds(5)) { done.succeed() }
    let loops = Array(group.makeIterator())
    let turn = { @Sendable in EventLoopFuture<Void>.andAllComplete(loops.map { $0.submit {} }, on: channel.eventLoop) }
    turn().flatMap { turn() }.cascade(to: done)
    try? await done.futureResult.get()
    timer.cancel()
  }

  /// Connections that may wait to be accepted.
  private static let backlog = 1024

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
      settings.reporter.reached("max_connections", peer: channel.remoteAddress?.peerName ?? "")
      return channel.close(promise: nil)
    }
    do {
      try tls?.addServerHandler(to: channel)
      try connection.start { [connections] in
        connections.began(channel)
      } closed: { [connections] in
        connections.remove(id)
      }
    } catch {
      connections.remove(id)
      throw error
    }
    connections.began(channel)
    // When the channel is active, so that what is said first is not lost.
    if admission == .late { channel.eventLoop.assumeIsolated().execute { connection.beginShutdown() } }
  }
}

/// Accepts the connections that wait, up to a limit.
private func acceptAll(_ listener: CInt, atMost limit: Int) -> [CInt] {
  var sockets: [CInt] = []
  while sockets.count < limit {
    let socket = accept(listener, nil, nil)
    if socket >= 0 {
      _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
      sockets.append(socket)
    } else if errno != EINTR && errno != ECONNABORTED {
      break
    }
  }
  return sockets
}

/// The file of a Unix socket on which a server listens.
struct UnixSocketFile: Sendable {
  let path: String
  private let device: UInt64
  private let inode: UInt64

  /// Remembers the file that the server has made; nil when it is gone already.
  init?(made path: String) {
    var info = stat()
    guard lstat(path, &info) == 0 else { return nil }
    self.path = path
    device = UInt64(truncatingIfNeeded: info.st_dev)
    inode = UInt64(truncatingIfNeeded: info.st_ino)
  }

  /// Removes the file, unless another has taken its place.
  func remove() {
    var info = stat()
    guard lstat(path, &info) == 0, UInt64(truncatingIfNeeded: info.st_dev) == device,
      UInt64(truncatingIfNeeded: info.st_ino) == inode
    else { return }
    unlink(path)
  }

  /// Makes sure that a server can make a socket at the path: removes one that a process left behind.
  ///
  /// - Throws: `SetupError` when the path cannot be that of a socket, or is taken.
  static func prepare(_ path: String) throws(SetupError) {
    let limit = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1
    guard (1...limit).contains(path.utf8.count), !path.utf8.contains(0) else {
      throw .invalidSetting(
        name: "address", value: "unix:\(path)", reason: "the path of a Unix socket has 1 to \(limit) bytes, and no NUL")
    }
    var info = stat()
    guard lstat(path, &info) == 0 else { return }
    guard info.st_mode & S_IFMT == S_IFSOCK else {
      throw .addressUnavailable(address: "unix:\(path)", reason: "the file exists and is not a socket")
    }
    guard !isListenedOn(path) else {
      throw .addressUnavailable(address: "unix:\(path)", reason: "a server listens on the socket")
    }
    unlink(path)
  }

  /// True unless the system says that nobody listens there.
  private static func isListenedOn(_ path: String) -> Bool {
    #if canImport(Glibc)
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    #else
    let descriptor = socket(AF_UNIX, SOCK_STREAM, 0)
    #endif
    guard descriptor >= 0 else { return true }
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    // A full backlog says EAGAIN: somebody is there.
    return result == 0 || errno != ECONNREFUSED
  }
}
