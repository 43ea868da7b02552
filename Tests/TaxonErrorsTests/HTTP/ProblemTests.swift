// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import Testing

/// `application/problem+json` (RFC 9457), and who gets it.
@Suite struct ProblemTests {
  private func json(_ body: ErrorBody) -> String { String(decoding: body.json, as: UTF8.self) }

  @Test func hasTheMembersOfAProblemAndItsExtensions() {
    var error = ResourceError.RateLimitError(limit: 10, window: 60, retryAfter: .milliseconds(1500))
    error.context.instanceID = "4bf92f3577b34da6"
    let body = ErrorBody(error, as: .problem)
    #expect(body.contentType == "application/problem+json")
    #expect(body.httpStatus == 429 && body.retryAfter == 2)
    #expect(
      json(body)
        == #"{"type":"tag:octollm.dev,2026:RATE_LIMIT_EXCEEDED","title":"Rate limit exceeded","status":429,"#
        + #""detail":"Rate limit exceeded: 10 requests per 60s","instance":"tag:taxon.dev,2026:instance:4bf92f3577b34da6","#
        + #""code":"RATE_LIMIT_EXCEEDED","domain":"octollm.dev","details":{"limit":10,"window":60},"retry_after":2}"#)
  }

  @Test func aPlainStatusIsAboutBlank() {
    let text = json(ErrorBody(RPCError(.notFound, "no"), as: .problem))
    #expect(text.hasPrefix(#"{"type":"about:blank","title":"Not found","status":404,"detail":"no","#))
    #expect(text.hasSuffix(#""code":"NOT_FOUND","domain":"grpc.io","details":{}}"#))
  }

  @Test func whatIsUnforeseenSaysItsInstanceAlone() {
    let body = ErrorBody(ForeignError(), as: .problem)
    #expect(
      json(body)
        == #"{"type":"tag:taxon.dev,2026:INTERNAL_ERROR","title":"Internal error","status":500,"#
        + #""detail":"An internal error occurred","instance":"tag:taxon.dev,2026:instance:\#(body.instanceID)","#
        + #""code":"INTERNAL_ERROR","domain":"taxon.dev","details":{"instance_id":"\#(body.instanceID)"}}"#)
  }

  @Test func whatNamesAnErrorIsEncodedInItsType() throws {
    let info = Google_Rpc_ErrorInfo(reason: "A B\"/ü", domain: "x,y.dev")
    var error = RPCError.received(try status(.unavailable, "busy", details: [try pack(info)])).error
    error.context.isFromCall = false
    #expect(json(ErrorBody(error, as: .problem)).hasPrefix(#"{"type":"tag:x%2Cy.dev,2026:A%20B%22%2F%C3%BC","#))
  }

  @Test func anAnswerOfHTTPsOwnHasItsStatus() {
    let body = ErrorBody(CallError.MethodNotFound(path: "/a"), as: .problem, httpStatus: 404)
    #expect(body.httpStatus == 404)
    #expect(json(body).contains(#""status":404"#))
  }

  @Test(arguments: [
    (nil, ErrorBody.Form.standard), ("", .standard), ("*/*", .standard), ("application/*", .standard),
    ("application/json", .standard), ("text/html", .standard), ("application/problem+json", .problem),
    ("Application/Problem+JSON", .problem), ("application/json, application/problem+json", .problem),
    ("application/problem+json, application/json", .problem), (" ,, application/problem+json ,", .problem),
    ("application/problem+json;q=0.5, application/json", .standard),
    ("application/problem+json;q=0.5, application/json;q=0.4", .problem),
    ("application/problem+json;q=0.5, */*;q=0.8", .standard), ("application/problem+json, */*;q=0.1", .problem),
    ("application/problem+json;q=0.5, application/json;q=0.1, */*", .problem),
    ("application/problem+json;q=0", .standard), ("application/problem+json;q=0.000, text/html", .standard),
    ("application/json;q=0, */*;q=0.1", .problem), ("application/*;q=0.2, application/json;q=0.1", .problem),
    ("application/problem+json; charset=utf-8 ;q=1.000, application/json;q=0.999", .problem),
    ("application/problem+json;Q=0.3, application/json;q=0.4", .standard),
    ("application/json;a=\"x, application/problem+json\\\"\";q=1, */*;q=0.5", .standard),
    ("text/html;a=\"unended, application/problem+json", .standard),
    // What is no weight says nothing.
    ("application/problem+json;q=2, application/json;q=0.9", .problem),
    ("application/problem+json;q=0.1234, application/json;q=0.9", .problem),
    ("application/problem+json;q=, application/json;q=0.9", .problem),
    ("application/problem+json;q=1.001;q=0.2, application/json;q=0.9", .standard),
    ("problem+json", .standard), ("application/problem+jsonx", .standard), (";q=1,;;,\"", .standard),
  ]) func theFormIsWhatTheRequestPrefers(accept: String?, form: ErrorBody.Form) {
    #expect(ErrorBody.Form(accept: accept) == form)
  }

  @Test func aLongListOfTypesIsReadOnce() {
    let accept = String(repeating: "text/html;q=0.1,", count: 100_000) + "application/problem+json"
    #expect(ErrorBody.Form(accept: accept) == .problem)
    #expect(ErrorBody.Form(accept: String(repeating: "\"", count: 100_000)) == .standard)
  }
}
