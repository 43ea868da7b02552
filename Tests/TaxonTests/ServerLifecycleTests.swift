// SPDX-License-Identifier: Apache-2.0
import Dispatch
import NIOCore
import Taxon
import TaxonFixtures
import Testing

import class TaxonClient.Channel

/// How a server begins and ends.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct ServerLifecycleTests {
  @Test func shuttingDownLetsCallsInFlightEnd() async throws {
    let started = Signal()
    let goOn = Signal()
    let server = try await makeServer([
      TextService { _, _ in
        started.send()
        await goOn.wait()
        return "late"
      }
    ])
    let channel = try watched(Channel("127.0.0.1:\(server.port ?? 0)", policy: .none, logger: quiet))
    async let answer = channel.text("x")
    await started.wait()
    async let end: Void = server.shutDown()
    goOn.send()
    #expect(try await answer == "late")
    await end
    await #expect(throws: ConnectionError.self) { try await channel.text("x") }
  }

  @Test func aHandlerThatDoesNotEndIsCancelledAfterTheGracePeriod() async throws {
    var configuration = Server.Configuration(port: 0)
    configuration.gracePeriod = .milliseconds(50)
    let started = Signal()
    let cancelled = Signal()
    let server = try await makeServer([
      TextService { _, _ in
        started.send()
        await withTaskCancellationHandler {
          await cancelled.wait()
        } onCancel: {
          cancelled.send()
        }
        return ""
      }
    ]) { $0 = configuration }
    let channel = try watched(Channel("127.0.0.1:\(server.port ?? 0)", policy: .none, logger: quiet))
    let call = Task { try await channel.text("x") }
    await started.wait()
    await server.shutDown()
    await cancelled.wait()
    let error = await #expect(throws: ConnectionError.self) { try await call.value }
    #expect(error?.status == .unavailable)
  }

  @Test(arguments: [nil, 1]) func shuttingDownWaitsForHandlersThatWereCancelled(_ threads: Int?) async throws {
    var configuration = Server.Configuration(port: 0, threads: threads)
    configuration.gracePeriod = .milliseconds(50)
    let started = Signal()
    let goOn = Signal()
    let ends = Locked<[String]>([])
    let server = try await makeServer([
      TextService { _, _ in
        started.send()
        await untilCancelled()
        // Cancelled, but not done: a transaction is rolled back, say.
        await goOn.wait()
        ends.withLock { $0.append("handler") }
        return ""
      }
    ]) { $0 = configuration }
    let channel = try watched(Channel("127.0.0.1:\(server.port ?? 0)", policy: .none, logger: quiet))
    let call = Task { try await channel.text("x") }
    await started.wait()
    let shutdown = Task {
      await server.shutDown()
      ends.withLock { $0.append("server") }
    }
    // The connection is closed: a server that does not wait is at its end, and has time here to say so.
    await #expect(throws: ConnectionError.self) { try await call.value }
    for _ in 0..<1000 { await Task.yield() }
    goOn.send()
    await shutdown.value
    #expect(ends.withLock { $0 } == ["handler", "server"])
    channel.shutDown()
  }

  @Test(arguments: [nil, 1])
  func aHandlerThatIgnoresItsCancellationDoesNotHoldTheShutdown(_ threads: Int?) async throws {
    var configuration = Server.Configuration(port: 0, threads: threads)
    configuration.gracePeriod = .milliseconds(50)
    let started = Signal()
    let goOn = Signal()
    let ended = Signal()
    let server = try await makeServer([
      TextService { _, _ in
        started.send()
        await goOn.wait()
        ended.send()
        return ""
      }
    ]) { $0 = configuration }
    let port = try #require(server.port)
    let channel = try watched(Channel("127.0.0.1:\(port)", policy: .none, logger: quiet))
    let call = Task { try await channel.text("x") }
    await started.wait()
    let begin = ContinuousClock.now
    await server.shutDown()
    // The grace period, and five seconds for what was cancelled.
    let time = ContinuousClock.now - begin
    #expect(time > .seconds(5) && time < .seconds(25), "\(time)")
    let error = await #expect(throws: ConnectionError.self) { try await call.value }
    #expect(error?.status == .unavailable)
    // It may still end, after its server.
    goOn.send()
    await ended.wait()
    channel.shutDown()
  }

  @Test func runEndsWhenItsTaskIsCancelled() async throws {
    let server = watched(Server(.init(port: 0), services: [], logger: quiet))
    let listening = Signal()
    let run = Task { try await server.run { _ in listening.send() } }
    await listening.wait()
    run.cancel()
    try await run.value
    #expect(server.port == nil)
  }

  @Test func aPortInUseIsASetupError() async throws {
    let first = try await makeServer([])
    let second = watched(Server(.init(port: first.port ?? 0), services: [], logger: quiet))
    do throws(SetupError) {
      try await second.start()
      Issue.record("no error")
    } catch .addressUnavailable(let error) {
      #expect(error.address == "127.0.0.1:\(first.port ?? 0)")
    }
    await first.shutDown()
  }

  @Test(arguments: [-1, 65_536])
  func aPortOutOfBoundsIsASetupError(_ port: Int) async throws {
    do throws(SetupError) {
      try await watched(Server(.init(port: port), services: [], logger: quiet)).start()
      Issue.record("no error")
    } catch .invalidSetting(let error) {
      #expect(error.name == "port")
      #expect(error.value == "\(port)")
    }
  }

  @Test func aServiceGivenTwiceIsASetupError() async throws {
    let services = [TextService { text, _ in text }, TextService { text, _ in text }]
    do throws(SetupError) {
      try await watched(Server(.init(port: 0), services: services, logger: quiet)).start()
      Issue.record("no error")
    } catch .invalidSetting(let error) {
      #expect(error.value == "test.Text")
    }
  }

  /// The system connects peers by itself; what they have sent by then is not to be lost.
  @Test func connectionsThatNobodyHasAcceptedAreServedAtAShutdown() async throws {
    let isBlocked = Signal()
    let isShuttingDown = Signal()
    let block = DispatchSemaphore(value: 0)
    // Whatever fails, the loop goes on: what waits for its calls would hang.
    defer { block.signal() }
    var configuration = Server.Configuration(port: 0, threads: 1)
    configuration.gracePeriod = .seconds(10)
    let text = TextService { text, _ in
      if text == "block" {
        isBlocked.send()
        // The loop accepts nothing meanwhile.
        hold(block)
      }
      return text
    }
    let server = try await makeServer([text, ShutdownWatch(signal: isShuttingDown)]) { $0 = configuration }
    let port = try #require(server.port)
    let channel = try watched(Channel("127.0.0.1:\(port)", policy: .none, logger: quiet))
    async let blocking = channel.text("block")
    await isBlocked.wait()
    let clients = try await withThrowingTaskGroup { group in
      for _ in 0..<20 { group.addTask { try await WireClient.connect(.port(port)) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    let answers = clients.map { $0.begin() }
    // Each has left by the time that its loop answers: a client that has been told of the shutdown begins no call.
    for client in clients { #expect(try await client.receivedGoAways == []) }
    async let end: Void = server.shutDown()
    await isShuttingDown.wait()
    block.signal()
    #expect(try await blocking == "block")
    for answer in answers { #expect(try await answer.get().status == "0") }
    await end
    for client in clients { await client.close() }
  }
}

/// Says when a server begins to shut down.
private struct ShutdownWatch: RPCService {
  static let serviceName = "test.ShutdownWatch"
  let signal: Signal

  func register(in registry: inout ServiceRegistry) {}
  func serverIsShuttingDown() { signal.send() }
}

/// Blocks the thread, as a handler should not; for half a minute at most, so that a test that fails does not hang.
private func hold(_ semaphore: DispatchSemaphore) { _ = semaphore.wait(timeout: .now() + 30) }
