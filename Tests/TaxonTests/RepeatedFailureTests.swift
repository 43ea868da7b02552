// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Taxon
import TaxonFixtures
import Testing

@testable import TaxonServer

/// Failures that repeat, in the log.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct RepeatedFailureTests {
  private func at(_ milliseconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .milliseconds(milliseconds) }

  private func admits<Kind>(_ lines: inout RepeatedLines<Kind>, _ kind: Kind, now: NIODeadline) -> Bool {
    lines.admit(kind, now: now)
  }

  @Test func theFirstOfAKindIsWrittenAndTheOthersAreSummedUpOnceASecond() {
    var lines = RepeatedLines<String>()
    #expect(admits(&lines, "a", now: at(0)) == true)
    #expect(!lines.hasCounted)
    #expect(admits(&lines, "a", now: at(1)) == false)
    #expect(admits(&lines, "a", now: at(999)) == false)
    #expect(admits(&lines, "b", now: at(999)) == true)
    var sums = lines.takeSums(now: at(999))
    #expect(sums.isEmpty)
    // A line that comes before the sum is written counts for it.
    #expect(admits(&lines, "a", now: at(1000)) == false)
    sums = lines.takeSums(now: at(1000))
    #expect(sums.map { "\($0.kind ?? "") \($0.count)" } == ["a 3"])
    #expect(!lines.hasCounted)
    #expect(admits(&lines, "a", now: at(1999)) == false)
    sums = lines.takeSums(now: at(2000))
    #expect(sums.map(\.count) == [1])
    // Silence for a second makes the next one the first again.
    #expect(admits(&lines, "a", now: at(3000)) == true)
  }

  @Test func kindsBeyondABoundAreOneKind() {
    var lines = RepeatedLines<Int>()
    for kind in 0..<RepeatedLines<Int>.maxKinds { #expect(admits(&lines, kind, now: at(0)) == true) }
    for kind in 1000..<2000 { #expect(admits(&lines, kind, now: at(500)) == false) }
    let sums = lines.takeSums(now: at(1500))
    #expect(sums.map(\.kind) == [nil])
    #expect(sums.map(\.count) == [1000])
    #expect(admits(&lines, 2000, now: at(1500)) == true)
  }

  @Test func callsThatAllFailCostTheLogTwoLines() async throws {
    let log = LogRecorder()
    let server = try await makeServer([TextService { text, _ in text }], logger: log.logger)
    let client = try await WireClient.connect(.port(server.port ?? 0))
    for _ in 0..<200 { #expect(try await client.call("/test.Text/Nothing").status == "12") }
    await client.close()
    await server.shutDown()
    let failures = log.lines.filter { $0.metadata["error.code"] != nil }
    let sums = failures.filter { $0.metadata["not_logged"] != nil }
    let whole = failures.filter { $0.metadata["not_logged"] == nil }
    // One a second, and the calls should take no more.
    #expect((1...20).contains(whole.count))
    #expect(whole.allSatisfy { $0.metadata["rpc.path"] == "/test.Text/Nothing" })
    #expect(sums.allSatisfy { $0.message == "more calls failed like that" && $0.level == whole.first?.level })
    #expect(sums.compactMap { $0.metadata["not_logged"].flatMap { Int($0) } }.reduce(0, +) == 200 - whole.count)
  }
}
