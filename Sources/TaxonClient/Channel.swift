// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import NIOPosix
import TaxonErrors
import TaxonHTTP2
import TaxonProtobuf
import TaxonResilience

/// A way to a server, on which clients make calls: it connects when it is needed, retries what the schema says may be
/// retried, and stops asking a server that fails.
///
/// ```swift
/// let orchestrator = Orchestrator.Client(try Channel("dns:///localhost:50051", policy: .standard))
/// ```
public final class Channel: CallInvoker {
  /// Where the channel connects.
  public let target: Target
  /// How its calls are retried, guarded and timed.
  public let policy: CallPolicy
  /// The circuit breaker that guards the endpoint; nil when the policy has none, and with round-robin, where each
  /// address has its own.
  public let breaker: CircuitBreaker?

  private let endpoint: Endpoint
  private let clock: any Clock<Duration>
  private let budget: RetryBudget?
  private let observer: (@Sendable (CallEvent) -> Void)?
  private let logger: Logger
  /// Looks after the files of certificates.
  private let reloading: Task<Void, Never>?

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
  ///   - observer: Told what is decided about each failure. Called on any thread; should not block.
  /// - Throws: `SetupError.InvalidSetting` when the target is none, or a certificate cannot be read.
  public convenience init(
    _ target: String, policy: CallPolicy = .standard, tls: ClientTLS? = nil, clock: any Clock<Duration> = ContinuousClock(),
    logger: Logger = Logger(label: "taxon.client"), observer: (@Sendable (CallEvent) -> Void)? = nil
  ) throws(SetupError) {
    var configuration = Configuration(policy: policy, tls: tls)
    configuration.clock = clock
    configuration.logger = logger
    configuration.observer = observer
    try self.init(target, configuration: configuration)
  }

  init(_ target: Target, _ configuration: Configuration, dialer: any Dialer) throws(SetupError) {
    try configuration.check()
    self.target = target
    policy = configuration.policy
    clock = configuration.clock
    logger = configuration.logger
    observer = configuration.observer
    budget = policy.retry.budget.map { RetryBudget($0) }
    breaker =
      configuration.balancing == .pickFirst
      ? policy.breaker.map { configuration.makeBreaker(endpoint: target.description, settings: $0) } : nil
    let tls: TLSContextSource? =
      if let tls = configuration.tls { try TLSContextSource(tls, logger: logger) } else { nil }
    if let tls, let interval = configuration.tls?.reloadInterval {
      reloading = Task { await tls.watch(every: interval) }
    } else {
      reloading = nil
    }
    endpoint = Endpoint(
      target: target, eventLoop: MultiThreadedEventLoopGroup.singleton.next(), configuration: configuration,
      dialer: dialer, tls: tls)
  }

  deinit {
    shutDown()
  }

  /// Where the channel stands.
  public var state: ConnectivityState { endpoint.states.state }

  /// Where the channel stands, now and after each change; the sequence ends when the channel is shut down. Who does not
  /// keep up misses states between.
  public var stateChanges: AsyncStream<ConnectivityState> { endpoint.states.changes() }

  /// Connects, if the channel is idle, without waiting for a first call.
  public func connect() {
    let endpoint = endpoint
    endpoint.execute { endpoint.wake() }
  }

  /// Takes no more calls; those that are going on may end.
  public func shutDown() {
    reloading?.cancel()
    let endpoint = endpoint
    endpoint.execute { endpoint.shutDown() }
  }

  /// Makes a call, with as many attempts as the policy and the errors' declarations allow.
  public func unary<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, _ request: Request, options: CallOptions
  ) async throws(Failure) -> Response {
    let deadline = (options.timeout ?? policy.timeout).map { NIODeadline.now() + TimeAmount($0) }
    var retrier = Retrier(
      options.retry ?? policy.retry, isIdempotent: method.idempotency.isSafeToRepeat, budget: budget)
    while true {
      let result = await attempt(method, request, options: options, deadline: deadline)
      for note in result.notes { logger.warning("\(note)", metadata: ["rpc.path": "\(method.path)"]) }
      let error: Failure
      switch result.outcome {
      case .success(let response):
        retrier.succeeded()
        options.onMetadata?(result.initial, result.trailing)
        return response
      case .failure(let failure): error = failure
      }
      let decision = retrier.failed(
        error, timeLeft: deadline.map { Duration($0 - .now()) }, isRefused: result.isRefused)
      observer?(
        .attemptFailed(path: method.path, attempt: retrier.failedAttempts, error: error, decision: decision))
      logger.debug("\(decision)", metadata: ["rpc.path": "\(method.path)", "error.code": "\(error.code)"])
      guard case .retry(let delay, _) = decision else {
        options.onMetadata?(result.initial, result.trailing)
        throw error
      }
      do {
        try await sleep(delay)
      } catch {
        throw Failure.lift(error)
      }
    }
  }

  private func sleep(_ delay: Duration) async throws {
    if delay > .zero { try await clock.sleep(for: delay) } else { try Task.checkCancellation() }
  }

  private func attempt<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, _ request: Request, options: CallOptions,
    deadline: NIODeadline?
  ) async -> AttemptResult<Response, Failure> {
    let call = UnaryClientCall(method, request, metadata: options.metadata, deadline: deadline, waitsForReady: options.waitForReady)
    guard let breaker else { return await call.run(on: endpoint) }
    do throws(ConnectionError.CircuitOpen) {
      let permit = try breaker.acquire()
      let result = await call.run(on: endpoint)
      switch result.outcome {
      case .success: permit.settle(.success)
      case .failure(let error): permit.settle(throwing: error)
      }
      return result
    } catch {
      return AttemptResult(
        outcome: .failure(Failure.lift(error).fromCall()), initial: Metadata(), trailing: Metadata(), isRefused: false,
        notes: [])
    }
  }
}
