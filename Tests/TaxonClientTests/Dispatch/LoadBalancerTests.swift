// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import NIOEmbedded
import TaxonErrors
import TaxonProtobuf
import TaxonResilience
import TaxonTransport
import Testing

@testable import TaxonClient

/// Load-balancing policies alone, without a channel around them.
@Suite struct LoadBalancerTests {
  /// Keeps a policy's events.
  private final class Owner: SubchannelOwner {
    var changed: [ConnectivityState] = []
    func subchannelChanged(_ subchannel: Subchannel) { changed.append(subchannel.state) }
    func subchannelHasRoom(_ subchannel: Subchannel) {}
    func subchannelPingedTooOften(_ subchannel: Subchannel) {}
  }

  private let loop = EmbeddedEventLoop()
  private let servers = ScriptedServers()
  private let owner = Owner()

  private func makeBalancer(
    _ balancing: TaxonClient.Channel.Balancing, breaker: CircuitBreaker.Settings? = nil
  ) throws -> any LoadBalancer {
    loop.advanceTime(by: .hours(1))
    var configuration = TaxonClient.Channel.Configuration(policy: CallPolicy(retry: .none, breaker: breaker))
    configuration.clock = LoopClock(loop: loop)
    configuration.logger = Logger(label: "balancer") { _ in SwiftLogNoOpLogHandler() }
    let balancer = balancing.makeBalancer(
      SubchannelFactory(
        target: try Target("dns:///orders:443"), eventLoop: loop, configuration: configuration, dialer: servers))
    balancer.owner = owner
    return balancer
  }

  private func connect(_ balancer: any LoadBalancer) {
    for subchannel in balancer.subchannels { subchannel.connect() }
    loop.run()
  }

  private func close(_ balancer: any LoadBalancer) {
    for subchannel in balancer.subchannels { subchannel.shutDown() }
    servers.close()
  }

  /// The address to which the next call goes, or why it does not go.
  private func pick(_ balancer: any LoadBalancer) -> String {
    switch balancer.pick() {
    case .send(let connection): return connection.address ?? "?"
    case .admit(let connection, let permit):
      permit.settle(.success)
      return connection.address ?? "?"
    case .wait: return "wait"
    case .reject(let error): return "reject: \(error.endpoint)"
    case .unreachable(let outage): return "unreachable: \(outage.address ?? "?") and \(outage.otherAddresses)"
    case .none: return "none"
    }
  }

  // MARK: Pick-first

  @Test func pickFirstConnectsForACallToTheFirstAddressThatAnswers() throws {
    let balancer = try makeBalancer(.pickFirst)
    #expect(balancer.state == nil)
    balancer.exitIdle()
    #expect(servers.dialed.isEmpty && pick(balancer) == "none")
    servers.absent = ["10.0.0.1:443"]
    balancer.update(addresses(1, 2))
    #expect(balancer.subchannels.count == 1 && balancer.state == .idle && pick(balancer) == "wait")
    balancer.exitIdle()
    balancer.exitIdle()
    #expect(balancer.state == .connecting && pick(balancer) == "wait")
    loop.run()
    #expect(balancer.state == .ready && pick(balancer) == "10.0.0.2:443")
    #expect(servers.dialed == ["10.0.0.1:443,10.0.0.2:443"])
    #expect(owner.changed == [.connecting, .ready])
    close(balancer)
  }

  @Test func pickFirstKeepsItsConnectionWhenAddressesChange() throws {
    let balancer = try makeBalancer(.pickFirst)
    balancer.update(addresses(1))
    connect(balancer)
    balancer.update(addresses(2))
    connect(balancer)
    #expect(pick(balancer) == "10.0.0.1:443")
    // It has answered no call: the next attempt has to wait for the pause after the first.
    servers.connections[0].close()
    loop.advanceTime(by: .seconds(30))
    connect(balancer)
    #expect(pick(balancer) == "10.0.0.2:443")
    close(balancer)
  }

