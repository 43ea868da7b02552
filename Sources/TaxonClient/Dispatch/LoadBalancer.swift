// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import TaxonErrors
import TaxonResilience
import TaxonTransport

/// A load-balancing policy: decides which subchannels a channel has, and which of them gets a call.
///
/// Lives on the channel's event loop.
protocol LoadBalancer: AnyObject {
  /// Receives the events of the subchannels. Not retained.
  var owner: (any SubchannelOwner)? { get set }
  /// The subchannels for the addresses that were found last; none before the first `update`.
  var subchannels: [Subchannel] { get }
  /// The breaker of the subchannel that gets all calls. A call takes its permit before it waits for the connection, so that
  /// waiting in vain counts. Nil when there is a choice: `pick` then asks the breaker of the subchannel that it finds. Always
  /// the same one, and readable on any thread.
  var breaker: CircuitBreaker? { get }
  /// True when a subchannel whose connection has ended connects again without waiting for a call.
  var staysConnected: Bool { get }
  /// Takes addresses that a resolver found; none for a socket of this process. Connections to addresses that are still
  /// there stay.
  func update(_ addresses: [SocketAddress])
  /// Connects, when the policy connects for calls and one begins. Called once for each call: returns at once when there is
  /// nothing to do.
  func exitIdle()
  /// Where the next call goes.
  func pick() -> Pick
}

/// What becomes of a call.
enum Pick: ~Copyable {
  case send(ClientConnection)
  /// Send it with a permit of the server's breaker.
  case admit(ClientConnection, CircuitBreaker.Permit)
  /// Connections are being made, or are full.
  case wait
  /// The breakers of all servers that could take the call are open.
  case reject(ConnectionError.CircuitOpen)
  /// No server can be reached; the outage of the one that was tried last.
  case unreachable(Outage)
  /// No server is known.
  case none
}

extension LoadBalancer {
  /// The subchannels' states as one; nil when there are no subchannels.
  var state: ConnectivityState? {
    var state: ConnectivityState?
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
}

extension Channel.Balancing {
  func makeBalancer(_ factory: SubchannelFactory) -> any LoadBalancer {
    switch self {
    case .pickFirst: PickFirst(factory)
    case .roundRobin: RoundRobin(factory)
    }
  }
}

/// One subchannel for all addresses, and one connection, to the address that answers first. What the subchannel's breaker
/// knows outlives a change of addresses.
final class PickFirst: LoadBalancer {
  private let subchannel: Subchannel
  @exclusivity(unchecked) private(set) var subchannels: [Subchannel] = []
  let breaker: CircuitBreaker?
  let staysConnected = false

  init(_ factory: SubchannelFactory) {
    subchannel = factory.makeSubchannel([], isWholeTarget: true)
    breaker = subchannel.breaker
  }

  var owner: (any SubchannelOwner)? {
    get { subchannel.owner }
    set { subchannel.owner = newValue }
  }

  func update(_ addresses: [SocketAddress]) {
    subchannel.addresses = addresses
    subchannels = [subchannel]
  }

  func exitIdle() {
    if !subchannels.isEmpty { subchannel.connect() }
  }

  func pick() -> Pick {
    if let connection = subchannel.connection { return connection.hasFreeStream ? .send(connection) : .wait }
    if subchannels.isEmpty { return .none }
    guard subchannel.state == .transientFailure, let outage = subchannel.outage else { return .wait }
    return .unreachable(outage)
  }
}

/// A subchannel for each address, and each call to the next one in turn that can take it.
final class RoundRobin: LoadBalancer {
  weak var owner: (any SubchannelOwner)?
  private let factory: SubchannelFactory
  @exclusivity(unchecked) private(set) var subchannels: [Subchannel] = []
  @exclusivity(unchecked) private var next = 0
  let breaker: CircuitBreaker? = nil
  let staysConnected = true

  init(_ factory: SubchannelFactory) { self.factory = factory }

  func update(_ addresses: [SocketAddress]) {
    var old = subchannels
    // A socket in this process has no address.
    let groups = addresses.isEmpty ? [[]] : addresses.map { [$0] }
    var new: [Subchannel] = []
    for group in groups where !new.contains(where: { $0.addresses == group }) {
      if let index = old.firstIndex(where: { $0.addresses == group }) {
        new.append(old.remove(at: index))
      } else {
        let subchannel = factory.makeSubchannel(group, isWholeTarget: false)
        subchannel.owner = owner
        new.append(subchannel)
      }
    }
    subchannels = new
    for subchannel in old { subchannel.shutDown() }
  }

  func exitIdle() {}

  func pick() -> Pick {
    var mayCome = false
    var rejection: ConnectionError.CircuitOpen?
    var outage: Outage?
    var unreachable = 0
    for offset in 0..<subchannels.count {
      let index = (next + offset) % subchannels.count
      let subchannel = subchannels[index]
      guard let connection = subchannel.connection else {
        guard subchannel.state == .transientFailure, let failure = subchannel.outage else {
          mayCome = true
          continue
        }
        unreachable += 1
        if failure.began >= outage?.began ?? failure.began { outage = failure }
        continue
      }
      guard connection.hasFreeStream else {
        mayCome = true
        continue
      }
      guard let breaker = subchannel.breaker else {
        next = index + 1
        return .send(connection)
      }
      do throws(ConnectionError.CircuitOpen) {
        let permit = try breaker.acquire()
        next = index + 1
        return .admit(connection, permit)
      } catch {
        // The one that is asked again first says when.
        let isEarlier = (error.retryAfter ?? .zero) < (rejection?.retryAfter ?? .zero)
        if rejection == nil || isEarlier { rejection = error }
      }
    }
    if mayCome { return .wait }
    if let rejection { return .reject(rejection) }
    if var outage {
      outage.otherAddresses += unreachable - 1
      return .unreachable(outage)
    }
    return .none
  }
}

/// Makes the subchannels of one channel, each with a breaker of its own when the channel's policy has one.
struct SubchannelFactory {
  let target: Target
  let eventLoop: any EventLoop
  let configuration: Channel.Configuration
  let dialer: any Dialer
  var tls: TLSContextSource?

  /// A subchannel to one server.
  ///
  /// - Parameters:
  ///   - addresses: Where the server is; none for a socket of this process.
  ///   - isWholeTarget: It stands for all that the target has, and breaker and log name it as the target.
  func makeSubchannel(_ addresses: [SocketAddress], isWholeTarget: Bool) -> Subchannel {
    var settings = ConnectionSettings(
      target: target.description, authority: configuration.authority ?? target.authority, configuration: configuration)
    settings.tls = tls
    settings.serverName = configuration.tls?.serverName ?? target.hostName
    let name = isWholeTarget ? target.description : addresses.first?.text ?? target.description
    return Subchannel(
      addresses: addresses, eventLoop: eventLoop, dialer: dialer, settings: settings,
      state: SubchannelState(backoff: configuration.backoff, connectTimeout: configuration.connectTimeout),
      breaker: makeBreaker(name),
      outageLog: isWholeTarget ? OutageLog() : OutageLog(subject: "an address of the target"))
  }

  /// Reports to the channel's observer and log.
  private func makeBreaker(_ name: String) -> CircuitBreaker? {
    guard let settings = configuration.policy.breaker else { return nil }
    let (observer, logger) = (configuration.observer, configuration.logger)
    let clock = configuration.clock
    return CircuitBreaker(endpoint: name, settings: settings, clock: clock) { transition in
      observer?(.breaker(transition))
      logger.notice("\(transition)")
    }
  }
}
