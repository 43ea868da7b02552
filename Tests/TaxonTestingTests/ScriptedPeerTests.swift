// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon
import TaxonFixtures
import TaxonTesting
import Testing

@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct ScriptedPeerTests {
  private func taskID(_ peer: ScriptedPeer) async throws -> String {
    let channel = try watched(Channel(peer.target, configuration: quietly()))
    defer { channel.shutDown() }
    return try await Orchestrator.Client(channel).getTask(.init(taskID: "1")).taskID
  }

  @Test func itAnswersACall() async throws {
    let peer = try await ScriptedPeer { connection in
      let head = try await connection.expect(.headers)
      let body = try await connection.expect(.data, stream: head.stream)
      guard body.endsStream else { throw ScriptedFailure() }
      connection.send(
        .answer(head.stream), try .message(head.stream, TaskRecord(taskID: "scripted")), .trailers(head.stream))
    }
    #expect(try await taskID(peer) == "scripted")
    await peer.close()
    #expect(peer.failures.isEmpty)
    #expect(peer.connections == 1)
  }

  @Test func itFailsACall() async throws {
    let peer = try await ScriptedPeer { connection in
      let head = try await connection.expect(.headers)
      connection.send(.trailersOnly(head.stream, .alreadyExists, [("grpc-message", "there it is")]))
    }
    let error = await #expect(throws: Orchestrator.GetTaskError.self) { try await taskID(peer) }
    #expect(error?.status == .alreadyExists)
    #expect(error?.message == "there it is")
    await peer.close()
  }

  @Test func whatItDidNotExpectIsAFailure() async throws {
    let hasEnded = Signal()
    let peer = try await ScriptedPeer { connection in
      defer { hasEnded.send() }
      try await connection.expect(.reset)
    }
    let call = Task { try await taskID(peer) }
    await hasEnded.wait()
    await peer.close()
    await #expect(throws: (any Error).self) { try await call.value }
    #expect(peer.failures.count == 1)
    #expect("\(peer.failures[0])".hasPrefix("expected reset, and HEADERS, stream 1"))
  }

  @Test func aClientThatGoesAwayIsAFailureToo() async throws {
    let peer = try await ScriptedPeer { connection in
      try await connection.expect(.headers)
      connection.close()
      while true { _ = try await connection.next() }
    }
    await #expect(throws: (any Error).self) { try await taskID(peer) }
    await peer.close()
    #expect(peer.failures.map { "\($0)" } == ["the client closed the connection"])
  }

  @Test func framesAreThoseOfHTTP2() {
    #expect(HTTP2Frame.settings().bytes == [0, 0, 0, 4, 0, 0, 0, 0, 0])
    #expect(HTTP2Frame.settings((3, 100)).bytes == [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100])
    #expect(HTTP2Frame.reset(1, code: 8).bytes == [0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 8])
    #expect(
      HTTP2Frame.headers(1, [("a", "b")], endStream: true).bytes == [0, 0, 5, 1, 5, 0, 0, 0, 1, 0x10, 1, 97, 1, 98])
    #expect(HTTP2Frame.goAway(lastStream: 3, code: 2, "x").payload == [0, 0, 0, 3, 0, 0, 0, 2, 120])
  }

  private struct ScriptedFailure: Error {}
}
