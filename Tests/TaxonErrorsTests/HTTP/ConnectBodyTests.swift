// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import Testing

@Suite struct ConnectBodyTests {
  private func json(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  private func object(_ body: ConnectBody) throws -> [String: Google_Protobuf_Value] {
    try #require(try Google_Protobuf_Value(json: body.json).object)
  }

  /// The details as the gRPC status has them.
  private func details(_ body: ConnectBody) throws -> [Google_Protobuf_Any] {
    try (try object(body)["details"]?.list ?? []).map { detail in
      let value = Array(try #require(detail["value"]?.string).utf8)
      return Google_Protobuf_Any(
        typeURL: "type.googleapis.com/" + (try #require(detail["type"]?.string)),
        value: try #require(value.withUnsafeBufferPointer { Base64.decode($0) }))
    }
  }

  private func debug(_ body: ConnectBody) throws -> [String: Google_Protobuf_Value] {
    try (try object(body)["details"]?.list ?? []).reduce(into: [:]) { debug, detail in
      debug[try #require(detail["type"]?.string)] = detail["debug"] ?? "none"
    }
  }

  @Test func aPlainStatusIsCodeAndMessage() {
    #expect(json(ConnectBody(RPCError(.notFound, "no \"x\"")).json) == #"{"code":"not_found","message":"no \"x\""}"#)
    #expect(json(ConnectBody(RPCError(.aborted)).json) == #"{"code":"aborted"}"#)
  }

  /// https://connectrpc.com/docs/protocol, "Error Codes".
  @Test(arguments: [
    (StatusCode.cancelled, "canceled", 499), (.unknown, "unknown", 500), (.invalidArgument, "invalid_argument", 400),
    (.deadlineExceeded, "deadline_exceeded", 504), (.notFound, "not_found", 404),
    (.alreadyExists, "already_exists", 409), (.permissionDenied, "permission_denied", 403),
    (.resourceExhausted, "resource_exhausted", 429), (.failedPrecondition, "failed_precondition", 400),
    (.aborted, "aborted", 409), (.outOfRange, "out_of_range", 400), (.unimplemented, "unimplemented", 501),
    (.internalError, "internal", 500), (.unavailable, "unavailable", 503), (.dataLoss, "data_loss", 500),
    (.unauthenticated, "unauthenticated", 401),
  ]) func codesHaveConnectsNamesAndStatuses(code: StatusCode, name: String, httpStatus: Int) {
    let body = ConnectBody(RPCError(code))
    #expect(body.httpStatus == httpStatus)
    #expect(json(body.json).hasPrefix(#"{"code":"\#(name)""#))
    #expect(StatusCode(connectName: name) == code)
  }

  @Test(arguments: ["ok", "OK", "NOT_FOUND", "cancelled", ""]) func otherNamesAreNoCodes(name: String) {
    #expect(StatusCode(connectName: name) == nil)
  }

  @Test func detailsAreThoseOfTheGRPCStatusInItsOrder() throws {
    let error = ValidationError.InvalidInput(
      field: "priority", description: "too high", retryAfter: .milliseconds(1500)
    )
    .with(Google_Rpc_RequestInfo(requestID: "r-1"))
    let body = ConnectBody(error)
    let wire = try Google_Rpc_Status(decoding: body.status.details)
    #expect(try details(body) == wire.details)
    #expect(body.status.retryAfter == 2)
    #expect(
      try debug(body).filter { $0.key != "taxon.ErrorTraits" }
        == [
          "google.rpc.ErrorInfo":
            #"{"domain":"octollm.dev","metadata":{"description":"too high","field":"priority"},"reason":"VALIDATION_ERROR"}"#,
          "octollm.v1.ValidationError.InvalidInput": #"{"description":"too high","field":"priority"}"#,
          "google.rpc.RetryInfo": #"{"retryDelay":"1.500s"}"#,
          "google.rpc.BadRequest": #"{"fieldViolations":[{"description":"too high","field":"priority"}]}"#,
          "google.rpc.RequestInfo": #"{"requestId":"r-1"}"#,
        ].mapValues { try Google_Protobuf_Value(json: $0) })
  }

  @Test func valuesHaveNoPadding() {
    let text = json(ConnectBody(GetTaskError.taskNotFound(taskID: "1")).json)
    #expect(text.contains(#"{"type":"octollm.v1.ValidationError.TaskNotFound","value":"CgEx","debug":{"taskId":"1"}}"#))
    #expect(!text.contains("=\""))
  }

  @Test func personalFieldsAreInTheValueAndNotInDebug() throws {
    let error = ValidationError.AuthorizationError(action: "delete", principal: "ada")
    let body = ConnectBody(error)
    #expect(try debug(body)["octollm.v1.ValidationError.AuthorizationError"] == ["action": "delete"])
    #expect(!json(body.json).contains("\"ada"))
    let value = try #require(try details(body).first { $0.holds(ValidationError.AuthorizationError.self) })
    #expect(try value.unpacked(as: ValidationError.AuthorizationError.self) == error)
  }

  @Test func internalFieldsAreNowhere() throws {
    let body = ConnectBody(SystemError.DatabaseError(operation: "query", error: "SELECT"))
    let value = try #require(try details(body).first { $0.holds(SystemError.DatabaseError.self) })
    #expect(try value.unpacked(as: SystemError.DatabaseError.self)?.error == "")
    #expect(!json(body.json).contains("SELECT"))
  }

  @Test func detailsOfTheThrowersHaveDebugOnlyWhereTheyAreMeantForCallers() throws {
    var details = ErrorDetails()
    details.append(Google_Rpc_DebugInfo(stackEntries: ["main"], detail: "secret"))
    details.append(ValidationError.AuthorizationError(action: "a", principal: "ada"))
    details.append(Google_Protobuf_Any(typeURL: "types.example.com/a.Thing", value: [8, 1]))
    details.append(Google_Protobuf_Any(typeURL: "type.googleapis.com/google.rpc.Help", value: [0xFF]))
    let body = ConnectBody(GetTaskError.taskNotFound(taskID: "1").with(details))
    let debug = try debug(body)
    for name in [
      "google.rpc.DebugInfo", "octollm.v1.ValidationError.AuthorizationError", "a.Thing", "google.rpc.Help",
    ] { #expect(debug[name] == "none", "\(name)") }
    // One of the error's own type has no personal fields there either.
    let other = ValidationError.AuthorizationError(action: "b", principal: "bob")
    #expect(
      json(ConnectBody(ValidationError.AuthorizationError(action: "a", principal: "ada").with(other)).json)
        .contains(#""debug":{"action":"b"}"#))
  }

  @Test func aForeignErrorSaysNothingOfItself() throws {
    let body = ConnectBody(ForeignError())
    let text = json(body.json)
    #expect(text.hasPrefix(#"{"code":"internal","message":"An internal error occurred","details":["#))
    #expect(!text.contains("hunter2"))
    #expect(text.contains(body.status.instanceID))
    let ofCall = ConnectBody(GetTaskError.taskNotFound(taskID: "7").fromCall())
    #expect(try object(ofCall)["code"]?.string == "not_found")
    #expect(try object(ConnectBody(RPCError(.unavailable, "there").fromCall()))["code"]?.string == "internal")
  }

  @Test func aBudgetLeavesDetailsOut() throws {
    let long = String(repeating: "x", count: 40_000)
    let error = GetTaskError.taskNotFound(taskID: "1").with(Google_Rpc_LocalizedMessage(locale: "en", message: long))
    #expect(try details(ConnectBody(error)).last?.messageName == "google.rpc.LocalizedMessage")
    let small = ConnectBody(error, budget: 4096)
    #expect(try details(small).contains { $0.messageName == "google.rpc.LocalizedMessage" } == false)
    #expect(small.status.dropped == ["google.rpc.LocalizedMessage"])
    // Frames of gRPC are not the matter: an error that may be retried has all of its details.
    let transient = ResourceError.ArmUnavailable(requiredCapabilities: Array(repeating: "vision", count: 500))
    #expect(ConnectBody(transient).status.dropped.isEmpty)
  }

  @Test func derivedDetailsOfTaxonsOwnErrorsMayBeLeftOut() {
    var options = WireOptions()
    options.details = .declaredOnly
    #expect(
      json(ConnectBody(CallError.MethodNotFound(path: "/a/b"), options).json)
        == #"{"code":"unimplemented","message":"Method /a/b is not implemented"}"#)
  }

  @Test func whatJavaScriptAndHTMLWouldReadIsEscaped() throws {
    let id = "\"\\\n\u{1}\u{7F}\u{2028}\u{2029}</script>é🐙"
    let body = ConnectBody(GetTaskError.taskNotFound(taskID: id))
    let text = json(body.json)
    #expect(text.contains(#""message":"Task \"\\\n\u0001\u007f\u2028\u2029\u003c/script>é🐙 not found""#))
    #expect(text.contains(#""debug":{"taskId":"\"\\\n\u0001\u007f\u2028\u2029\u003c/script>é🐙"}"#))
    #expect(try object(body)["message"]?.string == "Task \(id) not found")
    #expect(body.json.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "<") })
  }

  @Test func theEndOfAStreamHasErrorAndMetadata() {
    let error = ConnectBody(RPCError(.aborted, "a<b"))
    #expect(json(ConnectEndOfStream.bytes(error: nil)) == "{}")
    #expect(
      json(ConnectEndOfStream.bytes(error: error.json)) == #"{"error":{"code":"aborted","message":"a\u003cb"}}"#)
    #expect(
      json(ConnectEndOfStream.bytes(error: nil, metadata: [("a", ["1", "\"2\""]), ("b-bin", ["AAE"])]))
        == #"{"metadata":{"a":["1","\"2\""],"b-bin":["AAE"]}}"#)
    #expect(
      json(ConnectEndOfStream.bytes(error: error.json, metadata: [("a", [])]))
        == #"{"error":{"code":"aborted","message":"a\u003cb"},"metadata":{"a":[]}}"#)
  }
}
