// SPDX-License-Identifier: Apache-2.0
import Foundation
import TaxonSwift
import Testing

/// What an error takes from its categories, and what holds where nothing is said.
@Suite struct InheritanceTests {
  /// The declaration of error E, without what comes first in each.
  private func declaration(_ error: String, in categories: String...) throws -> String {
    try declaration(error, in: categories)
  }

  private func declaration(_ error: String, in categories: [String]) throws -> String {
    var text = "message E { option (taxon.error) = { \(error) }; }"
    for (index, category) in categories.reversed().enumerated() {
      text = "message C\(index) { option (taxon.category) = { \(category) }; \(text) }"
    }
    let swift = try TestSchema.errors(text).swift()
    let start = try #require(swift.range(of: "ErrorDeclaration(")).upperBound
    let facts = swift[start...].split(whereSeparator: \.isWhitespace).joined(separator: " ")
    let status = try #require(facts.range(of: "status: ")).upperBound
    let end = try #require(facts.range(of: ") var message")).lowerBound
    return String(facts[status..<end])
  }

  @Test(arguments: [
    ("CANCELLED", "cancelled", 499), ("UNKNOWN", "unknown", 500), ("INVALID_ARGUMENT", "invalidArgument", 400),
    ("DEADLINE_EXCEEDED", "deadlineExceeded", 504), ("NOT_FOUND", "notFound", 404),
    ("ALREADY_EXISTS", "alreadyExists", 409), ("PERMISSION_DENIED", "permissionDenied", 403),
    ("RESOURCE_EXHAUSTED", "resourceExhausted", 429), ("FAILED_PRECONDITION", "failedPrecondition", 400),
    ("ABORTED", "aborted", 409), ("OUT_OF_RANGE", "outOfRange", 400), ("UNIMPLEMENTED", "unimplemented", 501),
    ("INTERNAL", "internalError", 500), ("UNAVAILABLE", "unavailable", 503), ("DATA_LOSS", "dataLoss", 500),
    ("UNAUTHENTICATED", "unauthenticated", 401),
  ])
  func withoutMoreAStatusHasItsUsualTraits(status: String, name: String, http: Int) throws {
    #expect(
      try declaration("status: \(status)")
        == ".\(name), httpStatus: \(http), severity: .error, retry: .never, "
        + "breaker: .\(http >= 500 ? "failure" : "neutral")")
  }

  @Test func anErrorInheritsWhatItDoesNotSay() throws {
    let category = """
      status: INVALID_ARGUMENT http: 422 severity: INFO retry: THROTTLED breaker: SUCCESS safe: true
      retry_after { seconds: 3 }
      """
    let inherited =
      ".invalidArgument, httpStatus: 422, severity: .info, retry: .throttled, breaker: .success, isRetrySafe: true, "
      + "retryAfter: .seconds(3)"
    #expect(try declaration("code: \"E\"", in: category) == inherited)
    #expect(try declaration("code: \"E\"", in: category, "status: INVALID_ARGUMENT") == inherited)
  }

  @Test func anErrorOverridesWhatItSays() throws {
    #expect(
      try declaration(
        "http: 400 severity: CRITICAL retry: NEVER breaker: NEUTRAL safe: false retry_after { nanos: 5000000 }",
        in: "status: INVALID_ARGUMENT http: 422 severity: INFO retry: THROTTLED breaker: SUCCESS safe: true")
        == ".invalidArgument, httpStatus: 400, severity: .critical, retry: .never, breaker: .neutral, "
        + "retryAfter: .milliseconds(5)")
  }

  @Test func theInnerCategoryCountsMore() throws {
    #expect(
      try declaration("code: \"E\"", in: "status: INTERNAL severity: INFO", "severity: DEBUG retry: TRANSIENT")
        == ".internalError, httpStatus: 500, severity: .debug, retry: .transient, breaker: .failure")
  }

  @Test(arguments: 1...6)
  func everyTraitIsInheritedFromAnyDepth(depth: Int) throws {
    let inner = Array(repeating: "", count: depth - 1)
    let traits =
      "status: INVALID_ARGUMENT http: 422 severity: INFO retry: THROTTLED breaker: SUCCESS safe: true retry_after { seconds: 3 }"
    #expect(
      try declaration("code: \"E\"", in: [traits] + inner)
        == ".invalidArgument, httpStatus: 422, severity: .info, retry: .throttled, breaker: .success, isRetrySafe: true, "
        + "retryAfter: .seconds(3)")
    // Each of the traits may be said at a depth of its own.
    let apart = ["status: INVALID_ARGUMENT http: 422", "severity: INFO", "retry: THROTTLED", "breaker: SUCCESS"]
    #expect(
      try declaration("retry_after { seconds: 3 }", in: apart + ["safe: true"] + inner)
        == ".invalidArgument, httpStatus: 422, severity: .info, retry: .throttled, breaker: .success, isRetrySafe: true, "
        + "retryAfter: .seconds(3)")
  }

  @Test func anotherStatusHasItsOwnHTTPStatus() throws {
    #expect(
      try declaration("status: RESOURCE_EXHAUSTED", in: "status: UNAVAILABLE http: 500")
        == ".resourceExhausted, httpStatus: 429, severity: .error, retry: .never, breaker: .neutral")
    #expect(
      try declaration("status: UNAVAILABLE", in: "status: UNAVAILABLE http: 500")
        == ".unavailable, httpStatus: 500, severity: .error, retry: .never, breaker: .failure")
    #expect(
      try declaration("code: \"E\"", in: "status: INTERNAL http: 502", "status: UNAVAILABLE")
        == ".unavailable, httpStatus: 503, severity: .error, retry: .never, breaker: .failure")
  }

  @Test func anErrorInheritsEveryTraitThroughCategoriesOfAnyDepth() throws {
    let inherited =
      ".invalidArgument, httpStatus: 422, severity: .info, retry: .throttled, breaker: .success, isRetrySafe: true, "
      + "retryAfter: .seconds(3)"
    #expect(
      try declaration(
        "code: \"E\"", in: "status: INVALID_ARGUMENT http: 422", "severity: INFO", "retry: THROTTLED",
        "breaker: SUCCESS",
        "safe: true", "retry_after { seconds: 3 }", "") == inherited)
  }

  @Test func withoutACodeTheNameIsTheCode() throws {
    let swift = try TestSchema.errors("message NoSuchTask { option (taxon.error) = { status: NOT_FOUND }; }").swift()
    #expect(swift.contains("code: \"NO_SUCH_TASK\", status"))
    #expect(swift.contains("var message: String { \"No such task\" }"))
  }
}
