// SPDX-License-Identifier: Apache-2.0
import TaxonSchema
import TaxonSwift
import Testing

/// What comes out of a run when there is something to say of the schema.
@Suite struct GeneratorTests {
  @Test func warningsLetCodeBeGenerated() throws {
    let schema = TestSchema.errors(
      """
      message Gone { option (taxon.error) = { status: NOT_FOUND }; }
      message M {}
      service S { rpc Get(M) returns (Gone) { option (taxon.raises) = { errors: ["Gone", "Gone"] }; } }
      """)
    let outcome = try schema.outcome()
    #expect(outcome.diagnostics.map(\.severity) == [.warning, .warning])
    #expect(outcome.files.count == 1)
  }

  @Test func everyMistakeIsReportedInTheOrderOfTheFile() throws {
    let schema = TestSchema.errors(
      """
      message M { C c = 1; }
      message C {
        option (taxon.category) = { status: OK };
        message A { option (taxon.error) = { code: "a" status: ABORTED message: "{x} {y}" }; }
      }
      service S {
        rpc Get(M) returns (M) { option (taxon.raises) = { errors: "Nothing" }; }
      }
      """)
    #expect(try schema.outcome().diagnostics.map(\.location.line) == [5, 7, 8, 8, 8, 11])
    #expect(try schema.outcome().files.isEmpty)
  }
}
