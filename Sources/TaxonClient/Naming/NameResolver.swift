// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import NIOPosix
import TaxonErrors
import TaxonResilience
import TaxonTransport

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Finds the addresses of a target, and finds them again when they may be out of date.
///
/// Lives on the channel's event loop, and calls its owner there.
protocol NameResolver: AnyObject {
  /// Receives what is found. Not retained.
  var owner: (any NameResolverOwner)? { get set }
  /// The channel's state while no address is known.
  var state: ConnectivityState { get }
  /// Why no address is known.
  var outage: Outage? { get }
  /// Looks for the target's addresses. Called once for each call: returns at once when they are known or being looked for,
  /// and during the pause after a failure. The owner may be called before this returns.
  func resolve()
  /// Looks again, since the known addresses may be out of date; not at once when that was done lately.
  func refresh()
  /// Looks no more. The owner is not called after this.
  func shutDown()
}

/// Connects to the addresses that a resolver finds. Called on the channel's loop.
protocol NameResolverOwner: AnyObject {
  /// The target has these addresses now; none for a socket of this process.
  func resolverFound(_ addresses: [SocketAddress])
  /// No address is known, and looking for them has failed.
  func resolverFailed()
  /// The resolver's state has changed otherwise.
  func resolverChanged()
  /// Calls wait for addresses.
  var hasWaitingCalls: Bool { get }
  /// The channel is idle: no calls are made, and no connections.
  var isAsleep: Bool { get }
}

/// Takes a target's addresses as they are, and looks its name up in the system's resolver.
// @unchecked: its mutable state is reached on the event loop alone.
final class TargetResolver: NameResolver, @unchecked Sendable {
  private enum Phase { case none, running, done, failed }

  weak var owner: (any NameResolverOwner)?
  private let target: Target
  private let eventLoop: any EventLoop
  private let lookup: NameLookup
  private let backoff: Backoff
  private let interval: Duration
  private let logger: Logger
  @exclusivity(unchecked) private var phase = Phase.none
  /// Running again, while the addresses that are known still count.
  private var isRefreshing = false
  private var isShutDown = false
  private var last: NIODeadline?
  private var failures = 0
  private(set) var outage: Outage?
  private var log = OutageLog()
  /// Until the name may be resolved again.
  private var timer: Scheduled<Void>?

  init(_ target: Target, on eventLoop: any EventLoop, configuration: Channel.Configuration) {
    self.target = target
    self.eventLoop = eventLoop
    lookup = configuration.nameLookup
    backoff = configuration.backoff
    interval = configuration.resolutionInterval
    logger = configuration.logger
  }

  var state: ConnectivityState {
    switch phase {
    case .none: .idle
    case .running, .done: .connecting
    case .failed: .transientFailure
    }
  }

  func resolve() {
    eventLoop.assertInEventLoop()
    if phase == .none { look() }
  }

  private func look() {
    switch target.address {
    case .addresses(let addresses): found(addresses)
    case .socket: found([])
    case .name(let host, let port):
      if let address = try? SocketAddress(ipAddress: host, port: port) { return found([address]) }
      last = eventLoop.now
      if phase == .done { isRefreshing = true } else { phase = .running }
      owner?.resolverChanged()
      NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) { [lookup] in try lookup(host, port) }
        .whenComplete { [weak self] result in self?.looked(result) }
    }
  }

  func refresh() {
    eventLoop.assertInEventLoop()
    guard case .name(let host, _) = target.address, (try? SocketAddress(ipAddress: host, port: 0)) == nil,
      phase == .done, !isRefreshing, timer == nil, let last
    else { return }
    let left = Duration(last + TimeAmount(saturating: interval) - eventLoop.now)
    guard left > .zero else { return look() }
    schedule(in: left) { resolver in
      if resolver.owner?.isAsleep == false { resolver.look() }
    }
  }

  func shutDown() {
    isShutDown = true
    timer?.cancel()
  }

  private func looked(_ result: Result<[SocketAddress], any Error>) {
    guard !isShutDown else { return }
    isRefreshing = false
    switch result {
    case .success(let addresses) where !addresses.isEmpty: found(addresses)
    case .success: failed(NameLookupError(description: "\(target) has no address"))
    case .failure(let error): failed(error)
    }
  }

  private func found(_ addresses: [SocketAddress]) {
    phase = .done
    failures = 0
    outage = nil
    log.end(of: target.description, at: nil, logger)
    owner?.resolverFound(addresses)
  }

  private func failed(_ error: any Error) {
    // Addresses that were good are better than none.
    guard phase != .done else { return }
    failures += 1
    phase = .failed
    var generator = SystemRandomNumberGenerator()
    let pause = backoff.delay(retry: failures, using: &generator)
    let (now, began) = (eventLoop.now, last ?? eventLoop.now)
    let outage = Outage(
      phase: .resolve, reason: ConnectionFailure.text(of: error), cause: error, since: self.outage?.since ?? began,
      began: began, nextAttempt: now + TimeAmount(saturating: pause))
    self.outage = outage
    log.note(outage, of: target.description, logger)
    schedule(in: pause) { resolver in
      resolver.phase = .none
      if resolver.owner?.hasWaitingCalls == true { resolver.resolve() } else { resolver.owner?.resolverChanged() }
    }
    owner?.resolverFailed()
  }

  private func schedule(in pause: Duration, _ body: @escaping @Sendable (TargetResolver) -> Void) {
    timer?.cancel()
    timer = eventLoop.scheduleTask(in: TimeAmount(saturating: pause)) { [weak self] in
      guard let self else { return }
      self.timer = nil
      body(self)
    }
  }
}

/// Asks for the addresses of a name; may block. A channel calls it on a thread pool.
package typealias NameLookup = @Sendable (_ host: String, _ port: Int) throws -> [SocketAddress]

/// Why a name could not be resolved.
struct NameLookupError: Error, CustomStringConvertible {
  let description: String
}

/// The addresses that the system has for a name, IPv6 and IPv4, in the system's order of preference (RFC 6724).
///
/// - Throws: `NameLookupError` when there are none.
func systemNameLookup(_ host: String, _ port: Int) throws -> [SocketAddress] {
  var hints = addrinfo()
  #if canImport(Glibc)
  hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
  #else
  hints.ai_socktype = SOCK_STREAM
  #endif
  var first: UnsafeMutablePointer<addrinfo>?
  let code = getaddrinfo(host, String(port), &hints, &first)
  guard code == 0 else {
    throw NameLookupError(description: "the name \(host) cannot be resolved: \(String(cString: gai_strerror(code)))")
  }
  defer { freeaddrinfo(first) }
  var addresses: [SocketAddress] = []
  var entry = first
  while let current = entry {
    entry = current.pointee.ai_next
    guard let bytes = current.pointee.ai_addr else { continue }
    let address: SocketAddress? =
      switch current.pointee.ai_family {
      case AF_INET: bytes.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { SocketAddress($0.pointee, host: "") }
      case AF_INET6: bytes.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { SocketAddress($0.pointee, host: "") }
      default: nil
      }
    if let address, !addresses.contains(address) { addresses.append(address) }
  }
  if addresses.isEmpty { throw NameLookupError(description: "the name \(host) has no address") }
  return addresses
}
