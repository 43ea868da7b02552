// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import Testing

@Suite struct WireStatusTests {
  @Test func sendsStatusAndMessageInBothPlaces() throws {
    let wire = WireStatus(GetTaskError.taskNotFound(taskID: "42"))
    let decoded = try Decoded(wire)
    #expect(wire.code == .notFound)
    #expect(wire.message == "Task 42 not found")
    #expect(decoded.status.code == 5)
    #expect(decoded.status.message == "Task 42 not found")
    #expect(wire.retryPushback == nil)
    #expect(wire.dropped.isEmpty)
  }

  @Test func sendsTheIdentityWithTheSafeFields() throws {
    let info = try #require(try Decoded(WireStatus(ResourceError.RateLimitError(limit: 10, window: 60))).info)
    #expect(info.reason == "RATE_LIMIT_EXCEEDED")
    #expect(info.domain == "octollm.dev")
    #expect(info.metadata == ["limit": "10", "window": "60"])
  }

  @Test func sendsTheTypedError() throws {
    let error = ExternalError.LLMAPIError(provider: "acme", statusCode: 529, errorMessage: "overloaded")
    #expect(try Decoded(WireStatus(error)).detail(ExternalError.LLMAPIError.self) == error)
  }

  @Test func sendsTheTraitsSoThatOlderClientsDoTheRightThing() throws {
    let cause = SystemError.DatabaseError(operation: "query", error: "disk", cause: ForeignError())
    let wire = WireStatus(ResourceError.ArmUnavailable(requiredCapabilities: ["vision"], cause: cause))
    let traits = try #require(try Decoded(wire).traits)
    #expect(traits.category == ["ResourceError"])
    #expect(traits.severity == .error)
    #expect(traits.retry == .transient)
    #expect(traits.breaker == .neutral)
    #expect(traits.httpStatus == 503)
    #expect(traits.safe)
    #expect(traits.instanceID == wire.instanceID)
    #expect(traits.causes == [.init(domain: "octollm.dev", code: "DATABASE_ERROR")])
  }

