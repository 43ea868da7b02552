// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonFixtures
import TaxonTransport
import Testing

/// Calls for which there is no room, or no server, at the moment.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct WaitingCallsTests {
  @Test func callsBeyondTheServersLimitOfStreamsWaitAndAreAllAnswered() async throws {
    let running = Locked((now: 0, most: 0))
    try await withServer(configuration: limited(to: 3)) { text, _ in
      running.withLock {
        $0.now += 1
        $0.most = max($0.most, $0.now)
      }
      await Task.yield()
      running.withLock { $0.now -= 1 }
      return text
    } test: { target, _ in
      let channel = try watched(Channel(target, configuration: quietly()))
      // The server's limit is known from here on.
      _ = try await channel.text("first")
      let answers = try await withThrowingTaskGroup(of: String.self) { group in
        for number in 0..<200 { group.addTask { try await channel.text("\(number)") } }
        return try await group.reduce(into: Set<String>()) { $0.insert($1) }
      }
      #expect(answers.count == 200)
      #expect(running.withLock { $0.most } <= 3)
      channel.shutDown()
    }
  }

  @Test func waitingCallsMoveToANewConnectionWhenTheServerGoesAway() async throws {
    let started = Signal()
    let goOn = Signal()
    let first = try await makeServer(configure: { $0.http2.maxConcurrentStreams = 1 }) { text, _ in
      if text == "slow" {
        started.send()
        await goOn.wait()
      }
      return "first"
    }
    let port = try #require(first.port)
    let channel = try watched(
      Channel(
        "127.0.0.1:\(port)", configuration: quietly { $0.backoff = Backoff(base: .milliseconds(20), cap: .seconds(1)) })
    )
    #expect(try await channel.text("x") == "first")
    async let slow = channel.text("slow")
    await started.wait()
    let waiting = (0..<10).map { number in
      Task { try await channel.text("\(number)", options: CallOptions(waitForReady: true)) }
    }
    async let ending: Void = first.shutDown()
    // The listening socket is closed first, so the port is to be had soon.
    let second = try await repeatedly { try await makeServer(port: port) { _, _ in "second" } }
    for call in waiting { #expect(try await call.value == "second") }
    goOn.send()
    #expect(try await slow == "first")
    await ending
    channel.shutDown()
    await second.shutDown()
  }

  @Test func aCallFailsAtOnceWhileNoServerCanBeReached() async throws {
    let port = freePort()
    let channel = try watched(
      Channel(
        "127.0.0.1:\(port)", configuration: quietly { $0.backoff = Backoff(base: .seconds(600), cap: .seconds(600)) }))
    for _ in 0..<3 {
      guard case .endpointUnreachable(let error)? = await channel.failure() else {
        Issue.record("another error")
        return
      }
      #expect(error.endpoint == "127.0.0.1:\(port)")
      #expect(error.status == .unavailable)
      #expect(error.reason.contains("refused"))
      #expect(channel.state == .transientFailure)
    }
    channel.shutDown()
  }

  @Test func aCallThatWaitsForReadyIsMadeWhenTheServerIsThere() async throws {
    let port = freePort()
    let channel = try watched(
      Channel(
        "127.0.0.1:\(port)", configuration: quietly { $0.backoff = Backoff(base: .milliseconds(20), cap: .seconds(1)) })
    )
    let call = Task { try await channel.text("x", options: CallOptions(waitForReady: true)) }
    await channel.reaches(.transientFailure)
    let server = try await makeServer(port: port) { text, _ in text + "!" }
    #expect(try await call.value == "x!")
    #expect(channel.state == .ready)
    channel.shutDown()
    await server.shutDown()
  }

  @Test func aCallThatWaitsForReadyWaitsNoLongerThanItsDeadlineAndItsTask() async throws {
    let port = freePort()
    let channel = try watched(
      Channel(
        "127.0.0.1:\(port)", configuration: quietly { $0.backoff = Backoff(base: .seconds(600), cap: .seconds(600)) }))
    let late = await channel.failure(options: CallOptions(timeout: .milliseconds(50), waitForReady: true))
    #expect(late?.code == "DEADLINE_EXCEEDED")
    let call = Task { await channel.failure(options: CallOptions(waitForReady: true)) }
    await Task.yield()
    call.cancel()
    #expect(await call.value?.status == .cancelled)
    // Calls that have given up do not pile up.
    for _ in 0..<300 {
      _ = await channel.failure(options: CallOptions(timeout: .milliseconds(1), waitForReady: true))
    }
    channel.shutDown()
  }

  @Test func aCallBeyondThoseThatMayWaitFailsAtOnceAndOpensNoBreaker() async throws {
    let port = freePort()
    var policy = CallPolicy.none
    policy.breaker = CircuitBreaker.Settings()
    let channel = try watched(
      Channel(
        "127.0.0.1:\(port)",
        configuration: quietly(policy) {
          $0.backoff = Backoff(base: .seconds(600), cap: .seconds(600))
          $0.maxWaitingCalls = 2
        }))
    let patient = CallOptions(waitForReady: true)
    await withTaskGroup(of: ConnectionError?.self) { group in
      for _ in 0..<102 { group.addTask { await channel.failure(options: patient) } }
      // All but two.
      for _ in 0..<100 {
        guard case .tooManyWaitingCalls(let error)?? = await group.next() else {
          Issue.record("another error")
          continue
        }
        #expect(error.status == .resourceExhausted)
        #expect(error.message == "2 calls wait for 127.0.0.1:\(port) already, as many as maxWaitingCalls allows")
        #expect(error.retry == .never)
      }
      group.cancelAll()
      for await error in group { #expect(error?.status == .cancelled) }
    }
    // Those that have ended make room.
    let late = await channel.failure(options: CallOptions(timeout: .milliseconds(20), waitForReady: true))
    #expect(late?.code == "DEADLINE_EXCEEDED")
    channel.shutDown()
  }

  @Test func callsThatWaitEndWhenTheChannelShutsDown() async throws {
    let port = freePort()
    let channel = try watched(Channel("127.0.0.1:\(port)", configuration: quietly()))
    let call = Task { await channel.failure(options: CallOptions(waitForReady: true)) }
    await channel.reaches(.transientFailure)
    channel.shutDown()
    #expect(await call.value?.status == .cancelled)
  }

  @Test func noMoreCallsWaitThanMay() async throws {
    let channel = try watched(
      Channel(
        "127.0.0.1:\(freePort())",
        configuration: quietly {
          $0.maxWaitingCalls = 3
          $0.backoff = Backoff(base: .seconds(600), cap: .seconds(600))
        }))
    let waiting = (0..<3).map { _ in
      let options = CallOptions(waitForReady: true)
      return channel.clientStreaming(TextService.call, options: options)
    }
    let failure = await channel.failure(options: CallOptions(timeout: .seconds(20), waitForReady: true))
    guard case .tooManyWaitingCalls(let error)? = failure else {
      Issue.record("another error: \(String(describing: failure))")
      return
    }
    #expect(error.limit == 3)
    // One that ends makes room.
    waiting[0].cancel()
    let next = channel.clientStreaming(
      TextService.call, options: CallOptions(timeout: .milliseconds(50), waitForReady: true))
    await #expect(throws: ConnectionError.self) { _ = try await next.response() }
    channel.shutDown()
  }

  private func limited(to streams: Int) -> Server.Configuration {
    var configuration = Server.Configuration(port: 0)
    configuration.http2.maxConcurrentStreams = streams
    return configuration
  }

  private func repeatedly<Result>(_ body: () async throws -> Result) async throws -> Result {
    while true {
      do { return try await body() } catch { await Task.yield() }
    }
  }
}
