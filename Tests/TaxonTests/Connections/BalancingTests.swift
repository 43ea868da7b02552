// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Taxon
import TaxonFixtures
import Testing

import class TaxonClient.Channel

/// Targets with several addresses.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct BalancingTests {
  private func withServers(
    _ count: Int, _ body: @escaping @Sendable (_ server: Int, _ text: String) async throws -> String,
    test: (_ servers: [Server], _ ports: [Int]) async throws -> Void
  ) async throws {
    var servers: [Server] = []
    for index in 0..<count { servers.append(try await makeServer { text, _ in try await body(index, text) }) }
    let ports = servers.compactMap(\.port)
    let result: Result<Void, any Error>
    do { result = .success(try await test(servers, ports)) } catch { result = .failure(error) }
    for server in servers { await server.shutDown() }
    try result.get()
  }

  private func target(_ ports: [Int]) -> String {
    "ipv4:" + ports.map { "127.0.0.1:\($0)" }.joined(separator: ",")
  }

  /// Makes calls until each of the servers has answered one: all connections are there.
  private func warmUp(_ channel: Channel, _ answers: Set<String>) async throws {
    var missing = answers
    while !missing.isEmpty { missing.remove(try await channel.text("x")) }
  }

  @Test func roundRobinAsksEachServerInTurn() async throws {
    try await withServers(3) { server, _ in
      "\(server)"
    } test: { _, ports in
      let channel = try watched(Channel(target(ports), configuration: quietly { $0.balancing = .roundRobin }))
      try await warmUp(channel, ["0", "1", "2"])
      var counts: [String: Int] = [:]
      for _ in 0..<30 { counts[try await channel.text("x"), default: 0] += 1 }
      #expect(counts == ["0": 10, "1": 10, "2": 10])
      channel.shutDown()
    }
  }

  @Test(arguments: Kind.allCases) func callsOfEveryKindAreBalancedAndWaitForReady(_ kind: Kind) async throws {
    let asked = Locked<[String: Int]>([:])
    func make(_ port: Int = 0) async throws -> Server {
      let number = Locked("")
      let server = try await makeServer(
        [
          KindsService { _ in
            let port = number.withLock { $0 }
            asked.withLock { $0[port, default: 0] += 1 }
          }
        ], port: port)
      number.withLock { $0 = "\(server.port ?? 0)" }
      return server
    }
    let ports = [freePort(), freePort()]
    let channel = try watched(
      Channel(
        target(ports),
        configuration: quietly {
          $0.balancing = .roundRobin
          $0.backoff = Backoff(base: .milliseconds(20), cap: .milliseconds(50))
        }))
    // No server is there yet.
    let first = Task { try await channel.call(kind, options: CallOptions(waitForReady: true)) }
    await channel.reaches(.transientFailure)
    let servers = [try await make(ports[0]), try await make(ports[1])]
    #expect(try await first.value == kind.responses)
    // Until both are connected.
    while asked.withLock({ $0.count }) < 2 { _ = try await channel.call(kind) }
    asked.withLock { $0 = [:] }
    for _ in 0..<20 { #expect(try await channel.call(kind) == kind.responses) }
    #expect(asked.withLock { $0 } == ["\(ports[0])": 10, "\(ports[1])": 10])
    channel.shutDown()
    for server in servers { await server.shutDown() }
  }

  @Test func roundRobinPassesByAServerThatIsGone() async throws {
    try await withServers(3) { server, _ in
      "\(server)"
    } test: { servers, ports in
      let channel = try watched(Channel(target(ports), configuration: quietly { $0.balancing = .roundRobin }))
      try await warmUp(channel, ["0", "1", "2"])
      await servers[1].shutDown()
      for _ in 0..<30 { #expect(try await channel.text("x") != "1") }
      #expect(channel.state == .ready)
      channel.shutDown()
    }
  }

  @Test func roundRobinFailsOnlyWhenNoServerIsThere() async throws {
    let ports = [freePort(), freePort()]
    let channel = try watched(
      Channel(
        target(ports),
        configuration: quietly {
          $0.balancing = .roundRobin
          $0.backoff = Backoff(base: .seconds(600), cap: .seconds(600))
        }))
    guard case .endpointUnreachable(let error)? = await channel.failure() else {
      Issue.record("another error")
      return
    }
    #expect(error.endpoint == target(ports))
    #expect(ports.map { "127.0.0.1:\($0)" }.contains(error.address ?? ""))
    #expect(error.otherAddresses == 1)
    #expect(channel.state == .transientFailure)
    channel.shutDown()
  }

  @Test func eachServerHasABreakerOfItsOwn() async throws {
    let opened = Locked<[String]>([])
    try await withServers(2) { server, _ in
      if server == 0 { throw ConnectionError.connectionLost(endpoint: "x", error: "y") }
      return "\(server)"
    } test: { _, ports in
      let policy = CallPolicy(retry: .none, breaker: CircuitBreaker.Settings(failureThreshold: 3))
      let channel = try watched(
        Channel(
          target(ports),
          configuration: quietly(policy) {
            $0.balancing = .roundRobin
            $0.observer = { event in
              if case .breaker(let transition) = event { opened.withLock { $0.append(transition.endpoint) } }
            }
          }))
      #expect(channel.breaker == nil)
      var failures = 0
      while failures < 3 {
        do { _ = try await channel.text("x") } catch { failures += 1 }
      }
      // From here on the server that fails is not asked.
      for _ in 0..<20 { #expect(try await channel.text("x") == "1") }
      #expect(opened.withLock { $0 } == ["127.0.0.1:\(ports[0])"])
      channel.shutDown()
    }
  }

  @Test func callsAreRejectedWhenAllBreakersAreOpen() async throws {
    try await withServers(2) { _, _ in
      throw ConnectionError.connectionLost(endpoint: "x", error: "y")
    } test: { _, ports in
      let policy = CallPolicy(retry: .none, breaker: CircuitBreaker.Settings(failureThreshold: 1))
      let channel = try watched(Channel(target(ports), configuration: quietly(policy) { $0.balancing = .roundRobin }))
      var last: ConnectionError?
      for _ in 0..<3 { last = await channel.failure() }
      guard case .circuitOpen(let error)? = last else {
        Issue.record("\(String(describing: last))")
        return
      }
      #expect(ports.map { "127.0.0.1:\($0)" }.contains(error.endpoint))
      #expect(error.retryAfter.map { $0 > .seconds(50) } == true)
      channel.shutDown()
    }
  }

  @Test func pickFirstTakesTheFirstAddressThatAnswersAndKeepsIt() async throws {
    try await withServers(2) { server, _ in
      "\(server)"
    } test: { _, ports in
      let gone = freePort()
      let channel = try watched(Channel(target([gone] + ports), configuration: quietly()))
      for _ in 0..<10 { #expect(try await channel.text("x") == "0") }
      channel.shutDown()
    }
  }

  @Test(arguments: [Channel.Balancing.pickFirst, .roundRobin])
  func aNameIsResolvedAgainWhenItsServerIsGone(_ balancing: Channel.Balancing) async throws {
    try await withServers(2) { server, _ in
      "\(server)"
    } test: { servers, ports in
      let current = Locked(ports[0])
      let lookups = Locked(0)
      let channel = try watched(
        Channel(
          "dns:///text.test:1",
          configuration: quietly {
            $0.balancing = balancing
            $0.resolutionInterval = .zero
            $0.backoff = Backoff(base: .milliseconds(20), cap: .milliseconds(50))
            $0.nameLookup = { host, port in
              #expect(host == "text.test" && port == 1)
              lookups.withLock { $0 += 1 }
              return [try SocketAddress(ipAddress: "127.0.0.1", port: current.withLock { $0 })]
            }
          }))
      #expect(try await channel.text("x") == "0")
      #expect(lookups.withLock { $0 } == 1)
      current.withLock { $0 = ports[1] }
      await servers[0].shutDown()
      #expect(try await channel.text("x", options: CallOptions(waitForReady: true)) == "1")
      #expect(lookups.withLock { $0 } > 1)
      channel.shutDown()
    }
  }

  @Test func aNameIsNotResolvedMoreOftenThanTheIntervalAllows() async throws {
    let port = freePort()
    let lookups = Locked(0)
    let channel = try watched(
      Channel(
        "dns:///text.test:1",
        configuration: quietly {
          $0.backoff = Backoff(base: .milliseconds(1), cap: .milliseconds(1))
          $0.nameLookup = { _, _ in
            lookups.withLock { $0 += 1 }
            return [try SocketAddress(ipAddress: "127.0.0.1", port: port)]
          }
        }))
    for _ in 0..<20 { _ = await channel.failure() }
    #expect(lookups.withLock { $0 } == 1)
    channel.shutDown()
  }

  @Test func aNameThatNobodyKnowsIsUnreachableAndSoughtAgain() async throws {
    struct Unknown: Error {}
    let server = try await makeServer { text, _ in text }
    let port = try #require(server.port)
    let isKnown = Locked(false)
    let channel = try watched(
      Channel(
        "dns:///text.test:1",
        configuration: quietly {
          $0.backoff = Backoff(base: .milliseconds(20), cap: .milliseconds(50))
          $0.nameLookup = { _, _ in
            guard isKnown.withLock({ $0 }) else { throw Unknown() }
            return [try SocketAddress(ipAddress: "127.0.0.1", port: port)]
          }
        }))
    guard case .endpointUnreachable(let error)? = await channel.failure() else {
      Issue.record("another error")
      return
    }
    #expect(error.endpoint == "dns:///text.test:1")
    #expect(error.reason == "Unknown()")
    isKnown.withLock { $0 = true }
    #expect(try await channel.text("x", options: CallOptions(waitForReady: true)) == "x")
    channel.shutDown()
    await server.shutDown()
  }
}
