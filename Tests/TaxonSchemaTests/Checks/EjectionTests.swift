// SPDX-License-Identifier: Apache-2.0
import TaxonSchema
import Testing

/// The warning of errors for which Envoy takes a healthy server out of service.
@Suite struct EjectionTests {
  private func schema(_ option: String, comment: String = "") -> TestSchema {
    var schema = TestSchema.errors("\(comment)\nmessage OnLoan {\n  option (taxon.error) = { \(option) };\n}")
    schema.hasSources = true
    return schema
  }

  @Test(arguments: ["UNAVAILABLE", "INTERNAL", "UNKNOWN", "DATA_LOSS", "DEADLINE_EXCEEDED", "UNIMPLEMENTED"])
  func aRetryableErrorThatIsNoFailureHasAStatusThatCountsAgainstNobody(status: String) throws {
    for retry in ["TRANSIENT", "THROTTLED"] {
      try expect(
        schema("status: \(status) retry: \(retry) breaker: NEUTRAL").diagnostics(),
        [
          """
          t.proto:7:36: warning: error OnLoan is retryable (\(retry)) and not a failure of the server (breaker NEUTRAL), \
          but Envoy's outlier detection takes servers out of service for \(status); choose status RESOURCE_EXHAUSTED, \
          FAILED_PRECONDITION or ABORTED, or breaker: FAILURE, or silence this with the comment \
          "taxon:ignore host-ejection"
          """
        ])
    }
  }

  @Test(arguments: [
    "status: RESOURCE_EXHAUSTED retry: TRANSIENT breaker: NEUTRAL",
    "status: FAILED_PRECONDITION retry: TRANSIENT", "status: ABORTED retry: THROTTLED breaker: NEUTRAL",
    "status: UNAVAILABLE retry: TRANSIENT", "status: UNAVAILABLE retry: TRANSIENT breaker: FAILURE",
    "status: UNAVAILABLE retry: NEVER breaker: NEUTRAL", "status: UNAVAILABLE breaker: NEUTRAL",
  ])
  func othersAreFine(option: String) throws {
    try expect(schema(option).diagnostics(), [])
  }

  @Test func whatIsInheritedCountsAndStandsAtTheName() throws {
    let schema = TestSchema.errors(
      """
      message C {
        option (taxon.category) = { status: UNAVAILABLE retry: TRANSIENT breaker: NEUTRAL };
        message A { option (taxon.error) = {}; }
        message B { option (taxon.error) = { breaker: FAILURE }; }
      }
      """)
    let found = try schema.diagnostics()
    #expect(found.count == 1)
    #expect(found.first?.hasPrefix("t.proto:7:11: warning: error A is retryable (TRANSIENT)") == true)
  }

  @Test func aCommentSilencesIt() throws {
    let option = "status: UNAVAILABLE retry: TRANSIENT breaker: NEUTRAL"
    let schema = schema(option, comment: "// Somebody else has it.\n// taxon:ignore host-ejection")
    try expect(schema.diagnostics(), [])

    try expect(
      TestSchema.errors(
        """
        // taxon:ignore host-ejection
        message C {
          option (taxon.category) = { \(option) };
          message A { option (taxon.error) = {}; }
        }
        """
      ).diagnostics(), [])
  }
}
