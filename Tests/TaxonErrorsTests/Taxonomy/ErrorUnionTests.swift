// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import Testing

@Suite struct ErrorUnionTests {
  let notFound = ValidationError.TaskNotFound(taskID: "42")
  let database = SystemError.DatabaseError(operation: "query", error: "disk full")

  @Test func isCaughtByItsCaseWithItsFields() {
    func getTask() throws(GetTaskError) { throw .taskNotFound(taskID: "42") }
    do throws(GetTaskError) {
      try getTask()
      Issue.record("nothing was thrown")
    } catch .taskNotFound(let error) {
      #expect(error.taskID == "42")
    } catch {
      Issue.record("another case: \(error)")
    }
  }

  @Test func answersWhateverTheErrorInItAnswers() {
    let union = OctoLLMError.resource(.rateLimit(limit: 3, window: 60))
    let error = ResourceError.RateLimitError(limit: 3, window: 60)
    #expect(union.identity == error.identity)
    #expect(union.status == .resourceExhausted)
    #expect(union.message == error.message)
    #expect(union.httpStatus == 429)
    #expect(union.severity == .warning)
    #expect(union.retry == .throttled)
    #expect(union.breaker == .neutral)
    #expect(union.isRetrySafe)
    #expect(union.retryAfter == .seconds(5))
    #expect(union.categories == ["ResourceError"])
    #expect(union.metadata == ["limit": "3", "window": "60"])
    #expect(union.description == error.description)
  }

  @Test func changesTheErrorInItFluently() {
    let error = GetTaskError.taskNotFound(taskID: "42").retryAfter(.seconds(3)).caused(by: database)
    guard case .taskNotFound(let inner) = error else { return #expect(Bool(false), "another case") }
    #expect(inner.retryAfter == .seconds(3))
    #expect(error.causes == [database.identity])
    let other = GetTaskError.other(RPCError(.aborted)).retryAfter(.seconds(2))
    #expect(other.retryAfter == .seconds(2))
  }

  @Test func liftsItsOwnCasesAndMembers() {
    #expect(GetTaskError.lift(GetTaskError.taskNotFound(notFound)) == .taskNotFound(notFound))
    #expect(GetTaskError.lift(notFound) == .taskNotFound(notFound))
  }

  @Test func liftsMembersOutOfOtherUnions() {
    #expect(GetTaskError.lift(ValidationError.taskNotFound(notFound)) == .taskNotFound(notFound))
    #expect(GetTaskError.lift(OctoLLMError.system(.database(database))) == .database(database))
    #expect(GetTaskError.lift(RPCError(notFound)) == .taskNotFound(notFound))
    #expect(OctoLLMError.lift(GetTaskError.database(database)) == .system(.database(database)))
  }

  @Test func liftsAKnownErrorThatIsNoMemberAsOther() {
    let error = GetTaskError.lift(ResourceError.ArmUnavailable(requiredCapabilities: ["vision"]))
    guard case .other(let undeclared) = error else { return #expect(Bool(false), "another case") }
    #expect(undeclared.code == "ARM_UNAVAILABLE")
    #expect(undeclared.isRetrySafe)
    #expect(error.as(ResourceError.ArmUnavailable.self)?.requiredCapabilities == ["vision"])
  }

  @Test func liftsAForeignErrorByItsConversionAndKeepsItAsTheCause() {
    let error = GetTaskError.lift(StorageFailure(text: "locked"))
    guard case .database(let database) = error else { return #expect(Bool(false), "another case") }
    #expect(database.error == "locked")
    #expect(database.cause is StorageFailure)
  }

  @Test func liftsACancellationAsCancelled() {
    let error = GetTaskError.lift(CancellationError())
    #expect(error.status == .cancelled)
    #expect(error.breaker == .neutral)
    #expect(error.retry == .never)
  }

  @Test func liftsAnythingElseAsAnInternalErrorThatKeepsItLocally() {
    let error = GetTaskError.lift(ForeignError())
    #expect(error.identity == CallError.InternalError.declaration.identity)
    #expect(error.cause is ForeignError)
    #expect(error.as(CallError.InternalError.self) != nil)
    #expect(!error.message.contains("hunter2"))
  }

  @Test func keepsTheContextWhenItLifts() {
    let error = GetTaskError.lift(RPCError(notFound).retryAfter(.seconds(7)).caused(by: ForeignError()))
    #expect(error == .taskNotFound(notFound))
    #expect(error.retryAfter == .seconds(7))
    #expect(error.cause is ForeignError)
  }

  @Test func catchesWhatCodeThrowsAndReturnsWhatItReturns() throws {
    #expect(try GetTaskError.catching { 42 } == 42)
    #expect(throws: GetTaskError.taskNotFound(notFound)) { try GetTaskError.catching { throw notFound } }
  }

  @Test func catchesWhatAsynchronousCodeThrows() async throws {
    func load(_ fails: Bool) async throws -> Int {
      await Task.yield()
      if fails { throw database }
      return 42
    }
    #expect(try await GetTaskError.catching { try await load(false) } == 42)
    do throws(GetTaskError) {
      _ = try await GetTaskError.catching { try await load(true) }
      Issue.record("nothing was thrown")
    } catch {
      #expect(error == .database(database))
    }
  }

  @Test @MainActor func catchesOnTheActorItIsCalledOn() async throws {
    await #expect(throws: Never.self) {
      try await GetTaskError.catching {
        MainActor.assertIsolated()
        await Task.yield()
      }
    }
  }

  @Test func listsItsMembersNestedOnesToo() {
    #expect(OctoLLMError.members.map { $0.declaration.code }.contains("TASK_NOT_FOUND"))
    #expect(OctoLLMError.members.count == 8)
  }

  @Test func losesNoContextWhereItDoesNotTakeBackWhatItWraps() {
    let error = Stubborn.declared(notFound).retryAfter(.seconds(3)).caused(by: ForeignError())
    #expect(error.code == "TASK_NOT_FOUND")
    #expect(error.retryAfter == .seconds(3))
    #expect(error.cause is ForeignError)
  }

  @Test func opensATypeThatFollowsTheTaxonomyWithoutASchema() {
    let error = GetTaskError.lift(HandMade())
    guard case .other(let undeclared) = error else { return #expect(Bool(false), "another case") }
    #expect(undeclared.identity == ErrorIdentity(domain: "hand.made", code: "HAND_MADE"))
    #expect(undeclared.retry == .transient)
    #expect(undeclared.retryAfter == .seconds(1))
  }
}

/// A union made by hand that does not know its own member.
private enum Stubborn: ErrorUnion {
  case declared(ValidationError.TaskNotFound)
  case other(RPCError)

  static var members: [any DeclaredError.Type] { [] }
  init?(_ error: any TaxonomyError) {
    guard let error = error as? RPCError else { return nil }
    self = .other(error)
  }
  var wrapped: any TaxonomyError {
    switch self {
    case .declared(let error): error
    case .other(let error): error
    }
  }
}

private struct HandMade: TaxonomyError {
  var domain: String { "hand.made" }
  var code: String { "HAND_MADE" }
  var status: StatusCode { .unavailable }
  var message: String { "made by hand" }
  var httpStatus: Int { 503 }
  var severity: Severity { .error }
  var retry: RetryClass { .transient }
  var breaker: BreakerClass { .failure }
  var isRetrySafe: Bool { false }
  var retryAfter: Duration? { .seconds(1) }
  var categories: [String] { [] }
  var metadata: [String: String] { [:] }
  var violations: [Google_Rpc_BadRequest.FieldViolation] { [] }
  var context = ErrorContext()
}
