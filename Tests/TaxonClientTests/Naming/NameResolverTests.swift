// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import NIOEmbedded
import TaxonErrors
import TaxonResilience
import Testing

@testable import TaxonClient

/// A channel whose addresses come from a resolver of another kind.
@Suite struct NameResolverTests {
  /// Finds what a test says.
  private final class ScriptedResolver: NameResolver {
    weak var owner: (any NameResolverOwner)?
    private(set) var state = ConnectivityState.idle
    private(set) var outage: Outage?
    private(set) var resolutions = 0
    private(set) var refreshes = 0
    private(set) var isShutDown = false

    func resolve() {
      guard state == .idle else { return }
      resolutions += 1
      state = .connecting
      owner?.resolverChanged()
    }

    func refresh() { refreshes += 1 }
    func shutDown() { isShutDown = true }

    func find(_ addresses: [SocketAddress]) {
      outage = nil
      owner?.resolverFound(addresses)
    }

    func fail(_ reason: String, at now: NIODeadline) {
      state = .transientFailure
      outage = Outage(phase: .resolve, reason: reason, since: now, began: now, nextAttempt: now)
      owner?.resolverFailed()
    }
  }

  private final class Call: PendingCall {
    let waitsForReady: Bool
    var place: WaitingCalls.Place?
    private(set) var address: String?
    private(set) var error: (any TaxonomyError)?
    var isOver: Bool { error != nil }

    init(waitsForReady: Bool = false) { self.waitsForReady = waitsForReady }
    func admit(_ permit: consuming CircuitBreaker.Permit) { permit.settle(.success) }
    func send(on connection: ClientConnection) { address = connection.address }
    func fail(_ error: any TaxonomyError) { self.error = error }
  }

  private let loop = EmbeddedEventLoop()
  private let servers = ScriptedServers()
  private let resolver = ScriptedResolver()

  private func makeChannel(_ balancing: TaxonClient.Channel.Balancing = .pickFirst) throws -> TaxonClient.Channel {
    loop.advanceTime(by: .hours(1))
    var configuration = TaxonClient.Channel.Configuration(policy: .none)
    configuration.balancing = balancing
    configuration.clock = LoopClock(loop: loop)
    configuration.logger = Logger(label: "resolver") { _ in SwiftLogNoOpLogHandler() }
    return try TaxonClient.Channel(
      Target("orders:443"), configuration, dialer: servers, eventLoop: loop, resolver: resolver)
  }

  private func start(_ channel: TaxonClient.Channel, _ call: Call = Call()) -> Call {
    channel.engine.dispatcher.start(call)
    loop.run()
    return call
  }

  private func close(_ channel: TaxonClient.Channel) {
    channel.shutDown()
    loop.run()
    #expect(resolver.isShutDown)
    servers.close()
  }

  @Test func callsWaitForTheFirstAddresses() throws {
    let channel = try makeChannel()
    #expect(channel.state == .idle && resolver.resolutions == 0)
    let calls = [start(channel), start(channel)]
    #expect(channel.state == .connecting && resolver.resolutions == 1)
    #expect(calls.allSatisfy { $0.address == nil && !$0.isOver } && servers.dialed.isEmpty)
    resolver.find(addresses(1))
    loop.run()
    #expect(calls.map(\.address) == ["10.0.0.1:443", "10.0.0.1:443"] && channel.state == .ready)
    close(channel)
  }

  @Test func newAddressesAreForTheNextConnectionOfPickFirst() throws {
    let channel = try makeChannel()
    let first = start(channel)
    resolver.find(addresses(1))
    loop.run()
    resolver.find(addresses(2))
    loop.run()
    #expect(first.address == "10.0.0.1:443" && start(channel).address == "10.0.0.1:443")
    servers.connections[0].close()
    loop.advanceTime(by: .seconds(30))
    #expect(start(channel).address == "10.0.0.2:443")
    #expect(servers.dialed == ["10.0.0.1:443", "10.0.0.2:443"])
    close(channel)
  }

  @Test func newAddressesGetCallsOfRoundRobinAtOnceAndThoseThatAreGoneNone() throws {
    let channel = try makeChannel(.roundRobin)
    let first = start(channel)
    resolver.find(addresses(1, 2))
    loop.run()
    #expect(first.address == "10.0.0.1:443" && servers.dialed == ["10.0.0.1:443", "10.0.0.2:443"])
    resolver.find(addresses(2, 3))
    loop.run()
    #expect(Set((0..<4).map { _ in start(channel).address }) == ["10.0.0.2:443", "10.0.0.3:443"])
    #expect(servers.dialed == ["10.0.0.1:443", "10.0.0.2:443", "10.0.0.3:443"])
    close(channel)
  }

  @Test func aFailureEndsTheCallsThatDoNotWaitForReady() throws {
    let channel = try makeChannel()
    let (hasty, patient) = (start(channel), start(channel, Call(waitsForReady: true)))
    resolver.fail("no such service", at: loop.now)
    loop.run()
    let error = try #require(hasty.error?.as(ConnectionError.EndpointUnreachable.self))
    #expect(error.phase == .resolve && error.reason == "no such service" && error.endpoint == "orders:443")
    #expect(!patient.isOver && channel.state == .transientFailure)
    resolver.find(addresses(1))
    loop.run()
    #expect(patient.address == "10.0.0.1:443")
    close(channel)
  }

  @Test func theResolverIsAskedAgainWhenNoServerIsReached() throws {
    let channel = try makeChannel()
    servers.absent = ["10.0.0.1:443"]
    let call = start(channel)
    let before = resolver.refreshes
    resolver.find(addresses(1))
    loop.run()
    #expect(call.error?.as(ConnectionError.EndpointUnreachable.self)?.phase == .connect)
    #expect(resolver.refreshes == before + 1)
    close(channel)
  }

  // MARK: The resolver of targets

  private final class Owner: NameResolverOwner {
    var found: [[String]] = []
    var failures = 0
    let hasWaitingCalls = false
    let isAsleep = false
    func resolverFound(_ addresses: [SocketAddress]) { found.append(addresses.map(\.text)) }
    func resolverFailed() { failures += 1 }
    func resolverChanged() {}
  }

  @Test(arguments: [
    ("ipv4:10.0.0.1:443,10.0.0.2:443", ["10.0.0.1:443", "10.0.0.2:443"]), ("10.0.0.3:443", ["10.0.0.3:443"]),
    ("unix:/run/socket", ["unix:/run/socket"]),
  ])
  func addressesOfATargetAreFoundOnceAndAtOnce(_ target: String, _ expected: [String]) throws {
    let owner = Owner()
    let resolver = TargetResolver(try Target(target), on: loop, configuration: .init())
    resolver.owner = owner
    #expect(resolver.state == .idle)
    resolver.resolve()
    resolver.resolve()
    resolver.refresh()
    #expect(owner.found == [expected] && owner.failures == 0 && resolver.outage == nil)
    resolver.shutDown()
  }
}