  @Test func keepsTheOrderOfDetails() throws {
    let error = ValidationError.InvalidInput(field: "priority", description: "too high", retryAfter: .seconds(1))
      .with(Google_Rpc_RequestInfo(requestID: "r-1")).with(Google_Rpc_Help(links: []))
    #expect(
      try Decoded(WireStatus(error)).names == [
        "google.rpc.ErrorInfo", "octollm.v1.ValidationError.InvalidInput", "taxon.ErrorTraits", "google.rpc.RetryInfo",
        "google.rpc.BadRequest", "google.rpc.RequestInfo", "google.rpc.Help",
      ])
  }

  @Test func sendsWhatTheThrowerAddedAsItWasGiven() throws {
    let unknown = Google_Protobuf_Any(typeURL: "types.example.com/a.Thing", value: [8, 1])
    let bare = Google_Protobuf_Any(typeURL: "a.Thing", value: [])
    var details = ErrorDetails()
    details.append(Google_Rpc_Help(links: [.init(description: "1", url: "")]))
    details.append(unknown)
    details.append(Google_Rpc_Help(links: [.init(description: "2", url: "")]))
    details.append(bare)
    for error in [GetTaskError.taskNotFound(taskID: "42").with(details), .other(RPCError(.notFound).with(details))] {
      let wire = WireStatus(error)
      let sent = try Decoded(wire).status.details
      #expect(sent.suffix(4) == Array(details))
      let received = GetTaskError.received(ReceivedStatus(code: wire.code, details: wire.details)).error
      #expect(Array(received.details) == Array(details))
      #expect(received.receivedDetails == sent)
      #expect(received.details.all(Google_Rpc_Help.self).compactMap(\.links.first?.description) == ["1", "2"])
    }
  }

  @Test func whatTheThrowerBroughtStandsForWhatWouldBeDerived() throws {
    let error = ValidationError.InvalidInput(field: "priority", description: "too high", retryAfter: .seconds(1))
      .with(Google_Rpc_BadRequest(fieldViolations: [])).with(Google_Rpc_RetryInfo())
      .with(Google_Rpc_ErrorInfo(reason: "BROUGHT")).with(ErrorTraits(retry: .transient))
    let decoded = try Decoded(WireStatus(error))
    #expect(
      decoded.names == [
        "octollm.v1.ValidationError.InvalidInput", "google.rpc.BadRequest", "google.rpc.RetryInfo",
        "google.rpc.ErrorInfo", "taxon.ErrorTraits",
      ])
    #expect(try decoded.info?.reason == "BROUGHT")
    #expect(try decoded.traits?.retry == .transient)
    #expect(try decoded.badRequest?.fieldViolations.isEmpty == true)
    #expect(WireStatus(error).retryPushback == 1000)
  }

  @Test func theHeadersSayWhatABroughtRetryInfoSays() {
    let brought = Google_Rpc_RetryInfo(retryDelay: .init(seconds: 30))
    let declared = ValidationError.InvalidInput(field: "", description: "", retryAfter: .seconds(1))
    // Callers read the first.
    let twice = RPCError(.unavailable).with(brought).with(Google_Rpc_RetryInfo(retryDelay: .init(seconds: 60)))
    for wire in [WireStatus(declared.with(brought)), WireStatus(twice)] {
      #expect(wire.retryPushback == 30_000)
      #expect(wire.retryAfter == 30)
    }
  }

  @Test func whatIsAddedToTheErrorOfACallIsSent() throws {
    let wire = WireStatus(
      ValidationError.TaskNotFound(taskID: "42").with(Google_Rpc_RequestInfo(requestID: "theirs")))
    let theirs = GetTaskError.received(ReceivedStatus(code: wire.code, details: wire.details)).error
    let ours = theirs.with(Google_Rpc_Help(links: [.init(description: "ours", url: "")]))
    let names = try Decoded(WireStatus(ours)).names
    #expect(names.contains("google.rpc.Help"))
    #expect(!names.contains("google.rpc.RequestInfo"))
  }

  @Test func sendsViolationsAsABadRequest() throws {
    let violations: [Google_Rpc_BadRequest.FieldViolation] = [
      .init(field: "a", description: "b"), .init(field: "c", description: "d"),
    ]
    let error = ValidationError.ValidationErrors(errors: violations)
    #expect(try Decoded(WireStatus(error)).badRequest?.fieldViolations == violations)
  }

  @Test(arguments: [
    (Duration.seconds(3), 3, 0, Int64(3000)), (.milliseconds(1500), 1, 500_000_000, 1500),
    (.nanoseconds(1), 0, 1, 1), (.zero, 0, 0, 0), (.seconds(-5), 0, 0, 0),
    (.seconds(10_000_000_000), 10_000_000_000, 0, 2_147_483_647),
  ]) func sendsHowLongToWaitInBothForms(delay: Duration, seconds: Int64, nanos: Int32, pushback: Int64) throws {
    let wire = WireStatus(GetTaskError.taskNotFound(taskID: "1").retryAfter(delay))
    let sent = try #require(try Decoded(wire).retryInfo?.retryDelay)
    #expect(sent.seconds == seconds)
    #expect(sent.nanos == nanos)
    #expect(wire.retryPushback == pushback)
  }

  @Test func sendsPersonalFieldsInTheTypedErrorAlone() throws {
    let wire = WireStatus(ValidationError.AuthorizationError(action: "delete", principal: "ada@example.org"))
    let decoded = try Decoded(wire)
    #expect(try decoded.detail(ValidationError.AuthorizationError.self)?.principal == "ada@example.org")
    #expect(try decoded.info?.metadata == ["action": "delete"])
    #expect(!wire.message.contains("ada"))
    #expect(occurrences(of: "ada@example.org", in: wire.details) == 1)
  }

  @Test func sendsInternalFieldsAndCausesNowhere() throws {
    let wire = WireStatus(
      SystemError.DatabaseError(operation: "query", error: "SELECT hunter2", cause: ForeignError()))
    #expect(try Decoded(wire).detail(SystemError.DatabaseError.self)?.operation == "query")
    #expect(occurrences(of: "hunter2", in: wire.details) == 0)
    #expect(occurrences(of: "ForeignError", in: wire.details) == 0)
  }

  @Test func answersAForeignErrorWithAnInternalErrorThatSaysNothing() throws {
    let wire = WireStatus(ForeignError())
    #expect(wire.code == .internalError)
    #expect(wire.message == "An internal error occurred")
    #expect(try Decoded(wire).info?.reason == "INTERNAL_ERROR")
    #expect(try Decoded(wire).traits?.instanceID == wire.instanceID)
    #expect(occurrences(of: "hunter2", in: wire.details) == 0)
  }

  @Test func answersAForeignErrorByItsConversion() throws {
    let wire = WireStatus(StorageFailure(text: "hunter2"))
    #expect(try Decoded(wire).info?.reason == "DATABASE_ERROR")
    #expect(occurrences(of: "hunter2", in: wire.details) == 0)
  }

  @Test func namesEachOccurrenceAnew() {
    let ids = (0..<100).map { _ in WireStatus(GetTaskError.taskNotFound(taskID: "1")).instanceID }
    #expect(Set(ids).count == 100)
    #expect(ids.allSatisfy { $0.utf8.count == 16 && $0.allSatisfy(\.isHexDigit) })
  }

  @Test func keepsTheNameOfAnOccurrenceThatHasOne() {
    var error = GetTaskError.taskNotFound(taskID: "1")
    error.context.instanceID = "feed"
    #expect(WireStatus(error).instanceID == "feed")
  }

  @Test func aPlainStatusStaysPlain() throws {
    let wire = WireStatus(RPCError(.failedPrecondition, "not now"))
    #expect(wire.code == .failedPrecondition)
    #expect(wire.message == "not now")
    #expect(wire.details.isEmpty)
    let caused = RPCError(.notFound).caused(by: SystemError.DatabaseError(operation: "query", error: ""))
    #expect(WireStatus(caused).details.isEmpty)
    let detailed = try Decoded(WireStatus(RPCError(.notFound, "x").with(Google_Rpc_RequestInfo(requestID: "r-1"))))
    #expect(detailed.names == ["google.rpc.RequestInfo"])
    #expect(detailed.status.message == "x")
    #expect(try Decoded(WireStatus(RPCError(.unavailable).retryAfter(.seconds(2)))).names == ["google.rpc.RetryInfo"])
  }

  @Test func aPlainInternalErrorTellsItsInstanceID() throws {
    let wire = WireStatus(RPCError(.internalError, "broken"))
    #expect(try Decoded(wire).names == ["taxon.ErrorTraits"])
    #expect(try Decoded(wire).traits?.instanceID == wire.instanceID)
  }

  @Test func aServerMaySendDerivedDetailsWithItsOwnErrorsAlone() throws {
    var options = WireOptions()
    options.details = .declaredOnly
    #expect(WireStatus(RPCError(.internalError, "broken"), options).details.isEmpty)
    let deadline = WireStatus(CallError.DeadlineExceeded(), options)
    #expect(deadline.details.isEmpty)
    #expect(deadline.code == .deadlineExceeded)
    #expect(!deadline.message.isEmpty)
    #expect(WireStatus(ForeignError(), options).details.isEmpty)
    #expect(try Decoded(WireStatus(GetTaskError.taskNotFound(taskID: "1"), options)).names.count == 3)
  }

  @Test func sendsAKnownErrorThatTheMethodDoesNotDeclareAsItself() throws {
    let wire = WireStatus(GetTaskError.lift(ResourceError.RateLimitError(limit: 1, window: 2)))
    #expect(wire.code == .resourceExhausted)
    #expect(try Decoded(wire).info?.reason == "RATE_LIMIT_EXCEEDED")
    #expect(wire.retryPushback == 5000)
  }

  @Test func neverSaysOKForAnError() throws {
    #expect(WireStatus(RPCError(.ok)).code == .unknown)
  }

  @Test func takesEmptyTexts() throws {
    let wire = WireStatus(CallError.ProtocolViolation(reason: ""))
    #expect(wire.message == "")
    #expect(try Decoded(wire).info?.metadata == ["reason": ""])
  }

  @Test func keepsTextsThatAreNotASCII() throws {
    let wire = WireStatus(GetTaskError.taskNotFound(taskID: "für 🐙\0"))
    #expect(try Decoded(wire).status.message == "Task für 🐙\0 not found")
    #expect(try Decoded(wire).info?.metadata["task_id"] == "für 🐙\0")
  }

  @Test func isTheSameForWhateverTheErrorCameIn() throws {
    var notFound = ValidationError.TaskNotFound(taskID: "42")
    notFound.context.instanceID = "1"
    let wire = WireStatus(notFound)
    #expect(WireStatus(GetTaskError.taskNotFound(notFound)) == wire)
    #expect(WireStatus(RPCError(notFound)) == wire)
    let anyError: any Error = OctoLLMError.validation(.taskNotFound(notFound))
    #expect(WireStatus(anyError) == wire)
    let taxonomyError: any TaxonomyError = notFound
    #expect(WireStatus(taxonomyError) == wire)
  }
}

