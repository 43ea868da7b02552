// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon
import TaxonFixtures
import TaxonTesting
import Testing

/// OctoLLM over TCP.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct EndToEndTests {
  @Test(arguments: SampleErrors.all.indices) func everyErrorArrivesTypedWithItsFields(_ index: Int) async throws {
    let sample = SampleErrors.all[index]
    try await withServer { channel in
      do throws(Rehearsal.RaiseError) {
        _ = try await Rehearsal.Client(channel).raise(.init(domain: sample.domain, code: sample.code))
        Issue.record("no error")
      } catch {
        if case .other = error { Issue.record("\(error) is not typed") }
        #expect(error.identity == sample.identity)
        #expect(error.status == sample.status)
        #expect(error.httpStatus == sample.httpStatus)
        #expect(error.message == sample.message)
        #expect(error.metadata == sample.metadata)
        #expect(error.violations == sample.violations)
        #expect(error.retryAfter == sample.retryAfter)
        #expect(error.severity == sample.severity && error.retry == sample.retry && error.breaker == sample.breaker)
        #expect(error.instanceID != nil)
        let payload = error.wrapped as? any DeclaredError
        #expect(payload.flatMap { bytes($0) } == publicBytes(sample), "internal fields stay in the server")
      }
    }
  }

  private func bytes(_ error: some DeclaredError) -> [UInt8]? { try? error.encoded() }
  private func publicBytes(_ error: some DeclaredError) -> [UInt8]? { bytes(error.publicPayload) }

  @Test func whatIsWrongWithATaskComesAtOnce() async throws {
    try await withServer { channel in
      do throws(Orchestrator.CreateTaskError) {
        _ = try await Orchestrator.Client(channel).createTask(.init(contract: .init(priority: 11, timeout: -1)))
        Issue.record("created")
      } catch .validationErrors(let error) {
        #expect(error.errors.map(\.field) == ["contract.description", "contract.priority", "contract.timeout"])
      }
    }
  }

  @Test func aBatchHasSuccessesAndFailures() async throws {
    try await withServer { channel in
      let client = Orchestrator.Client(channel)
      var ids: [String] = []
      for contract: TaskContract in [
        .valid("1 + 1", needs: ["arithmetic"]), .valid(needs: ["vision"]), .valid("2 + 2", needs: ["arithmetic"]),
      ] {
        ids.append(try await client.createTask(.init(contract: contract)).taskID)
      }
      let result = try await client.executeAll()
      #expect(result.successes.map(\.key) == [ids[0], ids[2]])
      #expect(result.values.map(\.output) == ["2", "4"])
      #expect(result.failures.map(\.key) == [ids[1]])
      #expect(result.failures.map(\.error.code) == ["ARM_UNAVAILABLE"])
    }
  }

  @Test func aCallThatFailsTwiceIsRetriedUntilItIsAnswered() async throws {
    let events = Locked<[CallEvent]>([])
    let clock = ManualClock()
    let policy = CallPolicy(retry: .standard, breaker: nil)
    try await withServer(policy, clock: clock, observer: { event in events.withLock { $0.append(event) } }) { channel in
      let request = RaiseRequest(domain: "octollm.dev", code: "NETWORK_ERROR", times: 2, key: "test")
      let reply = try await Rehearsal.Client(channel).raise(request)
      #expect(reply.failures == 2)
    }
    #expect(events.withLock { $0.count } == 2)
    // 1 s and 2 s, each with a jitter from 0.5 to 1.
    #expect((Duration.milliseconds(1500)...Duration.seconds(3)).contains(clock.now.time))
  }

  @Test func aBreakerOpensRejectsAndRecovers() async throws {
    let clock = ManualClock()
    let policy = CallPolicy(retry: .none)
    try await withServer(policy, clock: clock) { channel in
      let client = Rehearsal.Client(channel)
      let request = RaiseRequest(domain: "octollm.dev", code: "DATABASE_ERROR", times: 5, key: "test")
      for _ in 0..<5 { await #expect(throws: Rehearsal.RaiseError.self) { try await client.raise(request) } }
      clock.advance(by: .seconds(20))
      do throws(Rehearsal.RaiseError) {
        _ = try await client.raise(request)
        Issue.record("answered")
      } catch {
        #expect(error.code == "CIRCUIT_OPEN")
        #expect(error.retryAfter == .seconds(40))
      }
      clock.advance(by: .seconds(40))
      let probe = try await client.raise(request)
      #expect(probe.failures == 5)
      #expect(channel.breaker?.state == .closed)
    }
  }

  private func withServer(
    _ policy: CallPolicy = .none, clock: any Clock<Duration> = ContinuousClock(),
    observer: (@Sendable (CallEvent) -> Void)? = nil, _ body: (Channel) async throws -> Void
  ) async throws {
    let services: [any RPCService] = [
      OrchestratorService.quietly(try TaskStore()), ReflexService(logger: quiet), RehearsalService(),
    ]
    try await TaxonFixtures.withServer(services) { _, port in
      let channel = try watched(
        Channel("dns:///127.0.0.1:\(port)", policy: policy, clock: clock, logger: quiet, observer: observer))
      defer { channel.shutDown() }
      try await body(channel)
    }
  }
}
