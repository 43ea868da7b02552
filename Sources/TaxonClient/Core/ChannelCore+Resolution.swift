// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import NIOPosix
import TaxonErrors
import TaxonResilience
import TaxonTransport

/// What a channel knows about the addresses of its target.
struct Resolution {
  fileprivate enum Phase { case none, running, done, failed }

  fileprivate var phase = Phase.none
  /// Running again, while the addresses that are known still count.
  fileprivate var isRefreshing = false
  fileprivate var last: NIODeadline?
  fileprivate var failures = 0
  /// Why no address is known.
  fileprivate(set) var outage: Outage?
  fileprivate var log = OutageLog()
  /// Until the name may be resolved again.
  fileprivate(set) var timer: Scheduled<Void>?

  /// Addresses are known.
  var isDone: Bool { phase == .done }
  /// Nobody has asked for addresses yet, or the pause after a failure is over.
  var isNeeded: Bool { phase == .none }
  /// What the resolution means for the channel's state while no address is known.
  var state: ConnectivityState {
    switch phase {
    case .none: .idle
    case .running, .done: .connecting
    case .failed: .transientFailure
    }
  }
}

extension ChannelCore {
  /// Looks for the target's addresses.
  func resolve() {
    switch target.address {
    case .addresses(let addresses): adopt(addresses)
    case .socket: adopt([])
    case .name(let host, let port):
      if let address = try? SocketAddress(ipAddress: host, port: port) { return adopt([address]) }
      resolution.last = eventLoop.now
      if resolution.isDone { resolution.isRefreshing = true } else { resolution.phase = .running }
      publishState()
      let lookup = configuration.nameLookup
      NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) { try lookup(host, port) }
        .whenComplete { [weak self] result in self?.resolved(result) }
    }
  }

  private func resolved(_ result: Result<[SocketAddress], any Error>) {
    guard state != .shutdown else { return }
    resolution.isRefreshing = false
    switch result {
    case .success(let addresses) where !addresses.isEmpty: adopt(addresses)
    case .success: failed(NameLookupError(description: "\(target) has no address"))
    case .failure(let error): failed(error)
    }
  }

  private func failed(_ error: any Error) {
    // Addresses that were good are better than none.
    guard !resolution.isDone else { return }
    resolution.failures += 1
    resolution.phase = .failed
    var generator = SystemRandomNumberGenerator()
    let pause = configuration.backoff.delay(retry: resolution.failures, using: &generator)
    let (now, began) = (eventLoop.now, resolution.last ?? eventLoop.now)
    let outage = Outage(
      phase: .resolve, reason: ConnectionFailure.text(of: error), cause: error,
      since: resolution.outage?.since ?? began, began: began, nextAttempt: now + TimeAmount(saturating: pause))
    resolution.outage = outage
    resolution.log.note(outage, of: target.description, configuration.logger)
    schedule(in: pause) { core in
      core.resolution.phase = .none
      if core.hasWaitingCalls { core.resolve() } else { core.publishState() }
    }
    publishState()
    serve()
  }

  private func schedule(in pause: Duration, _ body: @escaping @Sendable (ChannelCore) -> Void) {
    resolution.timer?.cancel()
    resolution.timer = eventLoop.scheduleTask(in: TimeAmount(saturating: pause)) { [weak self] in
      guard let self else { return }
      self.resolution.timer = nil
      body(self)
    }
  }

  /// Looks for other addresses, since those that are known may be out of date; soon, when that has been done lately.
  func requestResolution() {
    guard case .name(let host, _) = target.address, (try? SocketAddress(ipAddress: host, port: 0)) == nil,
      resolution.isDone, !resolution.isRefreshing, resolution.timer == nil, let last = resolution.last
    else { return }
    let left = Duration(last + TimeAmount(saturating: configuration.resolutionInterval) - eventLoop.now)
    guard left > .zero else { return resolve() }
    schedule(in: left) { core in
      if !core.isAsleep { core.resolve() }
    }
  }

  /// Takes addresses that were found. Connections to addresses that are still there stay.
  private func adopt(_ addresses: [SocketAddress]) {
    resolution.phase = .done
    resolution.failures = 0
    resolution.outage = nil
    resolution.log.end(of: target.description, at: nil, configuration.logger)
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
