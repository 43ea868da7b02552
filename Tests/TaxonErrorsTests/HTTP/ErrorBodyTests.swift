// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import Testing

@Suite struct ErrorBodyTests {
  private func json(_ body: ErrorBody) -> String { String(decoding: body.json, as: UTF8.self) }

  @Test func hasTheFormOfTheStandard() {
    let body = ErrorBody(ResourceError.RateLimitError(limit: 10, window: 60, retryAfter: .seconds(60)))
    #expect(body.httpStatus == 429)
    #expect(body.retryAfter == 60)
    #expect(
      json(body)
        == #"{"error":"RATE_LIMIT_EXCEEDED","message":"Rate limit exceeded: 10 requests per 60s","#
        + #""details":{"limit":10,"window":60},"retry_after":60}"#)
  }

  @Test func leavesRetryAfterOutWhenNobodySaysHowLong() {
    let body = ErrorBody(GetTaskError.taskNotFound(taskID: "42"))
    #expect(body.httpStatus == 404)
    #expect(body.retryAfter == nil)
    #expect(
      json(body) == #"{"error":"TASK_NOT_FOUND","message":"Task 42 not found","details":{"task_id":"42"}}"#)
  }

  @Test(arguments: [
    (Duration.milliseconds(1), Int64(1)), (.milliseconds(1000), 1), (.milliseconds(1001), 2), (.zero, 0),
    (.seconds(-1), 0),
  ]) func roundsRetryAfterUpToWholeSeconds(delay: Duration, seconds: Int64) {
    #expect(ErrorBody(GetTaskError.taskNotFound(taskID: "1").retryAfter(delay)).retryAfter == seconds)
  }

  @Test func listsRepeatedFields() {
    let body = ErrorBody(ResourceError.ArmUnavailable(requiredCapabilities: ["vision, fast", "a\"b"]))
    #expect(json(body).contains(#""details":{"required_capabilities":["vision, fast","a\"b"]}"#))
  }

  @Test func listsViolationsUnderTheNameOfTheirField() {
    let error = ValidationError.ValidationErrors(errors: [
      .init(field: "description", description: "Description is required"), .init(field: "priority", description: "low"),
    ])
    #expect(
      json(ErrorBody(error)).contains(
        #""details":{"errors":[{"field":"description","message":"Description is required"},"#
          + #"{"field":"priority","message":"low"}]}"#))
  }

  @Test func leavesOutFieldsThatAreNotSetOrNotSafe() {
    #expect(json(ErrorBody(ExternalError.LLMAPIError(provider: "acme"))).contains(#""details":{"provider":"acme"}"#))
    #expect(
      json(ErrorBody(ExternalError.LLMAPIError(provider: "acme", statusCode: 529)))
        .contains(#""details":{"provider":"acme","status_code":529}"#))
    let personal = json(ErrorBody(ValidationError.AuthorizationError(action: "delete", principal: "ada")))
    #expect(!personal.contains("ada"))
    #expect(!json(ErrorBody(SystemError.DatabaseError(operation: "query", error: "SELECT"))).contains("SELECT"))
  }

  @Test func answersAForeignErrorAsTheStandardDoes() {
    let body = ErrorBody(ForeignError())
    #expect(body.httpStatus == 500)
    #expect(
      json(body) == #"{"error":"INTERNAL_ERROR","message":"An internal error occurred","details":{"instance_id":"#
        + #""\#(body.instanceID)"}}"#)
    #expect(body.instanceID.utf8.count == 16)
    #expect(body.contentType == "application/json")
  }

  @Test func escapesWhatJSONNeedsEscaped() {
    let error = GetTaskError.taskNotFound(taskID: "\"\\/\n\r\t\u{8}\u{1F}\u{7F}\u{2028}<script>ü🐙")
    #expect(
      json(ErrorBody(error)).contains(
        #""task_id":"\"\\/\n\r\t\u0008\u001f\u007f\u2028\u003cscript>ü🐙""#))
  }

  @Test func spellsWholeNumbersThatJavaScriptWouldRoundAsTexts() {
    let body = json(ErrorBody(CallError.MessageTooLarge(size: 1 << 53, limit: (1 << 53) + 1)))
    #expect(body.contains(#""size":9007199254740992"#))
    #expect(body.contains(#""limit":"9007199254740993""#))
  }

  @Test func takesAnErrorOfAnotherSchema() throws {
    let info = Google_Rpc_ErrorInfo(reason: "BUSY", domain: "other.dev", metadata: ["b": "2", "a": "1"])
    let received = RPCError.received(try status(.unavailable, "busy", details: [try pack(info)])).error
    var error = received
    error.context.isFromCall = false
    #expect(json(ErrorBody(error)) == #"{"error":"BUSY","message":"busy","details":{"a":"1","b":"2"}}"#)
    #expect(json(ErrorBody(received)).contains("INTERNAL_ERROR"))
  }
}
