// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonFixtures
import Testing

/// The id of a request, from the header that the server names.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct RequestIDTests {
  /// What the handler of a failing call sees, what the caller gets, and what the log says.
  private func ids(
    _ kind: Kind, _ id: String, header: String? = "x-request-id"
  ) async throws -> (seen: String?, sent: String?, logged: String?) {
    let seen = Locked<String?>(nil)
    let service = KindsService { context in
      seen.withLock { $0 = context.requestID }
      throw ConnectionError.CallRefused(endpoint: "here", reason: "full")
    }
    let log = LogRecorder()
    let server = try await makeServer([service], logger: log.logger) { $0.calls.requestIDHeader = header }
    let channel = try watched(Channel("ipv4:127.0.0.1:\(server.port ?? 0)", policy: .none, logger: quiet))
    var options = CallOptions()
    options.metadata.add("x-request-id", id)
    let thrown = await #expect(throws: ConnectionError.self) { try await channel.call(kind, options: options) }
    channel.shutDown()
    await server.shutDown()
    let line = log.lines.first { $0.metadata["error.code"] == "CALL_REFUSED" }
    return (seen.withLock { $0 }, thrown?.details.requestInfo?.requestID, line?.metadata["rpc.request_id"])
  }

  @Test(arguments: Kind.allCases) func itIsInTheContextTheErrorAndTheLog(_ kind: Kind) async throws {
    let ids = try await ids(kind, "4bf92f35-77b3")
    #expect(ids.seen == "4bf92f35-77b3" && ids.sent == "4bf92f35-77b3" && ids.logged == "4bf92f35-77b3")
  }

  @Test func withoutTheSettingThereIsNone() async throws {
    let ids = try await ids(.unary, "1", header: nil)
    #expect(ids.seen == nil && ids.sent == nil && ids.logged == nil)
  }

  @Test(arguments: [String(repeating: "x", count: 129), "two words"])
  func whatIsTooLongOrHasSpacesIsNone(id: String) async throws {
    let ids = try await ids(.unary, id)
    #expect(ids.seen == nil && ids.sent == nil && ids.logged == nil)
  }

  @Test(arguments: ["", "X-Request-Id", "content-type", "grpc-id", "id-bin", "two words"])
  func aHeaderThatNoRequestHasIsRefused(name: String) async throws {
    await #expect(throws: SetupError.self) {
      try await makeServer([KindsService()]) { $0.calls.requestIDHeader = name }
    }
  }
}
