// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import Testing

@Suite struct ErrorLogEntryTests {
  private func value(_ key: String, _ entry: ErrorLogEntry) -> String? {
    entry.metadata.first { $0.key == key }?.value
  }

  @Test func saysWhatTheErrorIs() {
    let entry = ErrorLogEntry(GetTaskError.taskNotFound(taskID: "42"), instanceID: "abc")
    #expect(entry.level == .warning)
    #expect(entry.message == "Task 42 not found")
    #expect(
      entry.metadata.map(\.key) == [
        "error.code", "error.domain", "error.status", "error.instance_id", "error.field.task_id",
      ])
    #expect(entry.metadata.map(\.value) == ["TASK_NOT_FOUND", "octollm.dev", "NOT_FOUND", "abc", "42"])
  }

  @Test(arguments: [
    (Severity.debug, ErrorLogEntry.Level.debug), (.info, .info), (.warning, .warning), (.error, .error),
    (.critical, .critical), (.unspecified, .error), (.unrecognized(9), .error),
  ]) func isAsLoudAsTheErrorIsSevere(severity: Severity, level: ErrorLogEntry.Level) {
    #expect(ErrorLogEntry.Level(severity) == level)
  }

  @Test func hasNoPersonalFields() {
    let entry = ErrorLogEntry(ValidationError.AuthorizationError(action: "delete", principal: "ada@example.org"))
    #expect(!entry.metadata.contains { $0.value.contains("ada") })
    #expect(!entry.message.contains("ada"))
  }

  @Test func namesAForeignCauseByItsTypeAlone() {
    let database = SystemError.DatabaseError(operation: "query", error: "disk", cause: ForeignError())
    let entry = ErrorLogEntry(ExternalError.LLMAPIError(provider: "acme", cause: database))
    #expect(
      value("error.cause", entry)
        == "octollm.dev/DATABASE_ERROR: Database query failed <- TaxonErrorsTests.ForeignError")
    #expect(entry.foreignCause is ForeignError)
  }

  @Test func saysWhatWasBeingDoneHereAndWhereTheCausesWereThrown() {
    let database = SystemError.DatabaseError(operation: "query", error: "disk", cause: ForeignError()).context(
      "reading")
    let wrapped = ContextError(database, contexts: ["asking acme"])
    let entry = ErrorLogEntry(
      ExternalError.LLMAPIError(provider: "acme", cause: wrapped).context("executing task 42").context("a batch"))
    #expect(value("error.context", entry) == "a batch <- executing task 42")
    #expect(
      value("error.cause", entry)
        == "(asking acme) <- octollm.dev/DATABASE_ERROR: Database query failed (reading) <- TaxonErrorsTests.ForeignError"
    )
  }

  @Test func takesAForeignErrorAsTheCauseOfAnInternalError() {
    let entry = ErrorLogEntry(ForeignError(), instanceID: "abc")
    #expect(entry.level == .critical)
    #expect(value("error.code", entry) == "INTERNAL_ERROR")
    #expect(value("error.cause", entry) == "TaxonErrorsTests.ForeignError")
  }

  @Test func namesWhatLedToAnErrorFromElsewhere() {
    var error = RPCError(.unavailable, "down")
    error.context.causes = [ErrorIdentity(domain: "a.dev", code: "X"), ErrorIdentity(domain: "b.dev", code: "Y")]
    error.context.instanceID = "0123"
    let entry = ErrorLogEntry(CallError.InternalError(cause: error))
    #expect(value("error.cause", entry) == "grpc.io/UNAVAILABLE: down [0123] <- a.dev/X <- b.dev/Y")
    #expect(value("error.instance_id", ErrorLogEntry(error)) == "0123")
  }
}
