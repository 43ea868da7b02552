// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import Testing

@testable import TaxonClient

@Suite struct ResponseHeadTests {
  private let head = ResponseHead<RPCError>()

  @Test func whoAsksBeforeTheHeadGetsItAndCommitsTheCall() async throws {
    async let first = head.metadata()
    async let second = head.metadata()
    await Task.yield()
    head.receive(["x": "1"])
    #expect(try await [first, second] == [["x": "1"], ["x": "1"]])
    #expect(!head.mayRepeat())
    head.receive(["x": "2"])
    #expect(try await head.metadata() == ["x": "1"])
  }

  @Test func aHeadThatNobodyKnowsMayBeFollowedByAnother() async throws {
    head.receive(["x": "1"])
    #expect(head.mayRepeat())
    head.receive(["x": "2"])
    #expect(try await head.metadata() == ["x": "2"])
  }

  @Test func anEndWithoutAHeadIsTheErrorAndAnEndBehindOneKeepsIt() async throws {
    head.end(RPCError(.aborted), initial: [:], trailing: ["y": "1"])
    await #expect(throws: RPCError(.aborted)) { try await head.metadata() }
    #expect(head.trailing == ["y": "1"])
    let other = ResponseHead<RPCError>()
    #expect(other.trailing == nil)
    other.receive(["x": "1"])
    other.end(RPCError(.aborted), initial: ["x": "1"], trailing: [:])
    #expect(try await other.metadata() == ["x": "1"])
  }

  @Test func aTaskThatIsCancelledWaitsNoLonger() async throws {
    let waiting = Task { try await head.metadata() }
    await Task.yield()
    waiting.cancel()
    let result = await waiting.result
    #expect(throws: RPCError.cancelled) { try result.get() }
  }
}
