// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon
import TaxonFixtures
import TaxonTesting
import Testing

/// Faults of a channel: retry and breaker take them for the server's.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct ClientFaultTests {
  private static let fake: Orchestrator.Fake = {
    var fake = Orchestrator.Fake()
    fake.getTask = { request, _ async throws(Orchestrator.GetTaskError) in TaskRecord(taskID: request.taskID) }
    fake.watchTask = { _, changes, _ async throws(Orchestrator.WatchTaskError) in
      for _ in 0..<5 { try await changes.write(StatusChange()) }
    }
    return fake
  }()

  /// Runs a test with a client whose attempts fail, and with what the channel decided.
  private func withOrchestrator(
    _ faults: FaultInjector, policy: CallPolicy = .none, clock: any Clock<Duration> = ManualClock(),
    _ test: (Orchestrator.Client, Locked<[String]>) async throws -> Void
  ) async throws {
    let events = Locked<[String]>([])
    let configuration = quietly(policy) {
      $0.faults = faults
      $0.clock = clock
      $0.observer = { event in events.withLock { $0.append("\(event)") } }
    }
    try await withChannel(to: [Self.fake], client: configuration) { channel, _ in
      try await test(Orchestrator.Client(channel), events)
    }
    #expect(faults.active == 0)
  }

  private func caught(_ client: Orchestrator.Client, _ options: CallOptions = CallOptions()) async -> Orchestrator
    .GetTaskError?
  {
    do throws(Orchestrator.GetTaskError) {
      _ = try await client.getTask(.init(taskID: "1"), options: options)
      return nil
    } catch {
      return error
    }
  }

  @Test func aTransientErrorIsRetried() async throws {
    let clock = ManualClock()
    let faults = try FaultInjector(FaultRule(.error("DATABASE_ERROR"), in: Orchestrator.Methods.getTask).first(2))
    try await withOrchestrator(faults, policy: CallPolicy(retry: .standard, breaker: nil), clock: clock) {
      client, events in
      #expect(await caught(client) == nil)
      #expect(events.withLock { $0.count } == 2)
    }
    #expect(clock.sleeps.count == 2)
    #expect(faults.injected == 2)
  }

  @Test func theBreakerOpens() async throws {
    let faults = try FaultInjector(FaultRule(.error("DATABASE_ERROR")))
    try await withOrchestrator(faults, policy: CallPolicy(retry: .none)) { client, _ in
      for _ in 0..<5 { #expect(await caught(client)?.code == "DATABASE_ERROR") }
      let error = await caught(client)
      #expect(error?.code == "CIRCUIT_OPEN")
      #expect(error?.isInjected == false)
    }
    #expect(faults.injected == 5)
  }

  @Test func anErrorIsReadAsAServersIs() async throws {
    let faults = try FaultInjector(
      .raise(.database(operation: "select", error: "secret"), by: Orchestrator.Methods.getTask))
    try await withOrchestrator(faults) { client, _ in
      let error = await caught(client)
      guard case .database(let database)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(database.operation == "select")
      #expect(database.error.isEmpty, "internal fields do not leave a server")
      #expect(database.isInjected && database.context.isFromCall && database.instanceID != nil)
    }
  }

  @Test(arguments: [
    (Fault.reset(.cancel), StatusCode.cancelled), (.reset(), .internalError), (.connectionClosed, .unavailable),
    (.status(.ok), .unimplemented), (.error("TASK_NOT_FOUND").damaged(.truncated), .notFound),
    (.error("TASK_NOT_FOUND").damaged(.oversized(bytes: 20_000)), .resourceExhausted),
  ])
  func eachFaultIsWhatAServersWouldBe(_ fault: Fault, _ status: StatusCode) async throws {
    try await withOrchestrator(try FaultInjector(FaultRule(fault).first(1))) { client, _ in
      let error = await caught(client)
      #expect(error?.status == status)
      #expect(error?.isInjected == true)
      #expect(await caught(client) == nil)
    }
  }

  @Test(arguments: [Fault.goAway, .reset(.refusedStream)]) func whatTheServerDidNotProcessIsRepeated(_ fault: Fault)
    async throws
  {
    let faults = try FaultInjector(FaultRule(fault).first(1))
    try await withOrchestrator(faults, policy: CallPolicy(retry: .standard, breaker: nil)) { client, events in
      #expect(await caught(client) == nil)
      #expect(events.withLock { $0 }.isEmpty, "it is none of the attempts that are told of")
    }
    #expect(faults.injected == 1)
  }

  @Test func aPauseIsOfTheInjectorsClock() async throws {
    let clock = ManualClock()
    let faults = try FaultInjector(FaultRule(.delay(.seconds(60))), clock: clock)
    try await withOrchestrator(faults) { client, _ in #expect(await caught(client) == nil) }
    #expect(clock.sleeps == [.seconds(60)])
  }

  @Test func theDeadlineEndsAPause() async throws {
    let faults = try FaultInjector(FaultRule(.delay(.seconds(3600))))
    try await withOrchestrator(faults) { client, _ in
      #expect(await caught(client, CallOptions(timeout: .milliseconds(20)))?.status == .deadlineExceeded)
    }
  }

  @Test func aStreamBreaksBehindSomeMessages() async throws {
    let faults = try FaultInjector(FaultRule(.error("DATABASE_ERROR").behind(messages: 2)))
    try await withOrchestrator(faults) { client, _ in
      var count = 0
      let error = await #expect(throws: Orchestrator.WatchTaskError.self) {
        for try await _ in client.watchTask(.init(taskID: "1")) { count += 1 }
      }
      #expect(count == 2)
      #expect(error?.code == "DATABASE_ERROR")
      #expect(error?.isInjected == true)
    }
  }
}