  @Test func pickFirstSaysWhyNoServerIsReached() throws {
    let balancer = try makeBalancer(.pickFirst)
    servers.absent = ["10.0.0.1:443", "10.0.0.2:443"]
    balancer.update(addresses(1, 2))
    connect(balancer)
    #expect(balancer.state == .transientFailure && pick(balancer) == "unreachable: 10.0.0.2:443 and 1")
    close(balancer)
  }

  @Test(arguments: [TaxonClient.Channel.Balancing.pickFirst, .roundRobin])
  func aCallWaitsForAConnectionWithoutRoom(_ balancing: TaxonClient.Channel.Balancing) throws {
    servers.maxStreams = 1
    let balancer = try makeBalancer(balancing)
    balancer.update(addresses(1))
    connect(balancer)
    #expect(pick(balancer) == "10.0.0.1:443")
    servers.connections[0].send(FrameBytes.settings([(SettingID.maxConcurrentStreams, 0)]))
    #expect(pick(balancer) == "wait")
    servers.connections[0].send(FrameBytes.settings([(SettingID.maxConcurrentStreams, 1)]))
    #expect(pick(balancer) == "10.0.0.1:443")
    close(balancer)
  }

  // MARK: Round-robin

  @Test func roundRobinTakesEachAddressOnceAndInTurn() throws {
    let balancer = try makeBalancer(.roundRobin)
    #expect(balancer.state == nil && pick(balancer) == "none")
    balancer.update(addresses(1, 2, 1, 3))
    #expect(balancer.subchannels.map(\.addresses) == [addresses(1), addresses(2), addresses(3)])
    connect(balancer)
    #expect((0..<6).map { _ in pick(balancer) } == [1, 2, 3, 1, 2, 3].map { "10.0.0.\($0):443" })
    close(balancer)
  }

  @Test func roundRobinKeepsWhatIsStillThereAndShutsDownWhatIsGone() throws {
    let balancer = try makeBalancer(.roundRobin, breaker: .init())
    balancer.update(addresses(1, 2))
    connect(balancer)
    let before = balancer.subchannels
    balancer.update(addresses(2, 3))
    #expect(balancer.subchannels[0] === before[1] && balancer.subchannels[0].breaker === before[1].breaker)
    #expect(before[0].state == .shutdown && before[0].connection == nil)
    connect(balancer)
    #expect(Set((0..<4).map { _ in pick(balancer) }) == ["10.0.0.2:443", "10.0.0.3:443"])
    #expect(servers.dialed == ["10.0.0.1:443", "10.0.0.2:443", "10.0.0.3:443"])
    close(balancer)
  }

  @Test func roundRobinPassesByServersThatAreNotReachedUntilNoneIs() throws {
    let balancer = try makeBalancer(.roundRobin)
    servers.absent = ["10.0.0.1:443", "10.0.0.3:443"]
    balancer.update(addresses(1, 2, 3))
    connect(balancer)
    #expect(balancer.state == .ready)
    #expect((0..<3).map { _ in pick(balancer) } == ["10.0.0.2:443", "10.0.0.2:443", "10.0.0.2:443"])
    balancer.update(addresses(1, 3))
    #expect(pick(balancer) == "unreachable: 10.0.0.3:443 and 1")
    close(balancer)
  }

  // MARK: Breakers

  @Test(arguments: [TaxonClient.Channel.Balancing.pickFirst, .roundRobin])
  func everySubchannelHasABreakerOfItsOwn(_ balancing: TaxonClient.Channel.Balancing) throws {
    let without = try makeBalancer(balancing)
    without.update(addresses(1, 2))
    #expect(without.subchannels.allSatisfy { $0.breaker == nil } && without.breaker == nil)
    let balancer = try makeBalancer(balancing, breaker: .init())
    balancer.update(addresses(1, 2))
    let names = balancer.subchannels.map { $0.breaker?.endpoint }
    switch balancing {
    case .pickFirst:
      #expect(names == ["dns:///orders:443"])
      #expect(balancer.breaker === balancer.subchannels[0].breaker)
    case .roundRobin:
      #expect(names == ["10.0.0.1:443", "10.0.0.2:443"])
      #expect(balancer.breaker == nil)
    }
  }

