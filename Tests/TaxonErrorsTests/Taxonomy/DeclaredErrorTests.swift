// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import Testing

@Suite struct DeclaredErrorTests {
  let notFound = ValidationError.TaskNotFound(taskID: "42")

  @Test func answersWhatItsSchemaDeclares() {
    #expect(notFound.domain == "octollm.dev")
    #expect(notFound.code == "TASK_NOT_FOUND")
    #expect(notFound.identity.description == "octollm.dev/TASK_NOT_FOUND")
    #expect(notFound.status == .notFound)
    #expect(notFound.httpStatus == 404)
    #expect(notFound.severity == .warning)
    #expect(notFound.retry == .never)
    #expect(notFound.breaker == .neutral)
    #expect(!notFound.isRetrySafe)
    #expect(notFound.categories == ["ValidationError"])
    #expect(notFound.message == "Task 42 not found")
    #expect(notFound.metadata == ["task_id": "42"])
  }

  @Test func saysHowLongToWaitFromTheThrowerElseFromTheSchema() {
    let limit = ResourceError.RateLimitError(limit: 10, window: 60)
    #expect(limit.retryAfter == .seconds(5))
    #expect(limit.retryAfter(.seconds(30)).retryAfter == .seconds(30))
    #expect(ResourceError.RateLimitError(limit: 10, window: 60, retryAfter: .seconds(9)).retryAfter == .seconds(9))
    #expect(notFound.retryAfter == nil)
  }

  @Test func changesACopyFluently() {
    let error = notFound.retryAfter(.seconds(3)).caused(by: ForeignError())
      .with(Google_Rpc_RequestInfo(requestID: "r-1")).with(Google_Rpc_RequestInfo(requestID: "r-2"))
    #expect(error.retryAfter == .seconds(3))
    #expect(error.cause is ForeignError)
    #expect(error.details.requestInfo?.requestID == "r-1")
    #expect(error.details.all(Google_Rpc_RequestInfo.self).map(\.requestID) == ["r-1", "r-2"])
    var details = error.details
    details.requestInfo = Google_Rpc_RequestInfo(requestID: "r-3")
    #expect(details.all(Google_Rpc_RequestInfo.self).map(\.requestID) == ["r-3"])
    #expect(notFound.cause == nil)
  }

  @Test func isTheSameErrorWhateverItsContext() {
    #expect(notFound == notFound.caused(by: ForeignError()).retryAfter(.seconds(1)))
    #expect(Set([notFound, notFound.retryAfter(.seconds(1))]).count == 1)
    #expect(notFound != ValidationError.TaskNotFound(taskID: "43"))
  }

  @Test func keepsAContextInOneWord() {
    #expect(MemoryLayout<ErrorContext>.size == MemoryLayout<Int>.size)
    #expect(MemoryLayout<ErrorContext?>.size <= MemoryLayout<Int>.size * 2)
  }

  @Test func namesItsCausesWithoutTheirFields() {
    let database = SystemError.DatabaseError(operation: "query", error: "disk", cause: ForeignError())
    let model = ExternalError.LLMAPIError(provider: "acme", cause: OctoLLMError.system(.database(database)))
    let error = notFound.caused(by: model)
    #expect(error.causes.map(\.code) == ["LLM_API_ERROR", "DATABASE_ERROR"])
    #expect(database.causes.isEmpty)
  }

  @Test func keepsTheCausesItCameWithWhenItGetsOneHere() {
    var error = notFound
    error.context.causes = [ErrorIdentity(domain: "a.dev", code: "X")]
    #expect(error.caused(by: ForeignError()).causes.map(\.code) == ["X"])
    #expect(error.caused(by: RPCError(.aborted)).causes.map(\.code) == ["ABORTED", "X"])
  }

  @Test func keepsTheCauseItHasBehindANewOne() {
    let database = SystemError.DatabaseError(operation: "query", error: "disk", cause: ForeignError())
    let model = ExternalError.LLMAPIError(provider: "acme", cause: RPCError(.aborted))
    let error = notFound.caused(by: database).caused(by: model)
    #expect(error.causes.map(\.code) == ["LLM_API_ERROR", "ABORTED", "DATABASE_ERROR"])
    #expect(notFound.caused(by: RPCError(.aborted)).caused(by: ForeignError()).cause is ForeignError)
    var long = notFound
    for _ in 0..<100 { long = long.caused(by: RPCError(.aborted)) }
    #expect(long.causes.count == 16)
  }

  @Test func cutsAChainOfCausesThatIsTooLong() {
    var error = notFound
    for _ in 0..<100 { error = notFound.caused(by: error) }
    #expect(error.causes.count == 16)
  }

  @Test func describesItselfByCodeAndMessage() {
    #expect(notFound.description == "TASK_NOT_FOUND: Task 42 not found")
    #expect(CallError.ProtocolViolation(reason: "").description == "PROTOCOL_VIOLATION")
  }

  @Test func showsNoPersonalAndNoInternalFieldsAsText() {
    let personal = ValidationError.AuthorizationError(action: "delete", principal: "ada@example.org")
    let `internal` = SystemError.DatabaseError(operation: "query", error: "SELECT secret")
    for text in [
      "\(personal)", String(describing: personal), "\([personal])", "\(CreateTaskError.authorization(personal))",
    ] {
      #expect(!text.contains("ada"))
    }
    for text in ["\(`internal`)", String(describing: `internal`), "\([`internal`])", "\(OctoLLMError(`internal`)!)"] {
      #expect(!text.contains("secret"))
    }
  }

  @Test func isFoundInWhateverItCameIn() {
    let errors: [any TaxonomyError] = [
      notFound, GetTaskError.taskNotFound(notFound), OctoLLMError.validation(.taskNotFound(notFound)),
      CreateTaskError.lift(notFound), RPCError(notFound),
    ]
    for error in errors {
      #expect(error.as(ValidationError.TaskNotFound.self)?.taskID == "42")
      #expect(error.as(SystemError.DatabaseError.self) == nil)
    }
  }
}
