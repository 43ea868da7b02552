// SPDX-License-Identifier: Apache-2.0
import Foundation
import OctoLLM
import Taxon
import TaxonFixtures
import TaxonTesting
import Testing

@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct CoverageTests {
  @Test func whatNoCallerGotIsMissing() async throws {
    let coverage = ErrorCoverage(of: Orchestrator.Fake())
    #expect(coverage.report.missing.count == coverage.report.entries.count)
    for fault in Orchestrator.Methods.getTask.faults.dropFirst() {
      let service = Orchestrator.Fake().failing(with: fault)
      try await withChannel(to: [service], client: quietly { $0.interceptors = [coverage] }) { channel, _ in
        await #expect(throws: Orchestrator.GetTaskError.self) {
          try await Orchestrator.Client(channel).getTask(.init(taskID: "1"))
        }
      }
    }
    let report = coverage.report
    let ofGetTask = report.missing.filter { $0.method == "octollm.v1.Orchestrator/GetTask" }
    #expect(ofGetTask.map(\.error.code) == ["TASK_NOT_FOUND"])
    #expect(report.description.contains("octollm.v1.Orchestrator/GetTask: no test caught TASK_NOT_FOUND"))
    #expect(report.description.hasPrefix("2 of "))
    coverage.record(.taskNotFound(taskID: "1"), of: Orchestrator.Methods.getTask)
    #expect(coverage.report.missing.count == report.missing.count - 1)
  }

  @Test func processesMayWriteIntoOneFile() throws {
    let error = ErrorIdentity(domain: "a.dev", code: "GONE")
    let first = CoverageReport([
      .init(method: "a.B/C", error: error, count: 0), .init(method: "a.B/D", error: error, count: 2),
    ])
    let second = CoverageReport([.init(method: "a.B/C", error: error, count: 1)])
    let path = NSTemporaryDirectory() + "coverage-\(UUID()).tsv"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try first.append(to: path)
    try second.append(to: path)
    let merged = try CoverageReport(contentsOf: path)
    #expect(merged == first.merged(with: second))
    #expect(merged.entries.map(\.count) == [1, 2])
    #expect(merged.isComplete)
  }

  @Test func aFileThatIsNoReportIsRefused() throws {
    let path = NSTemporaryDirectory() + "coverage-\(UUID()).tsv"
    #expect(throws: SetupError.self) { try CoverageReport(contentsOf: path) }
    try "a.B/C\ta.dev/GONE\t1\nwhat\n".write(toFile: path, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let error = #expect(throws: SetupError.self) { try CoverageReport(contentsOf: path) }
    #expect(error?.message.contains("line 2 is not one of a report") == true)
  }
}
