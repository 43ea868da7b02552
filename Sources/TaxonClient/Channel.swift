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
public final class Channel: Sendable {
  /// Where the channel connects.
  public let target: Target
  /// How its calls are retried, guarded and timed.
  public let policy: CallPolicy
  /// The circuit breaker that guards the endpoint; nil when the policy has none.
  public let breaker: CircuitBreaker?

  let engine: CallEngine
  let interceptors: [any ClientInterceptor]

  /// A channel; it connects with its first call.
  ///
  /// - Parameters:
  ///   - target: Such as "dns:///localhost:50051"; see `Target`.
  ///   - policy: Retry, breaker and timeout of the calls.
  ///   - limits: What the client accepts.
  ///   - connectTimeout: How long making a connection may take.
  ///   - clock: Measures the pauses between attempts and the breaker's time; another one is for tests.
  ///   - interceptors: See every call, the first outermost.
  ///   - observer: Told what is decided about each failure. Called on any thread; should not block.
  /// - Throws: `SetupError.InvalidSetting` when the target is none.
  public init(
    _ target: String, policy: CallPolicy = .standard, limits: ClientLimits = ClientLimits(),
    connectTimeout: Duration = .seconds(20), clock: any Clock<Duration> = ContinuousClock(),
    interceptors: [any ClientInterceptor] = [], logger: Logger = Logger(label: "taxon.client"),
    observer: (@Sendable (CallEvent) -> Void)? = nil
  ) throws(SetupError) {
    self.target = try Target(target)
    self.policy = policy
    self.interceptors = interceptors
    breaker = policy.breaker.map { settings in
      CircuitBreaker(endpoint: target, settings: settings, clock: clock) { transition in
        observer?(.breaker(transition))
        logger.notice("\(transition)")
      }
    }
    var http2 = HTTP2Configuration()
    http2.maxHeaderListSize = limits.maxHeaderListSize
    let endpoint = Endpoint(
      target: self.target, eventLoop: MultiThreadedEventLoopGroup.singleton.next(), http2: http2,
      limits: limits, connectTimeout: connectTimeout)
    engine = CallEngine(
      endpoint: endpoint, policy: policy, breaker: breaker, budget: policy.retry.budget.map { RetryBudget($0) },
      clock: clock, observer: observer, logger: logger)
  }

  deinit {
    shutDown()
  }

  /// Takes no more calls; those that are going on may end.
  public func shutDown() {
    let endpoint = engine.endpoint
    endpoint.execute { endpoint.shutDown() }
  }
}