  @Test func theBreakerOfPickFirstIsTheSameForNewAddressesAndConnections() throws {
    let balancer = try makeBalancer(.pickFirst, breaker: .init(failureThreshold: 1))
    let breaker = try #require(balancer.breaker)
    balancer.update(addresses(1))
    connect(balancer)
    try breaker.acquire().settle(.failure)
    balancer.update(addresses(2))
    servers.connections[0].close()
    loop.advanceTime(by: .seconds(30))
    connect(balancer)
    #expect(pick(balancer) == "10.0.0.2:443")
    #expect(balancer.breaker === breaker && balancer.subchannels[0].breaker === breaker && breaker.state == .open)
    close(balancer)
  }

  @Test func roundRobinGivesAPermitOfTheServerThatItPicks() throws {
    let balancer = try makeBalancer(.roundRobin, breaker: .init(failureThreshold: 1, openDuration: .seconds(60)))
    balancer.update(addresses(1, 2))
    connect(balancer)
    func fail() throws {
      guard case .admit(_, let permit) = balancer.pick() else {
        Issue.record("no permit")
        return
      }
      permit.settle(.failure)
    }
    try fail()
    #expect(balancer.subchannels.map(\.breaker?.state) == [.open, .closed])
    #expect((0..<3).map { _ in pick(balancer) } == ["10.0.0.2:443", "10.0.0.2:443", "10.0.0.2:443"])
    loop.advanceTime(by: .seconds(10))
    try fail()
    // The one that lets a probe through first says when.
    #expect(pick(balancer) == "reject: 10.0.0.1:443")
    loop.advanceTime(by: .seconds(50))
    #expect(pick(balancer) == "10.0.0.1:443")
    #expect(balancer.subchannels.map(\.breaker?.state) == [.closed, .open])
    close(balancer)
  }

  /// The errors with which calls end one after the other, each after a second at most.
  private func failures(
    of count: Int, _ balancing: TaxonClient.Channel.Balancing
  ) throws -> [any TaxonomyError] {
    loop.advanceTime(by: .hours(1))
    var configuration = TaxonClient.Channel.Configuration(
      policy: CallPolicy(retry: .none, breaker: .init(failureThreshold: 2)))
    configuration.balancing = balancing
    configuration.clock = LoopClock(loop: loop)
    configuration.logger = Logger(label: "balancer") { _ in SwiftLogNoOpLogHandler() }
    let channel = try TaxonClient.Channel(
      Target("ipv4:10.0.0.1:443"), configuration, dialer: servers, eventLoop: loop)
    let dispatcher = channel.engine.dispatcher
    let errors = (0..<count).compactMap { _ in
      let plan = CallPlan(
        path: "/a/B", isIdempotent: false, options: CallOptions(), deadline: loop.now + .seconds(1))
      let attempt = UnaryAttempt<Google_Protobuf_BytesValue, Google_Protobuf_BytesValue, RPCError>(
        plan, Google_Protobuf_BytesValue(), on: dispatcher)
      Task(executorPreference: LoopExecutor(loop)) { await channel.engine.perform(attempt) }
      loop.advanceTime(by: .seconds(1))
      return attempt.error
    }
    channel.shutDown()
    loop.advanceTime(by: .minutes(1))
    return errors
  }

  @Test func withPickFirstCallsThatNeverReachTheServerOpenItsBreaker() throws {
    servers.absent = ["10.0.0.1:443"]
    #expect(
      try failures(of: 3, .pickFirst).map(\.code) == ["ENDPOINT_UNREACHABLE", "ENDPOINT_UNREACHABLE", "CIRCUIT_OPEN"])
    servers.isSilent = true
    #expect(
      try failures(of: 3, .pickFirst).map(\.code) == ["DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", "CIRCUIT_OPEN"])
  }

  @Test func withRoundRobinCallsThatReachNoServerCountForNone() throws {
    servers.absent = ["10.0.0.1:443"]
    #expect(try Set(failures(of: 3, .roundRobin).map(\.code)) == ["ENDPOINT_UNREACHABLE"])
    servers.isSilent = true
    #expect(try Set(failures(of: 3, .roundRobin).map(\.code)) == ["DEADLINE_EXCEEDED"])
  }
}
