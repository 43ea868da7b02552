// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon
import Testing

@testable import TaxonTesting

@Suite struct FaultRuleTests {
  private static let getTask = Orchestrator.Methods.getTask
  private static let members = Orchestrator.GetTaskError.members

  /// Which of so many calls fail, "x", and which pass, ".".
  private func fates(
    _ injector: FaultInjector, _ count: Int = 10, metadata: Metadata = [:], path: String = getTask.path
  ) -> String {
    let call = FaultCall(path: path, metadata: metadata, peer: "ipv4:10.1.2.3:4", peerCertificate: nil)
    return (0..<count).map { _ in
      guard injector.plan(for: call, Self.members) != nil else { return "." }
      injector.finished()
      return "x"
    }.joined()
  }

  @Test(arguments: [
    (FaultRule(.status(.unavailable)), "xxxxxxxxxx"),
    (FaultRule(.status(.unavailable)).first(3), "xxx......."),
    (FaultRule(.status(.unavailable)).after(7), ".......xxx"),
    (FaultRule(.status(.unavailable)).after(2).first(3), "..xxx....."),
    (FaultRule(.status(.unavailable)).every(3), "..x..x..x."),
    (FaultRule(.status(.unavailable)).every(2).times(2), ".x.x......"),
    (FaultRule(.status(.unavailable)).rate(0), ".........."),
    (FaultRule(.status(.unavailable), in: .service("octollm.v1.Orchestrator")), "xxxxxxxxxx"),
    (FaultRule(.status(.unavailable), in: .service("octollm.v1.Reflex")), ".........."),
    (FaultRule(.status(.unavailable), in: Orchestrator.Methods.createTask), ".........."),
    (FaultRule(.error("TASK_NOT_FOUND")), "xxxxxxxxxx"),
    (FaultRule(.error("CAPACITY_EXCEEDED")), ".........."),
    (FaultRule(.error("other.dev/TASK_NOT_FOUND")), ".........."),
    (FaultRule(.status(.unavailable)).from(.metadata("x-team", "search")), ".........."),
    (FaultRule(.status(.unavailable)).from(.peer("ipv4:10.1."), .peer("ipv4:10.2.")), "xxxxxxxxxx"),
    (FaultRule(.status(.unavailable)).from(.peer("ipv4:10.1.")).from(.certificate("billing")), ".........."),
  ])
  func aRuleSaysWhichCallsFail(_ rule: FaultRule, _ expected: String) throws {
    #expect(fates(try FaultInjector(rule)) == expected)
  }

  @Test func aCallerIsKnownByItsMetadata() throws {
    let injector = try FaultInjector(FaultRule(.status(.unavailable)).from(.metadata("x-team", "search")))
    #expect(fates(injector, 2, metadata: ["x-team": "search"]) == "xx")
    #expect(fates(injector, 2, metadata: ["x-team": "billing"]) == "..")
  }

  @Test func aSeedSaysWhichCallsFail() throws {
    func fates(_ seed: UInt64, _ more: FaultRule...) throws -> String {
      var configuration = FaultInjector.Configuration(rules: [FaultRule(.status(.unavailable)).rate(0.3)] + more)
      configuration.seed = seed
      return self.fates(try FaultInjector(configuration), 1000)
    }
    let first = try fates(7)
    #expect(try fates(7) == first)
    #expect(try fates(8) != first)
    #expect((250...350).contains(first.count { $0 == "x" }))
    #expect(try fates(7, FaultRule(.delay(.seconds(1)), in: .service("other"))) == first, "other rules do not matter")
  }

  @Test func aRuleCountsCallsThatFailByAnother() throws {
    let injector = try FaultInjector(
      FaultRule(.status(.aborted)).first(1), FaultRule(.status(.unavailable)).every(3))
    #expect(fates(injector, 7) == "x.x..x.")
  }

  @Test func theSwitchStopsAll() throws {
    let injector = try FaultInjector(FaultRule(.status(.unavailable)))
    injector.isEnabled = false
    #expect(fates(injector, 2) == "..")
    injector.isEnabled = true
    #expect(fates(injector, 2) == "xx")
    #expect(injector.injected == 2)
  }

  @Test func aRuleExpires() throws {
    let clock = ManualClock()
    let injector = try FaultInjector(FaultRule(.status(.unavailable)).expiring(after: .seconds(60)), clock: clock)
    #expect(fates(injector, 2) == "xx")
    clock.advance(by: .seconds(60))
    #expect(fates(injector, 2) == "..")
  }

