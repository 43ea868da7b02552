// SPDX-License-Identifier: Apache-2.0
import Synchronization
import Taxon
import TaxonFixtures
import Testing

/// What a channel does about failures.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct ChannelResilienceTests {
  /// The standard's policy with pauses of a millisecond.
  static let quick: CallPolicy = {
    var policy = CallPolicy.standard
    policy.retry.backoff.base = .milliseconds(1)
    return policy
  }()

  @Test func aTransientErrorOfARepeatableMethodIsRetried() async throws {
    let count = Atomic<Int>(0)
    try await withServer { _, _ in
      if count.add(1, ordering: .relaxed).newValue < 3 {
        throw ConnectionError.connectionLost(endpoint: "x", error: "y")
      }
      return "done"
    } test: { target, _ in
      let events = Locked<[String]>([])
      let channel = try watched(
        Channel(target, policy: Self.quick, logger: quiet) { event in
          events.withLock { $0.append("\(event)") }
        })
      #expect(try await channel.text("x", TextService.repeatable) == "done")
      #expect(count.load(ordering: .relaxed) == 3)
      #expect(events.withLock { $0 }.count == 2)
    }
  }

  @Test func theMetadataAreThoseOfTheLastAttempt() async throws {
    let count = Atomic<Int>(0)
    try await withServer { _, context in
      let attempt = count.add(1, ordering: .relaxed).newValue
      if attempt == 1 {
        context.initialMetadata = ["x-first": "1"]
        context.trailingMetadata = ["x-first": "1"]
        throw ConnectionError.connectionLost(endpoint: "x", error: "y")
      }
      context.trailingMetadata = ["x-second": "2"]
      return "done"
    } test: { target, _ in
      let channel = try watched(Channel(target, policy: Self.quick, logger: quiet))
      let seen = Locked<[Metadata]>([])
      var options = CallOptions(timeout: .seconds(30))
      options.onMetadata = { initial, trailing in seen.withLock { $0 += [initial, trailing] } }
      #expect(try await channel.text("x", TextService.repeatable, options: options) == "done")
      #expect(seen.withLock { $0 } == [[:], ["x-second": "2"]])
    }
  }

  @Test func aCallThatIsCancelledInThePauseBeforeAnotherAttemptIsNotRepeated() async throws {
    let count = Atomic<Int>(0)
    try await withServer { _, context in
      count.add(1, ordering: .relaxed)
      context.trailingMetadata = ["x-first": "1"]
      throw ConnectionError.connectionLost(endpoint: "x", error: "y")
    } test: { target, _ in
      var policy = CallPolicy.standard
      policy.retry.backoff.base = .seconds(60)
      policy.retry.backoff.cap = .seconds(60)
      let failed = Signal()
      let channel = try watched(Channel(target, policy: policy, logger: quiet) { _ in failed.send() })
      let trailers = Locked<[Metadata]>([])
      let options = CallOptions(onMetadata: { _, trailing in trailers.withLock { $0.append(trailing) } })
      let call = Task { try await channel.text("x", TextService.repeatable, options: options) }
      await failed.wait()
      call.cancel()
      do {
        _ = try await call.value
        Issue.record("no error")
      } catch let error as ConnectionError {
        #expect(error.status == .cancelled)
      }
      #expect(count.load(ordering: .relaxed) == 1)
      #expect(trailers.withLock { $0 } == [["x-first": "1"]])
    }
  }

  @Test func anUnsafeErrorOfAnotherMethodIsNotRetried() async throws {
    let count = Atomic<Int>(0)
    try await withServer { _, _ in
      count.add(1, ordering: .relaxed)
      throw ConnectionError.connectionLost(endpoint: "x", error: "y")
    } test: { target, _ in
      let channel = try watched(Channel(target, policy: Self.quick, logger: quiet))
      await #expect(throws: ConnectionError.self) { try await channel.text("x") }
      #expect(count.load(ordering: .relaxed) == 1)
    }
  }

  @Test func theBreakerOpensAfterFiveFailuresAndSaysHowLong() async throws {
    let count = Atomic<Int>(0)
    try await withServer { _, _ in
      count.add(1, ordering: .relaxed)
      throw ConnectionError.connectionLost(endpoint: "x", error: "y")
    } test: { target, _ in
      let channel = try watched(Channel(target, policy: Self.quick, logger: quiet))
      for _ in 0..<5 { await #expect(throws: ConnectionError.self) { try await channel.text("x") } }
      do throws(ConnectionError) {
        _ = try await channel.text("x")
        Issue.record("no error")
      } catch .circuitOpen(let error) {
        #expect(error.endpoint == target)
        #expect(error.retryAfter.map { $0 > .seconds(50) && $0 <= .seconds(60) } == true)
      }
      #expect(count.load(ordering: .relaxed) == 5)
    }
  }

  @Test func anEndpointThatIsNotThereIsUnreachable() async throws {
    let server = try await makeServer([])
    let port = server.port ?? 0
    await server.shutDown()
    let channel = try watched(Channel("127.0.0.1:\(port)", policy: .none, logger: quiet))
    do throws(ConnectionError) {
      _ = try await channel.text("x")
      Issue.record("no error")
    } catch .endpointUnreachable(let error) {
      #expect(error.endpoint == "127.0.0.1:\(port)")
      #expect(error.isRetrySafe)
    }
  }

  @Test func aChannelConnectsAgain() async throws {
    let first = try await makeServer { _, _ in "first" }
    let port = first.port ?? 0
    let channel = try watched(Channel("127.0.0.1:\(port)", logger: quiet))
    #expect(try await channel.text("x") == "first")
    await first.shutDown()
    let second = try await makeServer(port: port) { _, _ in "second" }
    #expect(try await channel.text("x") == "second")
    await second.shutDown()
  }

  @Test func aPolicysTimeoutSpansAllAttempts() async throws {
    try await withServer { _, _ in
      throw ConnectionError.connectionLost(endpoint: "x", error: "y", retryAfter: .seconds(30))
    } test: { target, _ in
      let channel = try watched(Channel(target, policy: Self.quick, logger: quiet))
      let begin = ContinuousClock.now
      await #expect(throws: ConnectionError.self) {
        try await channel.text("x", TextService.repeatable, options: CallOptions(timeout: .seconds(20)))
      }
      // The hint goes beyond the deadline: the call fails at once instead of waiting in vain.
      #expect(ContinuousClock.now - begin < .seconds(10))
    }
  }
}
