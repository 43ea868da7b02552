// SPDX-License-Identifier: Apache-2.0
import Metrics
import MetricsTestKit
import OctoLLM
import Taxon
import TaxonFixtures
import Testing

/// What the metrics say of OctoLLM's errors.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct ErrorMetricsTests {
  @Test func everyErrorIsCountedByItsCodeAndNoFieldIsInTheMetrics() async throws {
    let metrics = TestMetrics()
    try await withChannel(to: [RehearsalService()]) {
      $0.interceptors = [MetricsInterceptor(prefix: "octollm", factory: metrics)]
    } test: { channel, _ in
      for sample in SampleErrors.all {
        await #expect(throws: Rehearsal.RaiseError.self) {
          try await Rehearsal.Client(channel).raise(.init(domain: sample.domain, code: sample.code))
        }
      }
    }

    let method = [("service", Rehearsal.name), ("method", "Raise")]
    for sample in SampleErrors.all {
      let code = method + [("code", sample.status.name)]
      let error = [
        ("severity", sample.severity.description), ("domain", sample.domain), ("error_code", sample.code),
      ]
      #expect(try metrics.expectCounter("octollm.errors", code + error).totalValue == 1)
    }
    #expect(metrics.counterTotal(label: "octollm.errors") == Int64(SampleErrors.all.count))
    #expect(metrics.counterTotal(label: "octollm.calls") == Int64(SampleErrors.all.count))

    // Every value is one of what the schema itself says.
    let known = Set(
      SampleErrors.all.flatMap { [$0.domain, $0.code, $0.status.name, $0.severity.description] }
        + method.map(\.1))
    let dimensions = metrics.counters.flatMap(\.dimensions) + metrics.timers.flatMap(\.dimensions)
    #expect(dimensions.allSatisfy { known.contains($0.1) })
  }
}
