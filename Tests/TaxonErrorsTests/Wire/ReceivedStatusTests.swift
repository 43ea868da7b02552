// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import Testing

@Suite struct ReceivedStatusTests {
  private func receive<Failure: ErrorUnion>(
    _ wire: WireStatus, as: Failure.Type, registry: ErrorRegistry = .taxonErrors
  ) -> Received<Failure> {
    Failure.received(
      ReceivedStatus(
        code: wire.code, message: wire.message, details: wire.details, pushback: wire.retryPushback.map(String.init)),
      registry: registry)
  }

  @Test func givesADeclaredErrorItsType() throws {
    let sent = ExternalError.LLMAPIError(
      provider: "acme", statusCode: 529, retryAfter: .milliseconds(1500),
      cause: SystemError.DatabaseError(operation: "query", error: "x"))
    let wire = WireStatus(sent)
    let received = receive(wire, as: CreateTaskError.self)
    guard case .llmAPI(let error) = received.error else { return #expect(Bool(false), "another case") }
    #expect(error == sent)
    #expect(error.retryAfter == .milliseconds(1500))
    #expect(error.instanceID == wire.instanceID)
    #expect(error.causes == [ErrorIdentity(domain: "octollm.dev", code: "DATABASE_ERROR")])
    #expect(error.context.isFromCall)
    #expect(error.context.pushback == .after(.milliseconds(1500)))
    #expect(error.cause == nil)
    #expect(received.notes.isEmpty)
  }

  @Test func findsADeclaredErrorInNestedUnions() {
    let received = receive(WireStatus(ValidationError.TaskNotFound(taskID: "42")), as: OctoLLMError.self)
    #expect(received.error == .validation(.taskNotFound(ValidationError.TaskNotFound(taskID: "42"))))
  }

  @Test func keepsAnErrorThatTheMethodDoesNotDeclareInItsTypeWhenTheRegistryKnowsIt() {
    let wire = WireStatus(ResourceError.RateLimitError(limit: 1, window: 2, retryAfter: .seconds(3)))
    let received = receive(wire, as: GetTaskError.self, registry: .octollmV1Errors)
    guard case .other(let undeclared) = received.error else { return #expect(Bool(false), "another case") }
    #expect(undeclared.as(ResourceError.RateLimitError.self)?.limit == 1)
    #expect(undeclared.retryAfter == .seconds(3))
    #expect(undeclared.isRetrySafe)
  }

  @Test func treatsAnErrorOfAnotherSchemaAsItsTraitsSay() {
    let wire = WireStatus(ResourceError.RateLimitError(limit: 1, window: 2, retryAfter: .seconds(3)))
    let error = receive(wire, as: GetTaskError.self).error
    #expect(error.as(ResourceError.RateLimitError.self) == nil)
    #expect(error.identity == ErrorIdentity(domain: "octollm.dev", code: "RATE_LIMIT_EXCEEDED"))
    #expect(error.status == .resourceExhausted)
    #expect(error.message == "Rate limit exceeded: 1 requests per 2s")
    #expect(error.httpStatus == 429)
    #expect(error.severity == .warning)
    #expect(error.retry == .throttled)
    #expect(error.breaker == .neutral)
    #expect(error.isRetrySafe)
    #expect(error.categories == ["ResourceError"])
    #expect(error.metadata == ["limit": "1", "window": "2"])
    #expect(error.retryAfter == .seconds(3))
    #expect(error.details[ResourceError.RateLimitError.self]?.window == 2)
  }

  @Test func takesAPlainStatusForWhatItMeans() {
    let received = GetTaskError.received(ReceivedStatus(code: .unavailable, message: "try later"))
    #expect(received.error.identity == ErrorIdentity(domain: "grpc.io", code: "UNAVAILABLE"))
    #expect(received.error.message == "try later")
    #expect(received.error.retry == .transient)
    #expect(received.error.breaker == .failure)
    #expect(received.notes.isEmpty)
  }

  @Test func retriesAPlainExhaustedResourceOnlyWhenTheServerSaysWhen() throws {
    let plain = GetTaskError.received(ReceivedStatus(code: .resourceExhausted)).error
    #expect(plain.retry == .never)
    let pushedBack = GetTaskError.received(ReceivedStatus(code: .resourceExhausted, pushback: "250")).error
    #expect(pushedBack.retry == .throttled)
    #expect(pushedBack.retryAfter == .milliseconds(250))
    let hinted = GetTaskError.received(
      try status(
        .resourceExhausted, details: [try pack(Google_Rpc_RetryInfo(retryDelay: .init(seconds: 2, nanos: 5)))])
    ).error
    #expect(hinted.retry == .throttled)
    #expect(hinted.retryAfter == .seconds(2) + .nanoseconds(5))
  }

  @Test func takesOKForUnknown() {
    #expect(GetTaskError.received(ReceivedStatus(code: .ok)).error.status == .unknown)
  }

  @Test func believesTheTrailerWhenTheDetailsHaveAnotherStatus() throws {
    let received = GetTaskError.received(try status(.unavailable, "down", details: [], code: 5))
    #expect(received.error.status == .unavailable)
    #expect(received.notes == [.statusDisagrees(trailer: .unavailable, details: 5)])
    #expect(received.notes[0].description.contains("NOT_FOUND"))
  }

  @Test func takesTheMessageFromTheDetailsWhenTheTrailerHasNone() throws {
    var status = try status(.aborted, "lost a race", details: [])
    status.message = ""
    #expect(GetTaskError.received(status).error.message == "lost a race")
  }

  @Test func losesNothingElseOverDetailsThatAreNoStatus() {
    let received = GetTaskError.received(ReceivedStatus(code: .aborted, message: "no", details: [0xFF, 0xFF]))
    #expect(received.error.status == .aborted)
    #expect(received.error.message == "no")
    guard case .undecodable("google.rpc.Status", _) = received.notes.first else {
      return #expect(Bool(false), "no note")
    }
  }

  @Test(arguments: ["google.rpc.ErrorInfo", "taxon.ErrorTraits", "google.rpc.RetryInfo"])
  func losesNothingElseOverADetailThatCannotBeDecoded(name: String) throws {
    var details = try [
      pack(Google_Rpc_ErrorInfo(reason: "BUSY", domain: "other.dev")), pack(ErrorTraits(retry: .throttled)),
      pack(Google_Rpc_RetryInfo(retryDelay: .init(seconds: 2))), pack(Google_Rpc_RequestInfo(requestID: "r-1")),
    ]
    let index = try #require(details.firstIndex { $0.typeURL.hasSuffix(name) })
    details[index].value = [0x0A, 0x7F]
    let received = GetTaskError.received(try status(.unavailable, details: details))
    #expect(received.notes.count == 1)
    #expect(received.error.code == (index == 0 ? "UNAVAILABLE" : "BUSY"))
    #expect(received.error.retry == (index == 1 ? .transient : .throttled))
    #expect(received.error.retryAfter == (index == 2 ? nil : .seconds(2)))
    #expect(received.error.details.requestInfo?.requestID == "r-1")
  }

  @Test func keepsDetailsThatNobodyKnows() throws {
    let unknown = Google_Protobuf_Any(typeURL: "type.googleapis.com/future.Detail", value: [1, 2, 3])
    let error = GetTaskError.received(try status(.aborted, details: [unknown, unknown])).error
    #expect(Array(error.details) == [unknown, unknown])
  }

  @Test func keepsAStandardDetailThatCannotBeDecodedOutOfTheWay() throws {
    let broken = Google_Protobuf_Any(typeURL: "type.googleapis.com/google.rpc.Help", value: [0xFF])
    let error = GetTaskError.received(try status(.aborted, details: [broken])).error
    #expect(error.details.help == nil)
    #expect(Array(error.details) == [broken])
  }

  @Test func makesADeclaredErrorFromItsMetadataWhenThereIsNoTypedOne() throws {
    let info = Google_Rpc_ErrorInfo(
      reason: "RATE_LIMIT_EXCEEDED", domain: "octollm.dev", metadata: ["limit": "10", "window": "0"])
    let error = CreateTaskError.received(try status(.resourceExhausted, details: [try pack(info)])).error
    #expect(error == .rateLimit(limit: 10, window: 0))
    let model = Google_Rpc_ErrorInfo(
      reason: "LLM_API_ERROR", domain: "octollm.dev", metadata: ["provider": "acme", "status_code": "0", "x": "y"])
    #expect(
      CreateTaskError.received(try status(.unavailable, details: [try pack(model)])).error
        == .llmAPI(provider: "acme", statusCode: 0))
  }

  @Test func makesADeclaredErrorFromItsMetadataWhenTheTypedOneCannotBeDecoded() throws {
    let info = Google_Rpc_ErrorInfo(reason: "TASK_NOT_FOUND", domain: "octollm.dev", metadata: ["task_id": "42"])
    var payload = try pack(ValidationError.TaskNotFound(taskID: "42"))
    payload.value = [0x0A, 0x7F]
    let received = GetTaskError.received(try status(.notFound, details: [try pack(info), payload]))
    #expect(received.error == .taskNotFound(taskID: "42"))
    #expect(received.notes.count == 1)
  }

  @Test func makesNoDeclaredErrorWithoutItsFields() throws {
    let info = Google_Rpc_ErrorInfo(reason: "TASK_NOT_FOUND", domain: "octollm.dev")
    let received = GetTaskError.received(try status(.notFound, "gone", details: [try pack(info)]))
    guard case .other(let error) = received.error else { return #expect(Bool(false), "another case") }
    #expect(error.identity == ErrorIdentity(domain: "octollm.dev", code: "TASK_NOT_FOUND"))
    #expect(error.message == "gone")
    #expect(received.notes == [.payloadMissing(error.identity)])
  }

  @Test func makesADeclaredErrorWithoutFieldsFromItsIdentity() throws {
    let info = Google_Rpc_ErrorInfo(reason: "DEADLINE_EXCEEDED", domain: "taxon.dev")
    let error = GetTaskError.received(try status(.deadlineExceeded, details: [try pack(info)])).error
    #expect(error.as(CallError.DeadlineExceeded.self) != nil)
  }

  @Test func findsADeclaredErrorByItsMessageWhenThereIsNoErrorInfo() throws {
    let payload = try pack(ValidationError.TaskNotFound(taskID: "42"))
    #expect(GetTaskError.received(try status(.notFound, details: [payload])).error == .taskNotFound(taskID: "42"))
  }

  @Test func goesByTheIdentityWhenTheTypedErrorIsAnother() throws {
    let info = Google_Rpc_ErrorInfo(reason: "TASK_NOT_FOUND", domain: "octollm.dev", metadata: ["task_id": "42"])
    let payload = try pack(SystemError.DatabaseError(operation: "query", error: ""))
    let error = GetTaskError.received(try status(.notFound, details: [try pack(info), payload])).error
    #expect(error == .taskNotFound(taskID: "42"))
    #expect(error.details[SystemError.DatabaseError.self] != nil)
  }

  @Test func doesNotTakeTheSameCodeOfAnotherDomainForItsOwn() throws {
    let info = Google_Rpc_ErrorInfo(reason: "TASK_NOT_FOUND", domain: "elsewhere.dev", metadata: ["task_id": "42"])
    let error = GetTaskError.received(try status(.notFound, details: [try pack(info)])).error
    guard case .other = error else { return #expect(Bool(false), "another case") }
  }

  @Test func readsTraitsThatItDoesNotKnowAsTheStatusMeans() throws {
    let traits = ErrorTraits(
      severity: .unrecognized(9), retry: .unrecognized(9), breaker: .unrecognized(9), httpStatus: 999)
    let error = GetTaskError.received(try status(.unavailable, details: [try pack(traits)])).error
    #expect(error.severity == .error)
    #expect(error.retry == .transient)
    #expect(error.breaker == .failure)
    #expect(error.httpStatus == 503)
  }

  @Test(arguments: [
    ("250", RetryPushback.after(.milliseconds(250))), ("0", .after(.zero)), ("-1", .stop), ("soon", .stop), ("", .stop),
    ("99999999999999999999", .stop),
  ]) func readsAPushback(header: String, pushback: RetryPushback) {
    #expect(RetryPushback(header: header) == pushback)
    let error = GetTaskError.received(ReceivedStatus(code: .unavailable, pushback: header)).error
    #expect(error.context.pushback == pushback)
  }

  @Test func survivesEveryCutOfADetailsHeader() {
    let wire = WireStatus(
      ValidationError.InvalidInput(field: "priority", description: "too high", retryAfter: .seconds(1)))
    for count in wire.details.indices {
      let cut = Array(wire.details.prefix(count))
      let error = CreateTaskError.received(ReceivedStatus(code: .invalidArgument, message: "no", details: cut)).error
      #expect(error.status == .invalidArgument)
    }
  }
}
