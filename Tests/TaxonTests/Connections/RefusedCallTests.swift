// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonCalls
import TaxonFixtures
import TaxonTesting
import TaxonTransport
import Testing

/// Calls that a server did not process, and what they are to retry and breaker.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct RefusedCallTests {
  enum Refusing: CaseIterable {
    case goAway, reset

    func refuse(_ stream: WireServer.Stream) {
      switch self {
      case .goAway: stream.goAwayBelow()
      case .reset: stream.reset(.refusedStream)
      }
    }

    /// A method for whose calls the refusal is followed by another attempt.
    var idempotency: Idempotency { self == .goAway ? .unknown : .idempotent }
  }

  /// One failure opens the breaker.
  static func strict(_ retries: Int = 0) -> CallPolicy {
    CallPolicy(
      retry: RetryPolicy(maxRetries: retries, backoff: Backoff(base: .milliseconds(1), jitter: 1...1)),
      breaker: .init(failureThreshold: 1))
  }

  /// A server that refuses its first streams, and answers those behind them.
  private func refusing(_ count: Int, _ way: Refusing) async throws -> WireServer {
    try await WireServer { stream, event in
      if stream.number <= count {
        if event == .head { way.refuse(stream) }
      } else if event == .end {
        stream.message("done")
        stream.end()
      }
    }
  }

  private func channel(
    _ server: WireServer, _ policy: CallPolicy, events: Locked<[String]> = Locked([]), clock: ManualClock? = nil
  ) throws -> Channel {
    try watched(
      Channel(
        "127.0.0.1:\(server.port)",
        configuration: quietly(policy) {
          $0.observer = { event in events.withLock { $0.append("\(event)") } }
          if let clock { $0.clock = clock }
        }))
  }

  @Test(arguments: Kind.allCases, Refusing.allCases)
  func aRefusedCallIsRepeatedAndNobodyLearnsOfIt(_ kind: Kind, _ way: Refusing) async throws {
    let server = try await refusing(1, way)
    let events = Locked<[String]>([])
    let channel = try channel(server, Self.strict(), events: events)
    #expect(try await channel.call(kind, idempotency: way.idempotency) == ["done"])
    #expect(channel.breaker?.state == .closed)
    #expect(events.withLock { $0 } == [])
    #expect(server.connections == (way == .goAway ? 2 : 1))
    channel.shutDown()
    await server.close()
  }

  @Test(arguments: Kind.allCases)
  func theMessagesOfARepeatedCallAreThose(_ kind: Kind) async throws {
    let bodies = Locked<[[UInt8]]>([])
    let server = try await WireServer { stream, event in
      guard event == .end else { return }
      bodies.withLock { $0.append(stream.body) }
      if stream.number == 1 { return stream.goAwayBelow() }
      stream.message("done")
      stream.end()
    }
    let channel = try channel(server, Self.strict())
    #expect(try await channel.call(kind, idempotency: .unknown) == ["done"])
    let both = bodies.withLock { $0 }
    #expect(both.count == 2)
    #expect(both.first == both.last)
    #expect(both.first?.isEmpty == false)
    channel.shutDown()
    await server.close()
  }

  @Test(arguments: Kind.allCases)
  func aResetProvesNothingForAMethodThatIsNotIdempotent(_ kind: Kind) async throws {
    let server = try await refusing(1, .reset)
    let channel = try channel(server, Self.strict(3))
    do throws(ConnectionError) {
      _ = try await channel.call(kind, idempotency: .unknown)
      Issue.record("no error")
    } catch {
      #expect(error.status == .unavailable)
    }
    // Nothing was processed, as far as anybody says, and nothing is known of how the server works.
    #expect(channel.breaker?.state == .closed)
    channel.shutDown()
    await server.close()
  }

  @Test(arguments: Kind.allCases)
  func aResetIsRepeatedForAnyMethodWhereThePolicySaysSo(_ kind: Kind) async throws {
    let server = try await refusing(1, .reset)
    var policy = Self.strict()
    policy.retry.repeatsRefusedStreams = true
    let channel = try channel(server, policy)
    #expect(try await channel.call(kind, idempotency: .unknown) == ["done"])
    channel.shutDown()
    await server.close()
  }

  @Test(arguments: Kind.allCases, Refusing.allCases)
  func aSecondRefusalInARowIsAFailure(_ kind: Kind, _ way: Refusing) async throws {
    let server = try await refusing(100, way)
    let channel = try channel(server, Self.strict())
    do throws(ConnectionError) {
      _ = try await channel.call(kind, idempotency: way.idempotency)
      Issue.record("no error")
    } catch {
      #expect(error.status == .unavailable)
    }
    #expect(channel.breaker?.state == .open)
    channel.shutDown()
    await server.close()
  }

  @Test func aServerThatRefusesAlwaysIsAskedAsOftenAsThePolicySays() async throws {
    let asked = Locked(0)
    let server = try await WireServer { stream, event in
      guard event == .head else { return }
      asked.withLock { $0 += 1 }
      stream.reset(.refusedStream)
    }
    var policy = Self.strict(2)
    policy.breaker = nil
    let events = Locked<[String]>([])
    let channel = try channel(server, policy, events: events)
    await #expect(throws: ConnectionError.self) { try await channel.call(.unary) }
    // The first refusal is free, the others are three attempts.
    #expect(asked.withLock { $0 } == 4)
    #expect(events.withLock { $0.count } == 3)
    channel.shutDown()
    await server.close()
  }

  @Test(arguments: Kind.allCases, Refusing.allCases)
  func aRefusedProbeGivesItsPermitBack(_ kind: Kind, _ way: Refusing) async throws {
    let server = try await WireServer { stream, event in
      guard event == .head else { return }
      switch stream.number {
      case 1: stream.end(.unavailable)
      case 2: way.refuse(stream)
      default:
        stream.message("done")
        stream.end()
      }
    }
    let clock = ManualClock()
    let channel = try channel(server, Self.strict(), clock: clock)
    await #expect(throws: ConnectionError.self) { try await channel.call(.unary) }
    #expect(channel.breaker?.state == .open)
    clock.advance(by: .seconds(60))
    #expect(try await channel.call(kind, idempotency: way.idempotency) == ["done"])
    #expect(channel.breaker?.state == .closed)
    channel.shutDown()
    await server.close()
  }

  @Test func aStreamAsProbeSucceedsWithItsHead() async throws {
    let server = try await WireServer { stream, event in
      guard event == .head else { return }
      switch stream.number {
      case 1: stream.end(.unavailable)
      // A watcher that has nothing to tell for a while.
      case 2: stream.head()
      default:
        stream.message("done")
        stream.end()
      }
    }
    let clock = ManualClock()
    let closed = Signal()
    let channel = try watched(
      Channel(
        "127.0.0.1:\(server.port)",
        configuration: quietly(Self.strict()) {
          $0.clock = clock
          $0.observer = { if case .breaker(let change) = $0, change.to == .closed { closed.send() } }
        }))
    await #expect(throws: ConnectionError.self) { try await channel.call(.unary) }
    clock.advance(by: .seconds(60))
    let watch = channel.bidirectional(Kind.bidirectional.method, options: CallOptions())
    await closed.wait()
    #expect(try await channel.call(.unary) == ["done"])
    watch.cancel()
    channel.shutDown()
    await server.close()
  }

  @Test func whatIsMoreThanIsKeptAndHasLeftIsNotSentAgain() async throws {
    let server = try await WireServer { stream, event in
      // Before that the message could still be kept for another attempt.
      if event == .data, stream.number == 1 { stream.goAwayBelow() }
    }
    let channel = try channel(server, Self.strict())
    let call = channel.clientStreaming(Kind.clientStreaming.method(.unknown), options: CallOptions())
    do throws(ConnectionError) {
      let large = TextService.Text(value: String(repeating: "x", count: 100_000))
      try await call.write(large)
      _ = try await call.response()
      Issue.record("no error")
    } catch {
      #expect(error.status == .unavailable)
    }
    channel.shutDown()
    await server.close()
  }
}
