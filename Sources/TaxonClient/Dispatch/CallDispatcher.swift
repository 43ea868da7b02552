// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import TaxonErrors
import TaxonProtobuf
import TaxonResilience
import TaxonTransport

/// A call that a channel can send when it has a connection, whatever its types.
protocol PendingCall: AnyObject {
  /// The call waits when no server can be reached, instead of failing at once.
  var waitsForReady: Bool { get }
  /// The call has ended, and nobody need wait for it any more.
  var isOver: Bool { get }
  /// Where the call waits; for the queue alone. A call that ends leaves the queue.
  var place: WaitingCalls.Place? { get set }
  /// Takes a permit of a server's circuit breaker, to be settled with the outcome. Comes once, before `send`; not at all
  /// without a breaker.
  func admit(_ permit: consuming CircuitBreaker.Permit)
  /// Opens the stream on a session that can take it. To be called on the channel's loop.
  func send(on connection: ClientConnection)
  /// Ends the call without having sent it.
  func fail(_ error: any TaxonomyError)
}

/// A call that was handed to a channel.
protocol SubmittedCall: AnyObject, Sendable {
  /// To be called on the channel's loop.
  func begin()
}

/// Where a channel's calls go: resolves the target, connects to what it finds, and gives each call to a connection that
/// can take it. Calls for which there is none at the moment wait here, in their order.
// @unchecked: its mutable state is reached on the event loop alone.
final class CallDispatcher: @unchecked Sendable {
  let eventLoop: any EventLoop
  let target: Target
  let configuration: Channel.Configuration
  /// What an error may be that the called method does not declare.
  let knownErrors: ErrorRegistry
  let states = StateBoard()
  /// When the calls have to be over.
  let deadlines: DeadlineQueue
  private let resolver: any NameResolver
  private let balancer: any LoadBalancer
  /// The balancer's, which admits calls before they wait.
  private let breaker: CircuitBreaker?
  /// As it is now: servers may have made it longer.
  private(set) var keepaliveTime: Duration?
  let waiting = WaitingCalls()
  @exclusivity(unchecked) private var isServing = false
  @exclusivity(unchecked) private var isShutDown = false
  /// No call was made for a while, or none so far: no connections are made.
  @exclusivity(unchecked) private(set) var isAsleep = true
  private var idleTimer: Scheduled<Void>?
  @exclusivity(unchecked) private var lastUse: NIODeadline

  init(
    target: Target, eventLoop: any EventLoop, configuration: Channel.Configuration, resolver: any NameResolver,
    balancer: any LoadBalancer
  ) {
    self.target = target
    self.eventLoop = eventLoop
    self.configuration = configuration
    knownErrors = configuration.knownErrors + .taxonErrors
    deadlines = DeadlineQueue(eventLoop)
    lastUse = eventLoop.now
    keepaliveTime = configuration.keepalive.time
    self.resolver = resolver
    self.balancer = balancer
    breaker = balancer.breaker
    resolver.owner = self
    balancer.owner = self
  }

  /// Runs on the channel's loop: at once when called there.
  func execute(_ body: @escaping @Sendable () -> Void) {
    if eventLoop.inEventLoop { body() } else { eventLoop.execute(body) }
  }

  /// Calls on their way to the loop, from any thread: those that come before the loop runs need wake it once.
  private let inbox = Locked((calls: [any SubmittedCall](), isScheduled: false))
  /// Those that are being begun; its memory is the inbox's next.
  @exclusivity(unchecked) private var batch: [any SubmittedCall] = []
  private static let keptCapacity = 1024

  /// Begins a call on the channel's loop.
  func submit(_ call: any SubmittedCall) {
    if eventLoop.inEventLoop { return call.begin() }
    let isFirst = inbox.withLock { inbox in
      inbox.calls.append(call)
      defer { inbox.isScheduled = true }
      return !inbox.isScheduled
    }
    guard isFirst else { return }
    eventLoop.execute { [self] in
      inbox.withLock { inbox in
        inbox.isScheduled = false
        swap(&inbox.calls, &batch)
      }
      for call in batch { call.begin() }
      batch.removeAll(keepingCapacity: batch.count <= Self.keptCapacity)
    }
  }

  // MARK: Calls

  /// True while calls wait.
  var hasWaitingCalls: Bool { !waiting.isEmpty }

  /// Sends a call as soon as a connection can take it, with a permit if there is a breaker.
  func start(_ call: any PendingCall) {
    eventLoop.assertInEventLoop()
    guard !isShutDown else { return call.fail(Self.shutDownError) }
    if let breaker {
      do throws(ConnectionError.CircuitOpen) {
        call.admit(try breaker.acquire())
      } catch {
        return call.fail(error)
      }
    }
    wake()
    // Calls that wait for room are not overtaken. Calls that wait for a server to come back hold up no others.
    guard waiting.isEmpty || (state == .transientFailure && !call.waitsForReady) else { return enqueue(call) }
    if !place(call) { enqueue(call) }
  }

