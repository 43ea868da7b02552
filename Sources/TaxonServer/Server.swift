import Logging
import NIOCore
import NIOPosix
import TaxonErrors
import TaxonHTTP2
// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// A gRPC server on one address.
///
/// ```swift
/// try await Server(.init(host: "127.0.0.1", port: 50051), services: [Tasks()]).run()
/// ```
public final class Server: Sendable {
  /// Where a server listens and what it allows.
  public struct Configuration: Sendable {
    /// A name or an address, such as "127.0.0.1", "::" or "localhost".
    public var host: String
    /// 0 to 65,535; 0 takes any free port, which `address` then tells.
    public var port: Int
    /// How many threads serve connections; nil shares the process's own, one a core.
    public var threads: Int?
    /// How long calls that are there may go on once the server shuts down.
    public var gracePeriod: Duration = .seconds(30)
    /// Limits of the connections.
    public var http2 = HTTP2Configuration()
    /// Limits of the calls.
    public var calls = ServerCallLimits()
    /// What goes around the handlers, outermost first.
    public var interceptors: [any ServerInterceptor] = []

    /// A server on a host and a port.
    public init(host: String = "127.0.0.1", port: Int = 50051, threads: Int? = nil) {
      self.host = host
      self.port = port
      self.threads = threads
    }
  }

  private let configuration: Configuration
  private let registry: ServiceRegistry
  private let logger: Logger
  private let connections = ConnectionSet()
  private let state = Locked(State())

  private enum Phase { case idle, starting, listening(any Channel), shuttingDown, ended }

  private struct State {
    var phase = Phase.idle
    var group: (any EventLoopGroup)?
    var router: CallReporter?
    var ended: [CheckedContinuation<Void, Never>] = []
  }

  /// A server that offers the services; it does nothing before `start` or `run`.
  public init(
    _ configuration: Configuration = Configuration(), services: [any RPCService],
    logger: Logger = Logger(label: "taxon.server")
  ) {
    self.configuration = configuration
    self.logger = logger
    var registry = ServiceRegistry()
    for service in services { registry.add(service) }
    registry.intercept(with: configuration.interceptors)
    self.registry = registry
  }

