// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import Testing

/// What is said of requests that are no JSON form of their type.
@Suite struct RequestFaultsTests {
  /// The error of a request that should be a `google.rpc.QuotaFailure`.
  private func error(_ text: String) throws -> RPCError {
    try Array(text.utf8).withUnsafeBufferPointer { text in
      let error = try #require(throws: JSONDecodingError.self) { try Google_Rpc_QuotaFailure(json: text) }
      return RPCError(json: error, in: text, of: Google_Rpc_QuotaFailure.self)
    }
  }

  @Test func whatIsNotJSONIsAnsweredWithItsPlace() throws {
    let error = try error("{\n  \"violations\": [{\"subject\": \"ada\", \"quotaValue\": secret}]\n}")
    let expected = CallError.MalformedJSON(
      type: "google.rpc.QuotaFailure", reason: "a value is expected", line: 2, column: 51,
      path: "violations[0].quotaValue")
    #expect(error.as(CallError.MalformedJSON.self) == expected)
    #expect(error.httpStatus == 400 && error.status == .invalidArgument && error.code == "MALFORMED_JSON")
    #expect(error.retry == .never && error.breaker == .neutral && error.severity == .warning)
    #expect(
      String(decoding: ErrorBody(error).json, as: UTF8.self)
        == #"{"error":"MALFORMED_JSON","message":"Malformed JSON at line 2, column 51: a value is expected","details":"#
        + #"{"type":"google.rpc.QuotaFailure","reason":"a value is expected","line":2,"column":51,"#
        + #""path":"violations[0].quotaValue"}}"#)
  }

  @Test func whatDoesNotFitIsAnsweredWithEveryField() throws {
    let error = try error(
      #"{"violations":[{"subject":1,"quotaValue":"secret"},{"bogus":"hidden"},7],"violation":[]}"#)
    #expect(error.httpStatus == 422 && error.status == .invalidArgument)
    #expect(error.domain == "taxon.dev")
    #expect(error.retry == .never && error.breaker == .neutral && error.severity == .warning)
    #expect(error.metadata.isEmpty)
    #expect(
      error.violations.map(\.field) == [
        "violations[0].subject", "violations[0].quotaValue", "violations[1].bogus", "violations[2]", "violation",
      ])
    let text = String(decoding: ErrorBody(error).json, as: UTF8.self)
    #expect(
      text.hasPrefix(
        #"{"error":"VALIDATION_ERROR","message":"Request validation failed","details":{"errors":["#
          + #"{"field":"violations[0].subject","message":"a string is expected","type":"WRONG_TYPE"},"#
          + #"{"field":"violations[0].quotaValue","message":"a number is expected","type":"WRONG_TYPE"},"#
          + #"{"field":"violations[1].bogus","message":"there is no such field","type":"UNKNOWN_FIELD"},"#))
    #expect(!text.contains("secret") && !text.contains("hidden"))
    let wire = try Decoded(WireStatus(error))
    #expect(try wire.badRequest?.fieldViolations == error.violations)
  }

  @Test(arguments: [
    (#"{"fieldViolations":[]}"#, "fieldViolations", "UNKNOWN_FIELD"),
    (#"[]"#, "", "WRONG_TYPE"),
    (#"{"violations":{}}"#, "violations", "WRONG_TYPE"),
    (#"{"violations":[null]}"#, "violations[0]", "WRONG_TYPE"),
    (#"{"violations":[],"violations":[]}"#, "violations", "DUPLICATE"),
    (#"{"violations":[{"quotaDimensions":{"a":"b","a":"c"}}]}"#, "violations[0].quotaDimensions.a", "DUPLICATE"),
    (#"{"violations":[{"quotaValue":1e30}]}"#, "violations[0].quotaValue", "OUT_OF_RANGE"),
    (#"{"violations":[{"quotaValue":1.5}]}"#, "violations[0].quotaValue", "OUT_OF_RANGE"),
  ]) func eachFaultHasItsPathAndReason(text: String, path: String, reason: String) throws {
    let violation = try #require(try error(text).violations.first)
    #expect(violation.field == path)
    #expect(violation.reason == reason)
  }

  @Test func theFirstHundredAreNamedAndTheOthersCounted() throws {
    let error = try error("{\"violations\":[\(String(repeating: "1,", count: 5000))1]}")
    #expect(error.violations.count == 101)
    #expect(error.violations.last == .init(field: "", description: "4901 more violations"))
  }

  @Test func keysAreEscapedInTheAnswer() throws {
    let body = ErrorBody(try error("{\"</script>\u{2028}\\\"\":1}"))
    #expect(
      String(decoding: body.json, as: UTF8.self).contains(#""field":"[\"\u003c/script>\u2028\\\"\"]""#))
  }
}
