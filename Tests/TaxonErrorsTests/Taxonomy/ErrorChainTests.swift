// SPDX-License-Identifier: Apache-2.0
import Synchronization
import TaxonErrors
import Testing

@Suite struct ErrorChainTests {
  /// A wrapper as an app may have.
  private struct Wrapper: ErrorWithCause {
    var cause: (any Error)?
  }

  private final class Circle: ErrorWithCause, Sendable {
    var cause: (any Error)? { self }
  }

  private let database = SystemError.DatabaseError(operation: "query", error: "disk", cause: ForeignError())

  @Test func goesThroughTaxonomyErrorsAndWrappers() {
    let model = ExternalError.LLMAPIError(
      provider: "acme", cause: Wrapper(cause: OctoLLMError.system(.database(database))))
    let types = ErrorChain(model).map { String(describing: type(of: $0)) }
    #expect(types == ["LLMAPIError", "Wrapper", "OctoLLMError", "ForeignError"])
    #expect(model.cause(as: ForeignError.self) != nil)
    #expect(model.cause(as: SystemError.DatabaseError.self)?.operation == "query")
    #expect(model.cause(as: OctoLLMError.self) != nil)
    #expect(model.cause(as: ExternalError.LLMAPIError.self) == nil)
  }

  @Test func aWrapperDoesNotHideTheIdentitiesBehindIt() {
    let model = ExternalError.LLMAPIError(provider: "acme", cause: Wrapper(cause: Wrapper(cause: database)))
    #expect(model.causes == [database.identity])
    #expect(ExternalError.LLMAPIError(provider: "acme", cause: Wrapper(cause: ForeignError())).causes.isEmpty)
  }

  /// A wrapper whose error has it for a cause.
  private final class Lasso: ErrorWithCause, Sendable {
    private let held = Mutex<(any Error)?>(nil)
    var cause: (any Error)? { held.withLock { $0 } }
    func hold(_ error: (any Error)?) { held.withLock { $0 = error } }
  }

  @Test func endsThoughAnErrorIsItsOwnCause() {
    let lasso = Lasso()
    let error = database.caused(by: lasso)
    lasso.hold(error)
    // A circle of references would stay.
    defer { lasso.hold(nil) }
    #expect(error.causes == [ErrorIdentity](repeating: database.identity, count: 16))
    #expect(!WireStatus(error).details.isEmpty)
    #expect(!ErrorLogEntry(error).metadata.isEmpty)
  }

  @Test func whatStandsForAnUndeclaredErrorSendsNothingOfWhatLedToIt() throws {
    struct Hiding: ErrorWithCause { var cause: (any Error)? }
    let here = try #require(try Decoded(WireStatus(Hiding(cause: database))).traits)
    #expect(here.causes.isEmpty)
    #expect(GetTaskError.lift(Hiding(cause: database)).causes == [database.identity])
    let called = try #require(try Decoded(WireStatus(Hiding(cause: RPCError(database).fromCall()))).traits)
    #expect(called.causes.map(\.code) == ["DATABASE_ERROR"])
  }

  @Test func endsThoughACauseLeadsBackToItself() {
    #expect(ErrorChain(Circle()).reduce(0) { count, _ in count + 1 } == 100)
    let error = database.caused(by: Circle())
    #expect(error.causes.isEmpty)
    #expect(error.cause(as: ForeignError.self) == nil)
    #expect(ErrorLogEntry(error).foreignCause is Circle)
  }
}