  /// Listens, serves until the task is cancelled or `shutDown` is called, and shuts down gracefully.
  ///
  /// - Parameter onListen: Called once, with the port, when the server listens.
  /// - Throws: `SetupError` when a setting is out of bounds or the address cannot be had.
  public func run(onListen: @Sendable (_ port: Int) -> Void = { _ in }) async throws(SetupError) {
    try await start()
    onListen(port ?? 0)
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isEnded = state.withLock { state in
          if case .ended = state.phase { return true }
          state.ended.append(continuation)
          return false
        }
        if isEnded { continuation.resume() }
      }
    } onCancel: {
      Task { await shutDown() }
    }
  }

  /// Listens; returns when the server can be called.
  ///
  /// - Throws: `SetupError` when a setting is out of bounds or the address cannot be had.
  public func start() async throws(SetupError) {
    try check()
    let isFirst = state.withLock { state in
      guard case .idle = state.phase else { return false }
      state.phase = .starting
      return true
    }
    guard isFirst else {
      throw .invalidSetting(name: "server", value: "started before", reason: "a server runs once; make another one")
    }
    let group: any EventLoopGroup =
      configuration.threads.map { MultiThreadedEventLoopGroup(numberOfThreads: $0) }
      ?? MultiThreadedEventLoopGroup.singleton
    var executors: [ObjectIdentifier: LoopExecutor] = [:]
    for loop in group.makeIterator() { executors[ObjectIdentifier(loop)] = LoopExecutor(loop) }
    let router = CallReporter(registry: registry, limits: configuration.calls, logger: logger)
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.writeBufferWaterMark, value: .init(low: 512 * 1024, high: 1024 * 1024))
      .childChannelInitializer { [executors] channel in
        channel.eventLoop.makeCompletedFuture {
          // Every loop of the group has its executor.
          let executor = executors[ObjectIdentifier(channel.eventLoop)] ?? LoopExecutor(channel.eventLoop)
          try self.accept(channel, executor: executor, router: router)
        }
      }
    do {
      let channel = try await bootstrap.bind(host: configuration.host, port: configuration.port).get()
      let isWanted = state.withLock { state in
        state.group = group
        state.router = router
        guard case .starting = state.phase else { return false }
        state.phase = .listening(channel)
        return true
      }
      guard isWanted else {
        try? await channel.close()
        await endThreads()
        return finish()
      }
      let address = channel.localAddress?.description ?? ""
      logger.info("listening", metadata: ["address": "\(address)", "port": "\(channel.localAddress?.port ?? 0)"])
    } catch {
      if configuration.threads != nil { try? await group.shutdownGracefully() }
      finish()
      throw .addressUnavailable(
        address: "\(configuration.host):\(configuration.port)", reason: "\(error)", cause: error)
    }
  }

  private func check() throws(SetupError) {
    guard (0...65_535).contains(configuration.port) else {
      throw .invalidSetting(name: "port", value: "\(configuration.port)", reason: "it must be 0 to 65535")
    }
    if let threads = configuration.threads, !(1...1024).contains(threads) {
      throw .invalidSetting(name: "threads", value: "\(threads)", reason: "it must be 1 to 1024")
    }
    if let duplicate = registry.duplicates.first {
      throw .invalidSetting(name: "services", value: duplicate, reason: "the service is given more than once")
    }
  }

  /// The port on which the server listens; nil before it does.
  public var port: Int? {
    state.withLock { if case .listening(let channel) = $0.phase { channel.localAddress?.port } else { nil } }
  }

  private func accept(_ channel: any Channel, executor: LoopExecutor, router: CallReporter) throws {
    let connection = ServerConnection(executor: executor, channel: channel, router: router, limits: configuration.calls)
    let id = ObjectIdentifier(connection)
    var http2 = configuration.http2
    http2.maxHeaderListSize = configuration.calls.maxHeaderListSize
    try connection.start(configuration: http2) { [connections] in connections.remove(id) }
    if connections.add(connection, on: channel.eventLoop) { connection.beginShutdown() }
  }

  /// Stops listening, lets the calls that are there end, and closes. Calls that go on past the grace period are
  /// cancelled. Returns when all is closed; calling it again only waits.
  public func shutDown() async {
    let listening = state.withLock { state -> (any Channel)? in
      switch state.phase {
      case .listening(let channel):
        state.phase = .shuttingDown
        return channel
      case .starting:
        // `start` sees it when it has bound the address, and ends the server itself.
        state.phase = .shuttingDown
        return nil
      case .idle, .shuttingDown, .ended: return nil
      }
    }
    guard let listening else { return await ended() }
    logger.info("shutting down")
    try? await listening.close()
    connections.beginShutdown()
    await connections.waitUntilEmpty(within: configuration.gracePeriod)
    connections.close()
    await connections.waitUntilEmpty(within: .seconds(5))
    await endThreads()
    finish()
  }

  /// Wakes who waits for the end.
  private func finish() {
    let waiting = state.withLock { state in
      state.phase = .ended
      defer { state.ended = [] }
      return state.ended
    }
    logger.info("shut down")
    for continuation in waiting { continuation.resume() }
  }

  /// Ends the server's own threads, unless a handler that ignores its cancellation still needs them.
  private func endThreads() async {
    guard configuration.threads != nil else { return }
    let (group, router) = state.withLock { ($0.group, $0.router) }
    await router?.waitForHandlers(within: .seconds(5))
    if let running = router?.runningHandlers, running > 0 {
      logger.warning("handlers go on after the shutdown", metadata: ["handlers": "\(running)"])
    } else {
      try? await group?.shutdownGracefully()
    }
  }

  /// Returns when the server has shut down; at once when it has not begun.
  private func ended() async {
    await withCheckedContinuation { continuation in
      let isWaiting = state.withLock { state in
        guard case .shuttingDown = state.phase else { return false }
        state.ended.append(continuation)
        return true
      }
      if !isWaiting { continuation.resume() }
    }
  }
}
