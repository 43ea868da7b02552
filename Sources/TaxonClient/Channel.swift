// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import NIOPosix
import TaxonErrors
import TaxonProtobuf
import TaxonResilience
import TaxonTransport

/// A way to a server, on which clients make calls: it connects when it is needed, retries what the schema says may be
/// retried, and stops asking a server that fails.
///
/// ```swift
/// let orchestrator = Orchestrator.Client(try Channel("dns:///localhost:50051", policy: .standard))
/// ```
public final class Channel: Sendable {
  /// Where the channel connects.
  public let target: Target
  /// How its calls are retried, guarded and timed.
  public let policy: CallPolicy
  /// The circuit breaker that guards the endpoint; nil when the policy has none, and with round-robin, where each
  /// address has its own.
  public let breaker: CircuitBreaker?

  let engine: CallEngine
  let interceptors: [any ClientInterceptor]
  /// Looks after the files of certificates.
  let reloading: Task<Void, Never>?

  /// A channel; it connects with its first call.
  ///
  /// - Parameter target: Such as "dns:///localhost:50051"; see `Target`.
  /// - Throws: `SetupError.InvalidSetting` when the target is none, or a setting is out of its bounds.
  public convenience init(_ target: String, configuration: Configuration) throws(SetupError) {
    try self.init(Target(target), configuration, dialer: NetworkDialer())
  }

  /// A channel with a policy, and the standard configuration otherwise.
  ///
  /// - Parameters:
  ///   - target: Such as "dns:///localhost:50051"; see `Target`.
  ///   - policy: Retry, breaker and timeout of the calls.
  ///   - tls: Encrypts; nil speaks HTTP/2 unencrypted (h2c).
  ///   - clock: Measures the pauses between attempts and the breaker's time; another one is for tests.
  ///   - interceptors: Go around every call, the first outermost.
  ///   - observer: Receives what the channel decides about each failed attempt. Called on any thread; must not block.
  /// - Throws: `SetupError.InvalidSetting` when the target is none, or a certificate cannot be read.
  public convenience init(
    _ target: String, policy: CallPolicy = .standard, tls: ClientTLS? = nil,
    clock: any Clock<Duration> = ContinuousClock(), interceptors: [any ClientInterceptor] = [],
    logger: Logger = Logger(label: "taxon.client"), observer: (@Sendable (CallEvent) -> Void)? = nil
  ) throws(SetupError) {
    var configuration = Configuration(policy: policy, tls: tls)
    configuration.clock = clock
    configuration.interceptors = interceptors
    configuration.logger = logger
    configuration.observer = observer
    try self.init(target, configuration: configuration)
  }

  /// A channel over sockets that a closure has connected, called for each connection and on the channel's loop.
  package convenience init(
    socketsTo name: String, configuration: Configuration, connect: @escaping @Sendable () throws -> CInt
  ) throws(SetupError) {
    try self.init(Target(socketNamed: name), configuration, dialer: SocketDialer(connect: connect))
  }

  init(
    _ target: Target, _ configuration: Configuration, dialer: any Dialer,
    eventLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next(), resolver: (any NameResolver)? = nil
  ) throws(SetupError) {
    try configuration.check()
    self.target = target
    policy = configuration.policy
    interceptors = configuration.interceptors
    let tls: TLSContextSource? =
      if let tls = configuration.tls { try TLSContextSource(tls, logger: configuration.logger) } else { nil }
    if let tls, let interval = configuration.tls?.reloadInterval {
      reloading = Task { await tls.watch(every: interval) }
    } else {
      reloading = nil
    }
    let factory = SubchannelFactory(
      target: target, eventLoop: eventLoop, configuration: configuration,
      dialer: DialerObservation.observed?(dialer) ?? dialer, tls: tls)
    let balancer = configuration.balancing.makeBalancer(factory)
    breaker = balancer.breaker
    let dispatcher = CallDispatcher(
      target: target, eventLoop: eventLoop, configuration: configuration,
      resolver: resolver ?? TargetResolver(target, on: eventLoop, configuration: configuration), balancer: balancer)
    engine = CallEngine(
      dispatcher: dispatcher, policy: policy, clock: configuration.clock,
      observer: configuration.observer, logger: configuration.logger)
  }

  deinit {
    shutDown()
  }

  /// Where the channel stands.
  public var state: ConnectivityState { engine.dispatcher.states.state }

  /// Where the channel stands, now and after each change; the sequence ends when the channel is shut down. Who does not
  /// keep up misses states between.
  public var stateChanges: AsyncStream<ConnectivityState> { engine.dispatcher.states.changes() }

  /// Connects, if the channel is idle, without waiting for a first call.
  public func connect() {
    let dispatcher = engine.dispatcher
    dispatcher.execute { dispatcher.wake() }
  }

  /// Takes no more calls; those that are going on may end.
  public func shutDown() {
    reloading?.cancel()
    let dispatcher = engine.dispatcher
    dispatcher.execute { dispatcher.shutDown() }
  }
}
