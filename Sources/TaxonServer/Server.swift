// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import NIOPosix
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

#if ServiceLifecycle
import ServiceLifecycle
#endif

/// A gRPC server on one address.
///
/// ```swift
/// try await Server(.init(host: "127.0.0.1", port: 50051), services: [Tasks()]).run()
/// ```
///
/// It is a `Service` of swift-service-lifecycle too, if the package has its trait "ServiceLifecycle", as it usually does: in a
/// `ServiceGroup` it shuts down gracefully with the group.
public final class Server: Sendable {
  private let configuration: Configuration
  private let services: [any RPCService]
  private let registry: ServiceRegistry
  let reporter: CallReporter
  private let logger: Logger
  let connections = ConnectionSet()
  private let state = Locked(State())

  private enum Phase { case idle, starting, running, shuttingDown, ended }

  private struct State {
    var phase = Phase.idle
    var acceptor: ConnectionAcceptor?
    /// Nil when the server listens nowhere.
    var channel: (any Channel)?
    var socketFile: UnixSocketFile?
    /// Looks at the certificates' files.
    var watch: Task<Void, Never>?
    var ended: [CheckedContinuation<Void, Never>] = []
  }

  /// A server that offers the services; it does nothing before `start` or `run`.
  public init(
    _ configuration: Configuration = Configuration(), services: [any RPCService],
    logger: Logger = Logger(label: "taxon.server")
  ) {
    self.configuration = configuration
    self.logger = logger
    let services = configuration.reflection ? ReflectionService.added(to: services) : services
    self.services = services
    reporter = CallReporter(
      undeclaredErrors: configuration.undeclaredErrors, limits: configuration.calls, logger: logger)
    var registry = ServiceRegistry(reporter)
    for service in services { registry.add(service) }
    registry.intercept(with: configuration.interceptors)
    self.registry = registry
  }

  /// Listens, serves until the task is cancelled, `shutDown` is called or the `ServiceGroup` that runs it shuts down,
  /// and shuts down gracefully.
  ///
  /// - Parameter onListen: Called once, with the port, when the server listens; 0 when it listens on no port.
  /// - Throws: `SetupError` when a setting is out of bounds or the address cannot be had.
  public func run(onListen: @Sendable (_ port: Int) -> Void) async throws(SetupError) {
    try await start()
    onListen(port ?? 0)
    await withTaskCancellationHandler {
      #if ServiceLifecycle
      await withGracefulShutdownHandler {
        await waitForEnd()
      } onGracefulShutdown: {
        Task { await self.shutDown() }
      }
      #else
      await waitForEnd()
      #endif
    } onCancel: {
      Task { await shutDown() }
    }
  }

  /// Returns when the server has shut down.
  private func waitForEnd() async {
    await withCheckedContinuation { continuation in
      let isEnded = state.withLock { state in
        if case .ended = state.phase { return true }
        state.ended.append(continuation)
        return false
      }
      if isEnded { continuation.resume() }
    }
  }

  /// Listens; returns when the server can be called.
  ///
  /// - Throws: `SetupError` when a setting is out of bounds, a certificate cannot be used or the address cannot be had.
  public func start() async throws(SetupError) {
    try check()
    let methods = try MethodTable(registry)
    let source = try makeTLS()
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
    let acceptor = ConnectionAcceptor(
      group: group, settings: .init(configuration, router: methods, logger: logger), tls: source,
      connections: connections)
    let channel: (any Channel)?
    do throws(SetupError) {
      channel = try await listen(acceptor)
    } catch {
      if configuration.threads != nil { try? await group.shutdownGracefully() }
      finish()
      throw error
    }
    let isWanted = state.withLock { state in
      state.acceptor = acceptor
      state.channel = channel
      if case .unix(let path) = configuration.address { state.socketFile = UnixSocketFile(made: path) }
      guard case .starting = state.phase else { return false }
      state.phase = .running
      if let source, let interval = configuration.tls?.reloadInterval {
        state.watch = Task { await source.watch(every: interval) }
      }
      return true
    }
    guard isWanted else {
      await stopListening()
      await endHandlers()
      return finish()
    }
    logger.info("listening", metadata: ["address": "\(configuration.address)", "port": "\(port ?? 0)"])
  }

  private func makeTLS() throws(SetupError) -> TLSContextSource? {
    guard let tls = configuration.tls else { return nil }
    return try TLSContextSource(tls, logger: logger)
  }