  private func enqueue(_ call: any PendingCall) {
    let limit = configuration.maxWaitingCalls
    guard waiting.count < limit else {
      return call.fail(ConnectionError.TooManyWaitingCalls(endpoint: target.description, limit: Int64(limit)))
    }
    waiting.append(call)
  }

  /// Sends the call or ends it; false: it has to wait.
  private func place(_ call: any PendingCall) -> Bool {
    switch balancer.pick() {
    case .send(let connection): call.send(on: connection)
    case .admit(let connection, let permit):
      call.admit(permit)
      call.send(on: connection)
    case .reject(let error): call.fail(error)
    case .wait: return false
    case .unreachable(let outage):
      guard !call.waitsForReady else { return false }
      call.fail(outage.error(of: target.description, at: eventLoop.now))
    case .none:
      guard !call.waitsForReady, let outage = resolver.outage else { return false }
      call.fail(outage.error(of: target.description, at: eventLoop.now))
    }
    return true
  }

  /// Sends the calls that wait, as far as there is room.
  func serve() {
    eventLoop.assertInEventLoop()
    guard !isServing, !waiting.isEmpty else { return }
    isServing = true
    defer { isServing = false }
    while let call = waiting.popFirst() {
      if call.isOver || place(call) { continue }
      waiting.prepend(call)
      break
    }
    // There will be no connection for a while: only calls that wait for ready stay.
    guard state == .transientFailure else { return }
    for _ in 0..<waiting.count {
      guard let call = waiting.popFirst() else { break }
      if !call.isOver, !place(call) { waiting.append(call) }
    }
  }

  // MARK: State

  /// The channel's state.
  var state: ConnectivityState {
    if isShutDown { return .shutdown }
    return balancer.state ?? resolver.state
  }

  func publishState() { states.update(state) }

  /// Makes connections, when there are none.
  func wake() {
    eventLoop.assertInEventLoop()
    guard !isShutDown else { return }
    if isAsleep {
      isAsleep = false
      lastUse = eventLoop.now
      watchIdleness()
      // Only known addresses are refreshed, or connected to.
      resolver.refresh()
      for subchannel in balancer.subchannels { subchannel.connect() }
    }
    resolver.resolve()
    balancer.exitIdle()
  }

  private func watchIdleness() {
    guard let idleTimeout = configuration.idleTimeout else { return }
    idleTimer = eventLoop.scheduleTask(deadline: lastUse + TimeAmount(saturating: idleTimeout)) { [weak self] in
      self?.checkIdleness(idleTimeout)
    }
  }

  private func checkIdleness(_ idleTimeout: Duration) {
    let now = eventLoop.now
    let isUsed = hasWaitingCalls || balancer.subchannels.contains { !($0.connection?.isEmpty ?? true) }
    if isUsed { lastUse = now }
    if now < lastUse + TimeAmount(saturating: idleTimeout) { return watchIdleness() }
    isAsleep = true
    for subchannel in balancer.subchannels { subchannel.disconnect() }
  }

  /// Takes no more calls; the connections close when their calls have ended.
  func shutDown() {
    eventLoop.assertInEventLoop()
    guard !isShutDown else { return }
    isShutDown = true
    idleTimer?.cancel()
    resolver.shutDown()
    for subchannel in balancer.subchannels { subchannel.shutDown() }
    while let call = waiting.popFirst() { call.fail(Self.shutDownError) }
    publishState()
  }

  private static var shutDownError: RPCError { RPCError(.cancelled, "The channel is shut down") }
}

extension CallDispatcher: SubchannelOwner {
  func subchannelChanged(_ subchannel: Subchannel) {
    eventLoop.assertInEventLoop()
    guard !isShutDown else { return }
    switch subchannel.state {
    case .transientFailure: resolver.refresh()
    case .idle where !isAsleep && (balancer.staysConnected || hasWaitingCalls):
      // Changes the state again, and comes back here.
      if balancer.subchannels.contains(where: { $0 === subchannel }) { return subchannel.connect() }
    case .idle, .connecting, .ready, .shutdown: break
    }
    publishState()
    serve()
  }

  func subchannelHasRoom(_ subchannel: Subchannel) {
    eventLoop.assertInEventLoop()
    if subchannel.connection?.isEmpty == true { lastUse = eventLoop.now }
    serve()
  }

  func subchannelPingedTooOften(_ subchannel: Subchannel) {
    eventLoop.assertInEventLoop()
    keepaliveTime = keepaliveTime.map { min($0 * 2, .seconds(24 * 3600)) }
    for subchannel in balancer.subchannels { subchannel.settings.keepaliveTime = keepaliveTime }
  }
}

extension CallDispatcher: NameResolverOwner {
  func resolverChanged() { publishState() }

  func resolverFailed() {
    publishState()
    serve()
  }

  func resolverFound(_ addresses: [SocketAddress]) {
    balancer.update(addresses)
    for subchannel in balancer.subchannels { subchannel.settings.keepaliveTime = keepaliveTime }
    publishState()
    guard !isAsleep else { return }
    for subchannel in balancer.subchannels { subchannel.connect() }
    serve()
  }
}
