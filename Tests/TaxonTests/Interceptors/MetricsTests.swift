// SPDX-License-Identifier: Apache-2.0
import Metrics
import MetricsTestKit
import Taxon
import TaxonFixtures
import Testing

/// What is counted and timed of calls.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct MetricsTests {
  private func withService(
    _ metrics: TestMetrics, failing: @escaping @Sendable (ServerContext) throws -> Void = { _ in },
    _ test: (Channel) async throws -> Void
  ) async throws {
    let interceptor = MetricsInterceptor(prefix: "test", factory: metrics)
    try await withChannel(to: [KindsService(failing: failing)], configure: { $0.interceptors = [interceptor] }) {
      channel, _ async throws in try await test(channel)
    }
  }

  private func call(_ kind: Kind, _ code: String) -> [(String, String)] {
    [("service", "test.Kinds"), ("method", kind.rawValue), ("code", code)]
  }

  @Test(arguments: Kind.allCases) func callsAreCountedAndTimed(_ kind: Kind) async throws {
    let metrics = TestMetrics()
    try await withService(metrics) { channel async throws in
      for _ in 0..<3 { _ = try await channel.call(kind) }
    }
    #expect(try metrics.expectCounter("test.calls", call(kind, "OK")).totalValue == 3)
    let timer = try metrics.expectTimer("test.duration", call(kind, "OK") + [("error_code", "")])
    #expect(timer.values.count == 3 && timer.values.allSatisfy { $0 > 0 })
    #expect(metrics.counters(label: "test.errors").isEmpty)
  }

  @Test(arguments: Kind.allCases) func errorsAreCountedByWhatTheyAreAndNotByWhatTheySay(_ kind: Kind) async throws {
    let metrics = TestMetrics()
    let calls = Locked(0)
    try await withService(metrics) { _ in
      let number = calls.withLock { count in
        count += 1
        return count
      }
      throw ConnectionError.callRefused(endpoint: "endpoint \(number)", reason: "reason \(number)")
    } _: { channel async throws in
      for _ in 0..<2 { await #expect(throws: ConnectionError.self) { try await channel.call(kind) } }
    }
    let refused = ConnectionError.callRefused(endpoint: "", reason: "")
    let code = call(kind, refused.status.name)
    #expect(try metrics.expectCounter("test.calls", code).totalValue == 2)
    let error = [
      ("severity", refused.severity.description), ("domain", "taxon.dev"), ("error_code", "CALL_REFUSED"),
    ]
    #expect(try metrics.expectCounter("test.errors", code + error).totalValue == 2)
    #expect(try metrics.expectTimer("test.duration", code + [("error_code", "CALL_REFUSED")]).values.count == 2)
    let values = metrics.counters.flatMap(\.dimensions).map(\.1) + metrics.timers.flatMap(\.dimensions).map(\.1)
    #expect(!values.contains { $0.contains("endpoint") || $0.contains("reason") })
  }

  private struct Secret: Error { let password = "hunter2" }

  @Test func whatNobodyDeclaredIsAnInternalError() async throws {
    let metrics = TestMetrics()
    try await withService(metrics) { _ in
      throw Secret()
    } _: { channel async throws in
      await #expect(throws: ConnectionError.self) { try await channel.call(.unary) }
    }
    #expect(metrics.counterTotal(label: "test.errors") == 1)
    let dimensions = metrics.counters(label: "test.errors").flatMap(\.dimensions)
    #expect(dimensions.contains { $0 == ("error_code", "INTERNAL_ERROR") })
    #expect(dimensions.contains { $0 == ("code", "INTERNAL") })
  }

  @Test func whatADependencyAnsweredIsCountedAsWhatTheCallerGets() async throws {
    let metrics = TestMetrics()
    try await withService(metrics) { _ in
      throw RPCError(.alreadyExists, "a name that somebody else chose").fromCall()
    } _: { channel async throws in
      let error = await #expect(throws: ConnectionError.self) { try await channel.call(.unary) }
      #expect(error?.code == "INTERNAL_ERROR")
    }
    let dimensions = metrics.counters(label: "test.errors").flatMap(\.dimensions)
    #expect(dimensions.contains { $0 == ("error_code", "INTERNAL_ERROR") })
  }

  /// Says when handlers have ended, and with them the interceptors further in.
  private struct Ending: ServerInterceptor {
    let ended = Signal()
    let hasStarted = Locked(false)

    func intercept(_ call: ServerContext, next: () async throws -> Void) async throws {
      defer { if call.deadline != nil, hasStarted.withLock({ $0 }) { ended.send() } }
      try await next()
    }
  }

  @Test func aCallThatOutlivesItsDeadlineIsCountedAsThat() async throws {
    let metrics = TestMetrics()
    let ending = Ending()
    let interceptors: [any ServerInterceptor] = [ending, MetricsInterceptor(prefix: "test", factory: metrics)]
    let hasStarted = ending.hasStarted
    let text = TextService { text, context in
      guard context.deadline != nil else { return text }
      hasStarted.withLock { $0 = true }
      // By the deadline alone: the caller does not give up.
      await untilCancelled()
      throw CancellationError()
    }
    try await withChannel(to: [text], configure: { $0.interceptors = interceptors }) { channel, server async throws in
      #expect(try await channel.text("quick") == "quick")
      let client = try await WireClient.connect(.port(server.port ?? 0))
      // On a busy machine a deadline may pass before the handler begins, and such a call is not counted.
      var timeout = Duration.milliseconds(50)
      repeat {
        #expect(try await client.call(timeout: timeout).status == "4")
        timeout *= 2
      } while !hasStarted.withLock { $0 }
      await ending.ended.wait()
      await client.close()
    }
    let codes = metrics.counters(label: "test.calls").flatMap(\.dimensions).filter { $0.0 == "code" }.map(\.1)
    #expect(codes.sorted() == ["DEADLINE_EXCEEDED", "OK"])
  }
}
