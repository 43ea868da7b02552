// SPDX-License-Identifier: Apache-2.0
import Logging
import Metrics
import MetricsTestKit
import OctoLLM
import Taxon
import TaxonFixtures
import TaxonTesting
import Testing

/// Faults of a server, as a client on a connection sees them.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct ServerFaultTests {
  private static let getTask = Orchestrator.Methods.getTask

  /// Answers, and streams five changes.
  private static let fake: Orchestrator.Fake = {
    var fake = Orchestrator.Fake()
    fake.getTask = { request, _ async throws(Orchestrator.GetTaskError) in TaskRecord(taskID: request.taskID) }
    fake.watchTask = { _, changes, _ async throws(Orchestrator.WatchTaskError) in
      for _ in 0..<5 { try await changes.write(StatusChange()) }
    }
    return fake
  }()

  private func withOrchestrator(
    _ faults: FaultInjector, metadata: Metadata = [:], logger: Logger = quiet,
    _ test: (Orchestrator.Client) async throws -> Void
  ) async throws {
    try await withChannel(to: [Self.fake], logger: logger, configure: { $0.interceptors = [faults] }) { channel, _ in
      try await test(Orchestrator.Client(channel))
    }
  }

  private func caught(
    _ client: Orchestrator.Client, _ metadata: Metadata = [:]
  ) async -> Orchestrator.GetTaskError? {
    do throws(Orchestrator.GetTaskError) {
      _ = try await client.getTask(.init(taskID: "1"), options: CallOptions(metadata: metadata))
      return nil
    } catch {
      return error
    }
  }

  @Test func aDeclaredErrorArrivesTypedAndMarked() async throws {
    let faults = try FaultInjector(.raise(.taskNotFound(taskID: "7"), by: Self.getTask))
    try await withOrchestrator(faults) { client in
      let error = await caught(client)
      guard case .taskNotFound(let notFound)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(notFound.taskID == "7")
      #expect(notFound.isInjected)
      #expect(error?.trailingMetadata[FaultInjector.marker] == "TASK_NOT_FOUND")
      #expect(ErrorLogEntry(notFound).metadata.contains { $0.key == "error.injected" && $0.value == "true" })
    }
    #expect(faults.injected == 1)
    #expect(faults.active == 0)
  }

  @Test func aStatusIsMarkedThoughItHasNoDeclaration() async throws {
    try await withOrchestrator(try FaultInjector(FaultRule(.status(.unavailable, "away")))) { client in
      let error = await caught(client)
      #expect(error?.status == .unavailable)
      #expect(error?.message == "away")
      #expect(error?.isInjected == true)
      #expect(error?.code == "UNAVAILABLE")
    }
  }

  @Test func anErrorOfTheHandlersIsNotMarked() async throws {
    var fake = Orchestrator.Fake()
    fake.getTask = { _, _ async throws(Orchestrator.GetTaskError) in throw .taskNotFound(taskID: "1") }
    try await withChannel(to: [fake]) { channel, _ in
      #expect(await caught(Orchestrator.Client(channel))?.isInjected == false)
    }
  }

  @Test func aPauseIsOfTheInjectorsClock() async throws {
    let clock = ManualClock()
    let faults = try FaultInjector(
      FaultRule(.error("TASK_NOT_FOUND").delayed(by: .seconds(60))).first(1), FaultRule(.delay(.seconds(5))),
      clock: clock)
    try await withOrchestrator(faults) { client in
      #expect(await caught(client)?.code == "TASK_NOT_FOUND")
      #expect(await caught(client) == nil)
    }
    #expect(clock.sleeps == [.seconds(60), .seconds(5)])
  }

  @Test func aStreamBreaksBehindSomeMessages() async throws {
    let faults = try FaultInjector(FaultRule(.error("TASK_NOT_FOUND").behind(messages: 2)))
    try await withOrchestrator(faults) { client in
      var count = 0
      let error = await #expect(throws: Orchestrator.WatchTaskError.self) {
        for try await _ in client.watchTask(.init(taskID: "1")) { count += 1 }
      }
      #expect(count == 2)
      #expect(error?.code == "TASK_NOT_FOUND")
      #expect(error?.isInjected == true)
    }
    #expect(faults.active == 0)
  }

  @Test func anAnswerWithFewerMessagesIsLeftAlone() async throws {
    let faults = try FaultInjector(FaultRule(.error("TASK_NOT_FOUND").behind(messages: 6)))
    try await withOrchestrator(faults) { client in
      var count = 0
      for try await _ in client.watchTask(.init(taskID: "1")) { count += 1 }
      #expect(count == 5)
    }
  }

  @Test(arguments: [
    (Fault.reset(.cancel), StatusCode.cancelled), (.reset(.enhanceYourCalm), .resourceExhausted),
    (.reset(), .internalError),
    (.connectionClosed, .unavailable),
  ])
  func aBrokenStreamOrConnectionIsOne(_ fault: Fault, _ status: StatusCode) async throws {
    let faults = try FaultInjector(FaultRule(fault).first(1))
    try await withOrchestrator(faults) { client in
      #expect(await caught(client)?.status == status)
      #expect(await caught(client) == nil, "the next call finds a connection")
    }
  }

  @Test func aGoAwayAnswersTheCallAndTakesNoMore() async throws {
    let faults = try FaultInjector(FaultRule(.goAway).first(1))
    try await withOrchestrator(faults) { client in
      #expect(await caught(client) == nil)
      #expect(await caught(client) == nil)
    }
    #expect(faults.injected == 1)
  }

  @Test func damagedDetailsLeaveWhatIsLeft() async throws {
    let faults = try FaultInjector(
      FaultRule(.error("TASK_NOT_FOUND").damaged(.payloadMissing)).times(1),
      FaultRule(.error("TASK_NOT_FOUND").damaged(.truncated)).times(1),
      FaultRule(.error("TASK_NOT_FOUND").damaged(.oversized(bytes: 16_384))).times(1))
    try await withOrchestrator(faults) { client in
      let bare = await caught(client)
      #expect(bare?.code == "TASK_NOT_FOUND" && bare?.isInjected == true)
      if case .other? = bare {} else { Issue.record("its fields are missing") }
      let cut = await caught(client)
      #expect(cut?.status == .notFound)
      #expect(cut?.message == "Task task-42 not found")
      let large = await caught(client)
      #expect(large?.status == .resourceExhausted, "its headers are larger than the client takes")
    }
  }

  @Test func headersSayNothingUnlessTheServerAllowsThem() async throws {
    try await withOrchestrator(try FaultInjector()) { client in
      #expect(await caught(client, ["taxon-fault": "TASK_NOT_FOUND"]) == nil)
      #expect(await caught(client, ["taxon-fault": "what?"]) == nil)
    }
  }

  @Test func aHeaderRaisesWhatTheMethodDeclares() async throws {
    var configuration = FaultInjector.Configuration()
    configuration.headers = .allowed
    configuration.samples = [ValidationError.TaskNotFound(taskID: "from the configuration")]
    let faults = try FaultInjector(configuration)
    try await withOrchestrator(faults) { client in
      let error = await caught(client, ["taxon-fault": "TASK_NOT_FOUND;retry-after=5s"])
      #expect(error?.metadata["task_id"] == "from the configuration")
      #expect(error?.retryAfter == .seconds(5))
      let refused = await caught(client, ["taxon-fault": "CAPACITY_EXCEEDED"])
      #expect(refused?.status == .invalidArgument)
      #expect(refused?.isInjected == false)
      #expect(
        refused?.message == """
          taxon-fault: CAPACITY_EXCEEDED: octollm.v1.Orchestrator/GetTask does not raise it; it raises AUTHENTICATION_ERROR, \
          DATABASE_ERROR, TASK_NOT_FOUND
          """)
      let fates = await [1, 2, 3, 4].asyncMap { _ in
        await caught(client, ["taxon-fault": "DATABASE_ERROR;times=2"])?.code
      }
      #expect(fates == ["DATABASE_ERROR", "DATABASE_ERROR", nil, "DATABASE_ERROR"])
      #expect(await caught(client, ["x-envoy-fault-abort-grpc-request": "8"])?.status == .resourceExhausted)
      #expect(
        await caught(client, ["x-envoy-fault-abort-grpc-request": "8", "x-envoy-fault-abort-request-percentage": "0"])
          == nil)
      faults.isEnabled = false
      #expect(await caught(client, ["taxon-fault": "TASK_NOT_FOUND"]) == nil)
    }
  }

  @Test func onlySomeCallersMayAsk() async throws {
    var configuration = FaultInjector.Configuration()
    configuration.headers = .allowed(for: .metadata("x-role", "tester"))
    try await withOrchestrator(try FaultInjector(configuration)) { client in
      #expect(await caught(client, ["taxon-fault": "TASK_NOT_FOUND", "x-role": "tester"])?.code == "TASK_NOT_FOUND")
      #expect(await caught(client, ["taxon-fault": "TASK_NOT_FOUND"])?.status == .permissionDenied)
      #expect(await caught(client) == nil)
    }
  }

  @Test func faultsAreCounted() async throws {
    let metrics = TestMetrics()
    var configuration = FaultInjector.Configuration(rules: [.raise(.taskNotFound(taskID: "7"), by: Self.getTask)])
    configuration.metrics = metrics
    try await withOrchestrator(try FaultInjector(configuration)) { client in _ = await caught(client) }
    let counter = try metrics.expectCounter(
      "taxon.faults.injected",
      [("service", "octollm.v1.Orchestrator"), ("method", "GetTask"), ("fault", "TASK_NOT_FOUND")])
    #expect(counter.totalValue == 1)
  }

  @Test func aPauseIsOverWhenTheHandlerBegins() async throws {
    let active = Locked<[Int]>([])
    let faults = try FaultInjector(FaultRule(.delay(.milliseconds(1))))
    var fake = Self.fake
    fake.getTask = { request, _ async throws(Orchestrator.GetTaskError) in
      active.withLock { $0.append(faults.active) }
      return TaskRecord(taskID: request.taskID)
    }
    try await withChannel(to: [fake], configure: { $0.interceptors = [faults] }) { channel, _ in
      #expect(await caught(Orchestrator.Client(channel)) == nil)
    }
    #expect(active.withLock { $0 } == [0] && faults.active == 0 && faults.injected == 1)
  }

  @Test func injectorsOfOneCallCountItsMessagesEachForItself() async throws {
    let outer = try FaultInjector(FaultRule(.error("TASK_NOT_FOUND").behind(messages: 4)))
    let inner = try FaultInjector(FaultRule(.error("TASK_NOT_FOUND").behind(messages: 5)))
    let service = Self.fake.failing(with: inner)
    try await withChannel(to: [service], configure: { $0.interceptors = [outer] }) { channel, _ in
      var count = 0
      await #expect(throws: Orchestrator.WatchTaskError.self) {
        for try await _ in Orchestrator.Client(channel).watchTask(.init(taskID: "1")) { count += 1 }
      }
      #expect(count == 4)
    }
  }

  @Test func aServiceMayBringFaultsOfItsOwn() async throws {
    let service = Self.fake.failing(Self.getTask, with: .taskNotFound(taskID: "9"))
    try await withChannel(to: [service]) { channel, _ in
      #expect(await caught(Orchestrator.Client(channel))?.metadata["task_id"] == "9")
      service.faults.isEnabled = false
      #expect(await caught(Orchestrator.Client(channel)) == nil)
    }
  }
}

extension Sequence {
  fileprivate func asyncMap<Value>(_ body: (Element) async -> Value) async -> [Value] {
    var values: [Value] = []
    for element in self { values.append(await body(element)) }
    return values
  }
}