  private func listen(_ acceptor: ConnectionAcceptor) async throws(SetupError) -> (any Channel)? {
    if case .unix(let path) = configuration.address { try UnixSocketFile.prepare(path) }
    do {
      return try await acceptor.listen(on: configuration.address)
    } catch {
      throw .addressUnavailable(address: "\(configuration.address)", reason: "\(error)", cause: error)
    }
  }

  private func stopListening() async {
    let (channel, file, acceptor) = state.withLock { state in
      defer { (state.channel, state.socketFile) = (nil, nil) }
      return (state.channel, state.socketFile, state.acceptor)
    }
    if let channel { await acceptor?.stopListening(channel) }
    file?.remove()
  }

  private func check() throws(SetupError) {
    try configuration.check()
    if let duplicate = registry.duplicates.first {
      throw .invalidSetting(name: "services", value: duplicate, reason: "the service is given more than once")
    }
    if let unknown = registry.unknown.first {
      throw .invalidSetting(name: "offloadedMethods", value: unknown, reason: "the service has no such method")
    }
    try registry.prepare(configuration.interceptors)
  }

  /// The port on which the server listens; nil before it does, and when it listens on none.
  public var port: Int? { state.withLock { $0.channel?.localAddress?.port } }

  /// Reads the certificates' files again, for connections that begin from now on; without TLS nothing happens.
  ///
  /// - Throws: `SetupError.invalidSetting` when one cannot be used; those from before stay in use then.
  public func reloadCertificates() throws(SetupError) {
    try state.withLock { $0.acceptor?.tls }?.reload()
  }

  /// Serves the peer of a socket that is connected, as if it had called the address; the server closes the socket.
  ///
  /// - Throws: `SetupError.invalidSetting` when the server does not run.
  package func serve(socket: CInt) async throws(SetupError) {
    let acceptor = state.withLock { state -> ConnectionAcceptor? in
      guard case .running = state.phase else { return nil }
      return state.acceptor
    }
    guard let acceptor else {
      throw .invalidSetting(name: "server", value: "not running", reason: "only a server that runs serves a socket")
    }
    do {
      try await acceptor.serve(socket: socket)
    } catch {
      throw .addressUnavailable(address: "socket \(socket)", reason: "\(error)", cause: error)
    }
  }

  /// Stops listening, lets the calls that are there end, and closes. Calls that go on past the grace period are
  /// cancelled. Returns when all is closed and the handlers have ended; those that ignore their cancellation are waited
  /// for no longer than five seconds, and logged. Calling it again only waits.
  public func shutDown() async {
    let isOurs = state.withLock { state in
      switch state.phase {
      case .running:
        state.phase = .shuttingDown
        state.watch?.cancel()
        return true
      case .starting:
        // `start` sees it when it has bound the address, and ends the server itself.
        state.phase = .shuttingDown
        return false
      case .idle, .shuttingDown, .ended: return false
      }
    }
    guard isOurs else { return await ended() }
    logger.info("shutting down")
    for service in services { service.serverIsShuttingDown() }
    await stopListening()
    connections.beginShutdown()
    await connections.waitUntilEmpty(within: configuration.gracePeriod)
    connections.close()
    await connections.waitUntilEmpty(within: .seconds(5))
    await endHandlers()
    finish()
  }

  /// Wakes who waits for the end.
  private func finish() {
    let waiting = state.withLock { state in
      state.phase = .ended
      defer { state.ended = [] }
      return state.ended
    }
    reporter.writeSums(isLast: true)
    logger.info("shut down")
    for continuation in waiting { continuation.resume() }
  }

  /// Waits for handlers that were cancelled, which may still use what the application takes down next, and ends the
  /// server's own threads: later, and without being waited for, when a handler that ignores its cancellation needs them.
  private func endHandlers() async {
    let group = state.withLock { $0.acceptor?.group }
    await reporter.waitForHandlers(within: .seconds(5))
    if reporter.runningHandlers > 0 {
      logger.warning("handlers go on after the shutdown", metadata: ["handlers": "\(reporter.runningHandlers)"])
      guard configuration.threads != nil else { return }
      Task { [reporter] in
        await reporter.waitForHandlers()
        try? await group?.shutdownGracefully()
      }
    } else if configuration.threads != nil {
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

extension Server {
  /// Listens, serves until the task is cancelled, `shutDown` is called or the `ServiceGroup` that runs it shuts down,
  /// and shuts down gracefully.
  ///
  /// - Throws: `SetupError` when a setting is out of bounds or the address cannot be had.
  public func run() async throws(SetupError) { try await run(onListen: { _ in }) }
}

#if ServiceLifecycle
extension Server: Service {}
#endif
