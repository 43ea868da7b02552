// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Logging
import OctoLLM
import Taxon

struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Walk through every category of error, retry, breaker and fallback.",
    discussion: """
      Starts a server in this process, calls it over TCP and checks each answer. Exits with 1 when anything was not as \
      it should be. Colours only on a terminal, and not when NO_COLOR is set.
      """)

  func run() throws {
    LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
    let isAsExpected = try waiting {
      let stage = try await Stage()
      let walk = try Walk(stage)
      try await walk.run()
      await stage.clear()
      return walk.finish()
    }
    if !isAsExpected { throw ExitCode.failure }
  }
}

/// The server of the demo, and the ways to it.
final class Stage: Sendable {
  static let ownerToken = "owner-token"
  static let readerToken = "reader-token"

  let store: TaskStore
  let events = EventLog()
  let port: Int
  private let server: Server
  private let folder: URL

  init() async throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "octollm-demo-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let path = folder.appending(path: "tasks.sqlite").path
    store = try TaskStore(path: path)
    // A second connection, which can only read, stands for the replica.
    let replica = try TaskStore(replica: path)
    let orchestrator = OrchestratorService(
      store: store, replica: replica, arms: try Self.arms(),
      access: Access(tokens: [
        Self.ownerToken: .init("owner"), Self.readerToken: .init("reader", mayWrite: false),
      ]))
    let reflex = ReflexService(limiter: RateLimiter(limit: 3, window: .seconds(1)))
    var configuration = Server.Configuration(port: 0)
    configuration.interceptors = [MetricsInterceptor(prefix: "octollm")]
    server = Server(configuration, services: [orchestrator, reflex, RehearsalService()])
    try await server.start()
    port = server.port ?? 0
  }

  /// Small arms, so that their limits are soon met.
  private static func arms() throws -> ArmRegistry {
    let lost = try TaskStore()
    lost.close()
    return ArmRegistry([
      .summariser,
      .calculator(limiter: RateLimiter(limit: 2, window: .seconds(60))),
      .retriever(TaskIndex(lost)),
      .writer(Parrot(pace: .milliseconds(50), context: 100), capacity: 1),
      .lexicographer(),
    ])
  }

  func channel(_ policy: CallPolicy) throws(SetupError) -> Channel {
    try Channel("dns:///127.0.0.1:\(port)", policy: policy) { [events] event in events.add(event) }
  }

  func clear() async {
    await server.shutDown()
    try? FileManager.default.removeItem(at: folder)
  }
}

/// What channels decided, for the walk to print and to check.
final class EventLog: Sendable {
  private let events = Locked<[CallEvent]>([])

  func add(_ event: CallEvent) {
    events.withLock { $0.append(event) }
  }

  /// What came since the last time.
  func take() -> [CallEvent] {
    events.withLock { events in
      defer { events = [] }
      return events
    }
  }
}

extension [CallEvent] {
  /// The attempts that failed, with what was decided about each.
  var failures: [(error: any TaxonomyError, decision: RetryDecision)] {
    compactMap { event in
      if case .attemptFailed(_, _, let error, let decision) = event { (error, decision) } else { nil }
    }
  }

  /// The changes of a breaker's state.
  var transitions: [CircuitBreaker.Transition] {
    compactMap { event in if case .breaker(let transition) = event { transition } else { nil } }
  }
}
