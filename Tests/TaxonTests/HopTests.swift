// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonFixtures
import Testing

/// What becomes of an error that a handler's own call brought: what the handler's method declares passes, all else is this
/// service's own.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct HopTests {
  /// The error that a client gets of a service whose handler calls another one.
  private func failure(
    behind handler: @escaping @Sendable (Channel) async throws -> String, logger log: LogRecorder = LogRecorder(),
    _ body: @escaping @Sendable () throws -> String
  ) async throws -> ConnectionError {
    let behind = try await makeServer { _, _ in try body() }
    let inner = try watched(Channel("ipv4:127.0.0.1:\(behind.port ?? 0)", policy: .none, logger: quiet))
    let front = try await makeServer([TextService { _, _ in try await handler(inner) }], logger: log.logger) {
      $0.gracePeriod = .seconds(5)
    }
    let outer = try watched(Channel("ipv4:127.0.0.1:\(front.port ?? 0)", policy: .none, logger: quiet))
    let error = await outer.failure()
    outer.shutDown()
    await front.shutDown()
    inner.shutDown()
    await behind.shutDown()
    return try #require(error)
  }

  private static let refused = ConnectionError.CallRefused(endpoint: "stock", reason: "full", retryAfter: .seconds(7))
  /// Transient where it was raised, and not of the methods here.
  private static let overloaded = CallError.ServerOverloaded(retryAfter: .seconds(7))

  @Test func whatTheMethodDeclaresPassesWithItsFields() async throws {
    let error = try await failure(behind: { try await $0.text("x") }) {
      throw Self.refused.with(Google_Rpc_RequestInfo(requestID: "of the service behind"))
    }
    #expect(error.as(ConnectionError.CallRefused.self) == Self.refused)
    #expect(error.retry == Self.refused.retry && error.isRetrySafe)
    #expect(error.details.requestInfo == nil)
  }

  @Test func whatItDoesNotDeclareIsThisServicesOwnWithTheChain() async throws {
    let log = LogRecorder()
    let error = try await failure(behind: { try await $0.text("x") }, logger: log) { throw Self.overloaded }
    #expect(error.code == "INTERNAL_ERROR" && error.status == .internalError)
    #expect(error.retry == .never && error.retryAfter == nil && !error.isRetrySafe)
    #expect(error.causes == [Self.overloaded.identity])
    let line = try #require(log.lines.first { $0.metadata["error.instance_id"] == error.instanceID })
    #expect(line.metadata["error.undeclared"] == "taxon.dev/SERVER_OVERLOADED")
  }

  @Test func aServiceThatIsNotThereIsThisServicesOwnFailure() async throws {
    let nobody = try watched(Channel("ipv4:127.0.0.1:1", policy: .none, logger: quiet))
    let error = try await failure(behind: { _ in
      do throws(ConnectionError) {
        return try await nobody.text("x")
      } catch {
        // As a method that declares none of this has it.
        throw TaxonError.lift(RPCError(.unavailable, error.message).caused(by: error).fromCall())
      }
    }) { "" }
    nobody.shutDown()
    #expect(error.code == "INTERNAL_ERROR" && error.retry == .never)
    #expect(error.causes.map(\.code) == ["UNAVAILABLE", "ENDPOINT_UNREACHABLE"])
  }

  @Test func aMappingDecidesWhatADependencysFailureMeansAndSaysWhatWasBeingDone() async throws {
    let log = LogRecorder()
    let error = try await failure(
      behind: { channel in
        try await ConnectionError.catching(context: "asking for the stock") {
          try await channel.text("x")
        } mapping: { failure in
          .connectionLost(endpoint: "stock", error: "\((failure as? any TaxonomyError)?.code ?? "")")
        }
      }, logger: log
    ) { throw Self.overloaded }
    guard case .connectionLost(let lost) = error else { return #expect(Bool(false), "another case: \(error)") }
    #expect(lost.error == "SERVER_OVERLOADED")
    #expect(error.retry == .transient && error.causes == [Self.overloaded.identity] && error.retryAfter == nil)
    let line = try #require(log.lines.first { $0.metadata["error.instance_id"] == error.instanceID })
    #expect(line.metadata["error.context"] == "asking for the stock")
    #expect(line.metadata["error.cause"]?.hasPrefix("taxon.dev/SERVER_OVERLOADED") == true)
  }

  @Test func whatWasBeingDoneIsInTheLogOfAnErrorThatIsNotDeclared() async throws {
    struct Unforeseen: Error {}
    let log = LogRecorder()
    let error = try await failure(
      behind: { _ in try withErrorContext("counting") { throw Unforeseen() } }, logger: log
    ) { "" }
    #expect(error.code == "INTERNAL_ERROR")
    let line = try #require(log.lines.first { $0.metadata["error.instance_id"] == error.instanceID })
    #expect(line.metadata["error.context"] == "counting")
    #expect(line.metadata["error.undeclared"]?.hasSuffix("Unforeseen") == true)
  }
}