  @Test func noMoreFaultsAreActiveThanMayBe() throws {
    var configuration = FaultInjector.Configuration(rules: [FaultRule(.status(.unavailable))])
    configuration.maxActive = 2
    let injector = try FaultInjector(configuration)
    let call = FaultCall(path: Self.getTask.path, metadata: [:], peer: "", peerCertificate: nil)
    #expect(injector.plan(for: call, Self.members) != nil)
    #expect(injector.plan(for: call, Self.members) != nil)
    #expect(injector.active == 2)
    #expect(injector.plan(for: call, Self.members) == nil)
    injector.finished()
    #expect(injector.plan(for: call, Self.members) != nil)
  }

  @Test func aRulesTimesAreNotUsedUpWhileOthersAreUnderWay() throws {
    var configuration = FaultInjector.Configuration(rules: [
      FaultRule(.status(.unavailable)).first(1), FaultRule(.status(.aborted)).after(1).times(1),
    ])
    configuration.maxActive = 1
    let injector = try FaultInjector(configuration)
    let call = FaultCall(path: Self.getTask.path, metadata: [:], peer: "", peerCertificate: nil)
    #expect(injector.plan(for: call, Self.members)?.error?.status == .unavailable)
    #expect(injector.plan(for: call, Self.members) == nil)
    injector.finished()
    #expect(injector.plan(for: call, Self.members)?.error?.status == .aborted)
  }

  @Test func pausesAddUpUntilTheFirstOtherFault() throws {
    let injector = try FaultInjector(
      FaultRule(.delay(.seconds(1))), FaultRule(.status(.unavailable).delayed(by: .seconds(2))),
      FaultRule(.delay(.seconds(4))))
    let call = FaultCall(path: Self.getTask.path, metadata: [:], peer: "", peerCertificate: nil)
    let plan = try #require(injector.plan(for: call, Self.members))
    #expect(plan.delay == .seconds(3))
    #expect(plan.error?.status == .unavailable)
  }

  @Test func healthChecksAreLeftAloneUnlessTheyAreNamed() throws {
    let health = "/grpc.health.v1.Health/Check"
    #expect(fates(try FaultInjector(FaultRule(.status(.unavailable))), 1, path: health) == ".")
    #expect(fates(try FaultInjector(FaultRule(.status(.unavailable), in: .method(health))), 1, path: health) == "x")
  }

  @Test(arguments: [
    (
      FaultRule(.error("CAPACITY_EXCEEDED"), in: getTask),
      "octollm.v1.Orchestrator/GetTask does not raise it; it raises "
    ),
    (FaultRule(.error(ResourceError.ArmUnavailable(requiredCapabilities: [])), in: getTask), "TASK_NOT_FOUND"),
    (FaultRule(.status(.unavailable)).rate(1.1), "it must be 0 to 1"),
    (FaultRule(.status(.unavailable)).rate(.nan), "it must be 0 to 1"),
    (FaultRule(.status(.unavailable)).every(0), "it must be 1 or more"),
    (FaultRule(.status(.unavailable)).first(-1), "it must be 0 or more"),
    (FaultRule(.delay(.seconds(-1))), "it must not be negative"),
    (FaultRule(.delay(.seconds(3601))), "it must be at most an hour"),
    (FaultRule(.status(.unavailable).behind(messages: 0)), "it must be 1 or more"),
    (FaultRule(.status(.unavailable).damaged(.oversized(bytes: 40_000))), "it must be 1 to 32768 bytes"),
  ])
  func whatCannotBeIsRefused(_ rule: FaultRule, _ reason: String) {
    let error = #expect(throws: SetupError.self) { try FaultInjector(rule) }
    #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
  }

  @Test func aServerRefusesRulesThatItsMethodsCannotFollow() async throws {
    func start(_ rule: FaultRule) async throws -> String? {
      var configuration = Server.Configuration(address: .none)
      configuration.interceptors = [try FaultInjector(rule)]
      let server = Server(configuration, services: [Orchestrator.Fake()])
      do {
        try await server.start()
        await server.shutDown()
        return nil
      } catch {
        return error.message
      }
    }
    #expect(try await start(FaultRule(.error("TASK_NOT_FOUND"), in: .service(Orchestrator.name))) == nil)
    #expect(try await start(FaultRule(.error("TASK_NOT_FOUND"))) == nil)
    let createTask = Orchestrator.Methods.createTask.path
    #expect(
      try await start(FaultRule(.error("TASK_NOT_FOUND"), in: .method(createTask)))?.contains("it raises ") == true)
    #expect(try await start(FaultRule(.error("NOPE")))?.contains("none of the rule's methods raises it") == true)
    #expect(try await start(FaultRule(.goAway, in: .method("/a.B/C")))?.contains("no such method") == true)
  }
}
