// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import Testing

@Suite struct ErrorContextsTests {
  private let notFound = ValidationError.TaskNotFound(taskID: "42")

  @Test func anErrorSaysWhatWasBeingDoneOutermostFirst() {
    let error = notFound.context("loading task 42").context("executing task 42")
    #expect(error == notFound)
    #expect(error.contexts == ["executing task 42", "loading task 42"])
    #expect(notFound.contexts.isEmpty)
    #expect(GetTaskError.taskNotFound(error).contexts == error.contexts)
    #expect(OctoLLMError.lift(GetTaskError.taskNotFound(error)).contexts == error.contexts)
  }

  @Test func typedErrorsKeepTheirTypes() async throws {
    func read() throws(ValidationError) -> Int { throw .taskNotFound(taskID: "42") }
    func load() async throws(ValidationError) -> Int { throw .taskNotFound(taskID: "42") }
    do throws(ValidationError) {
      _ = try withErrorContext("reading", read)
      Issue.record("nothing was thrown")
    } catch {
      #expect(error.contexts == ["reading"])
    }
    do throws(ValidationError) {
      _ = try await withErrorContext("loading") { () async throws(ValidationError) in try await load() }
      Issue.record("nothing was thrown")
    } catch {
      #expect(error.contexts == ["loading"])
    }
  }

  @Test func taxonomyErrorsKeepTheirTypesWhereTheCompilerDoesNotKnowThem() async throws {
    let found = #expect(throws: ValidationError.TaskNotFound.self) { try withErrorContext("a") { throw notFound } }
    #expect(found?.contexts == ["a"])
    let loaded = await #expect(throws: GetTaskError.self) {
      try await withErrorContext("b") {
        await Task.yield()
        throw GetTaskError.taskNotFound(notFound)
      }
    }
    #expect(loaded?.contexts == ["b"])
  }

  @Test func aForeignErrorIsInAContextError() throws {
    let error = try #require(
      #expect(throws: ContextError.self) {
        try withErrorContext("executing") { try withErrorContext("loading") { throw ForeignError() } }
      })
    #expect(error.contexts == ["executing", "loading"])
    #expect(error.underlying is ForeignError)
    #expect(error.cause(as: ForeignError.self) != nil)
    #expect(error.description == "executing: loading: secret: password=hunter2")
  }

  @Test func aCancellationStaysOne() {
    #expect(throws: CancellationError.self) { try withErrorContext("loading") { throw CancellationError() } }
  }

  @Test func aContextIsMadeOnlyForAnError() throws {
    var made = 0
    func text() -> String {
      made += 1
      return "loading"
    }
    #expect(try withErrorContext(text()) { 1 } == 1)
    #expect(try GetTaskError.catching(context: text()) { 2 } == 2)
    #expect(made == 0)
  }

  @Test func liftingTakesTheErrorInAContextErrorForWhatItIs() {
    func lifted(_ error: any Error) -> GetTaskError { .lift(ContextError(error, contexts: ["executing", "loading"])) }
    #expect(lifted(StorageFailure(text: "locked")).as(SystemError.DatabaseError.self)?.error == "locked")
    #expect(lifted(StorageFailure(text: "locked")).cause is StorageFailure)
    #expect(lifted(notFound) == .taskNotFound(notFound))
    #expect(lifted(CancellationError()).status == .cancelled)
    #expect(lifted(ForeignError()).as(CallError.InternalError.self) != nil)
    #expect(lifted(ForeignError()).cause is ForeignError)
    for error: any Error in [StorageFailure(text: ""), notFound, CancellationError(), ForeignError()] {
      #expect(lifted(error).contexts == ["executing", "loading"])
    }
  }

  @Test func contextsAreNotSent() throws {
    let error = ValidationError.TaskNotFound(taskID: "42", cause: notFound.context("hidden")).context("hidden")
    let other = GetTaskError.other(RPCError(.aborted, "no").context("hidden"))
    for status in [WireStatus(error), WireStatus(other), WireStatus(ContextError(error, contexts: ["hidden"]))] {
      #expect(!String(decoding: status.details, as: UTF8.self).contains("hidden"))
      #expect(!status.message.contains("hidden"))
    }
    #expect(!error.description.contains("hidden"))
  }
}