@Suite struct HopTests {
  @Test func doesNotPassOnWhatTheMethodDoesNotDeclare() throws {
    let downstream = RPCError(ConnectionError.ConnectionLost(endpoint: "arms", error: "reset")).fromCall()
    let wire = WireStatus(GetTaskError.lift(downstream))
    let decoded = try Decoded(wire)
    #expect(wire.code == .internalError)
    #expect(try decoded.info?.reason == "INTERNAL_ERROR")
    #expect(try decoded.traits?.retry == .never)
    #expect(try decoded.traits?.causes == [.init(domain: "taxon.dev", code: "CONNECTION_LOST")])
  }

  @Test func passesOnWhatTheMethodDeclaresAsItsOwnAnswer() throws {
    let downstream = RPCError(SystemError.DatabaseError(operation: "query", error: ""))
      .with(Google_Rpc_RequestInfo(requestID: "theirs")).fromCall()
    let decoded = try Decoded(WireStatus(GetTaskError.lift(downstream)))
    #expect(try decoded.info?.reason == "DATABASE_ERROR")
    #expect(!decoded.names.contains("google.rpc.RequestInfo"))
  }

  @Test func namesTheWholeChainOfServices() throws {
    let far = WireStatus(
      CreateTaskError.llmAPI(provider: "acme", cause: SystemError.DatabaseError(operation: "query", error: "")))
    let near = GetTaskError.received(ReceivedStatus(code: far.code, message: far.message, details: far.details)).error
    let decoded = try Decoded(WireStatus(GetTaskError.database(operation: "load", error: "", cause: near)))
    #expect(try decoded.traits?.causes.map(\.code) == ["LLM_API_ERROR", "DATABASE_ERROR"])
  }
}

func occurrences(of text: String, in bytes: [UInt8]) -> Int {
  let text = Array(text.utf8)
  guard bytes.count >= text.count else { return 0 }
  return (0...bytes.count - text.count).count { Array(bytes[$0..<$0 + text.count]) == text }
}
