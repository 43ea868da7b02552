// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import TaxonErrors
import TaxonProtobuf
import TaxonResilience
import TaxonTransport

/// Where a channel's calls go: resolves the target, connects to what it finds, and gives each call to a connection that
/// can take it. Calls for which there is none at the moment wait here, in their order.
// Its mutable state is reached on the event loop alone.
final class CallDispatcher: @unchecked Sendable {
  let eventLoop: any EventLoop
  let target: Target
  let configuration: Channel.Configuration
  /// Makes the connections. Tests put another one in its place before the first call.
  var dialer: any Dialer
  let tls: TLSContextSource?
  /// What an error may be that the called method does not declare.
  let knownErrors: ErrorRegistry
  let states = StateBoard()
  /// When the calls have to be over.
  let deadlines: DeadlineQueue
  /// One for each address; with pick-first, one for all.
  @exclusivity(unchecked) private var subchannels: [Subchannel] = []
  private let resolver: TargetResolver
  /// As it is now: servers may have made it longer.
  private(set) var keepaliveTime: Duration?
  @exclusivity(unchecked) private var picker = Picker()
  let waiting = WaitingCalls()
  @exclusivity(unchecked) private var isServing = false
  @exclusivity(unchecked) private var isShutDown = false
  /// No call was made for a while, or none so far: no connections are made.
  @exclusivity(unchecked) private(set) var isAsleep = true
  private var idleTimer: Scheduled<Void>?
  @exclusivity(unchecked) private var lastUse: NIODeadline

  init(
    target: Target, eventLoop: any EventLoop, configuration: Channel.Configuration, dialer: any Dialer,
    tls: TLSContextSource?
  ) {
    self.tls = tls
    self.target = target
    self.eventLoop = eventLoop
    self.configuration = configuration
    self.dialer = dialer
    knownErrors = configuration.knownErrors + .taxonErrors
    deadlines = DeadlineQueue(eventLoop)
    lastUse = eventLoop.now
    keepaliveTime = configuration.keepalive.time
    resolver = TargetResolver(target, on: eventLoop, configuration: configuration)
    resolver.owner = self
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

  /// Sends a call as soon as a connection can take it.
  func start(_ call: any PendingCall) {
    eventLoop.assertInEventLoop()
    guard !isShutDown else { return call.fail(Self.shutDownError) }
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
    switch picker.pick(from: subchannels) {
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

  /// How the subchannels look together.
  var state: ConnectivityState {
    if isShutDown { return .shutdown }
    var state = resolver.state
    for (index, subchannel) in subchannels.enumerated() {
      switch (subchannel.state, index) {
      case (.ready, _): return .ready
      case (.shutdown, _): break
      case (let other, 0): state = other
      case (.connecting, _): state = .connecting
      case (.idle, _): if state != .connecting { state = .idle }
      case (.transientFailure, _): break
      }
    }
    return state
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
      if resolver.isDone {
        resolver.refresh()
        for subchannel in subchannels { subchannel.connect() }
      }
    }
    if resolver.isNeeded { resolver.resolve() }
    if configuration.balancing == .pickFirst { subchannels.first?.connect() }
  }

  private func watchIdleness() {
    guard let idleTimeout = configuration.idleTimeout else { return }
    idleTimer = eventLoop.scheduleTask(deadline: lastUse + TimeAmount(saturating: idleTimeout)) { [weak self] in
      self?.checkIdleness(idleTimeout)
    }
  }

  private func checkIdleness(_ idleTimeout: Duration) {
    let now = eventLoop.now
    let isUsed = hasWaitingCalls || subchannels.contains { !($0.connection?.isEmpty ?? true) }
    if isUsed { lastUse = now }
    if now < lastUse + TimeAmount(saturating: idleTimeout) { return watchIdleness() }
    isAsleep = true
    for subchannel in subchannels { subchannel.disconnect() }
  }

  /// Takes no more calls; the connections close when their calls have ended.
  func shutDown() {
    eventLoop.assertInEventLoop()
    guard !isShutDown else { return }
    isShutDown = true
    idleTimer?.cancel()
    resolver.shutDown()
    for subchannel in subchannels { subchannel.shutDown() }
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
    case .idle where !isAsleep && (configuration.balancing == .roundRobin || hasWaitingCalls):
      // Changes the state again, and comes back here.
      if subchannels.contains(where: { $0 === subchannel }) { return subchannel.connect() }
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
    for subchannel in subchannels { subchannel.settings.keepaliveTime = keepaliveTime }
  }
}

extension CallDispatcher: TargetResolverOwner {
  func resolverChanged() { publishState() }

  func resolverFailed() {
    publishState()
    serve()
  }

  /// Takes addresses that were found. Connections to addresses that are still there stay.
  func resolverFound(_ addresses: [SocketAddress]) {
    switch configuration.balancing {
    case .pickFirst:
      if let subchannel = subchannels.first {
        subchannel.addresses = addresses
      } else {
        subchannels = [makeSubchannel(addresses, breaker: nil)]
      }
    case .roundRobin: adoptEach(addresses)
    }
    publishState()
    guard !isAsleep else { return }
    for subchannel in subchannels { subchannel.connect() }
    serve()
  }

  private func adoptEach(_ addresses: [SocketAddress]) {
    var old = subchannels
    // A socket in this process has no address.
    let groups = addresses.isEmpty ? [[]] : addresses.map { [$0] }
    var new: [Subchannel] = []
    for group in groups where !new.contains(where: { $0.addresses == group }) {
      if let index = old.firstIndex(where: { $0.addresses == group }) {
        new.append(old.remove(at: index))
      } else {
        let name = group.first?.text ?? target.description
        new.append(makeSubchannel(group, breaker: makeBreaker(name)))
      }
    }
    subchannels = new
    for subchannel in old { subchannel.shutDown() }
  }

  private func makeSubchannel(_ addresses: [SocketAddress], breaker: CircuitBreaker?) -> Subchannel {
    var settings = ConnectionSettings(
      target: target.description, authority: configuration.authority ?? target.authority, configuration: configuration)
    settings.keepaliveTime = keepaliveTime
    settings.tls = tls
    settings.serverName = configuration.tls?.serverName ?? target.hostName
    return Subchannel(
      addresses: addresses, eventLoop: eventLoop, dialer: dialer, settings: settings, configuration: configuration,
      breaker: breaker, owner: self)
  }

  private func makeBreaker(_ name: String) -> CircuitBreaker? {
    configuration.policy.breaker.map { configuration.makeBreaker(endpoint: name, settings: $0) }
  }
}

extension Channel.Configuration {
  /// A breaker that reports to the observer and the log.
  func makeBreaker(endpoint: String, settings: CircuitBreaker.Settings) -> CircuitBreaker {
    let clock = clock
    let (observer, logger) = (observer, logger)
    return CircuitBreaker(endpoint: endpoint, settings: settings, clock: clock) { transition in
      observer?(.breaker(transition))
      logger.notice("\(transition)")
    }
  }
}
