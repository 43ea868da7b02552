// SPDX-License-Identifier: Apache-2.0
import TaxonSchema
import Testing

@testable import TaxonSchema

/// Mistakes in the details that an error declares.
@Suite struct DetailDiagnosticsTests {
  /// What is said of an error with the option, which begins on line 6.
  private func said(_ option: String, _ fields: String = "string a = 1;") throws -> [String] {
    let text = "message A { option (taxon.error) = {\nstatus: ABORTED \(option) };\n\(fields) }"
    return try TestSchema.errors(text).diagnostics().map { $0.replacing(#/^t\.proto:\d+:\d+: error: /#, with: "") }
  }

  @Test(arguments: [
    "resource: { type: \"T\" name: \"{a}\" }", "quota: { subject: \"{a|none}\" }",
    "precondition: [{ type: \"T\" subject: \"{a}\" }, { type: \"U\" subject: \"{{\" description: \"{a}\" }]",
    "help: { url: \"https://example.com/{a}\" }", "localized: { locale: \"de\" message: \"{a}\" }",
  ])
  func goodDetailsAreTaken(option: String) throws {
    try expect(said(option), [])
  }

  @Test(arguments: [
    ("resource: { type: \"T\" }", "resource.name of A is not set; write it, or leave the detail out"),
    ("quota: { description: \"d\" }", "quota.subject of A is not set; write it, or leave the detail out"),
    ("precondition: { type: \"T\" }", "precondition.subject of A is not set; write it, or leave the detail out"),
    ("help: { description: \"d\" }", "help.url of A is not set; write it, or leave the detail out"),
    ("localized: { locale: \"de\" }", "localized.message of A is not set; write it, or leave the detail out"),
    (
      "help: { url: \"example.com\" }",
      "help.url \"example.com\" is no link; write one that begins with https:// and has no spaces"
    ),
    (
      "help: { url: \"https://example.com/a b\" }",
      "help.url \"https://example.com/a b\" is no link; write one that begins with https:// and has no spaces"
    ),
    (
      "localized: { locale: \"german!\" message: \"m\" }",
      "locale \"german!\" is no language tag (BCP 47); write one such as \"de\", \"pt-BR\" or \"zh-Hant-TW\""
    ),
    (
      "localized: [{ locale: \"de\" message: \"m\" }, { locale: \"DE\" message: \"n\" }]",
      "locale \"DE\" has a message already; leave one of them"
    ),
    (
      "resource: { type: \"T\" name: \"{b}\" }",
      "the template names {b}, and A has no field \"b\"; did you mean {a}?"
    ),
    ("quota: { subject: \"{a\" }", "a { in the template is never closed; close it with }, or write {{ for a brace"),
  ])
  func mistakesAreTold(option: String, message: String) throws {
    try expect(said(option), [message])
  }

  @Test func onlySafeFieldsAreNamed() throws {
    try expect(
      said("resource: { type: \"T\" name: \"{a}\" }", "string a = 1 [(taxon.field).safety = PERSONAL];"),
      ["the template names {a}, which is PERSONAL and may only go into the payload; take it out of the template"])
  }

  @Test func aMistakeIsAtTheText() throws {
    var schema = TestSchema.errors(
      "message A { option (taxon.error) = {\nstatus: ABORTED resource: { type: \"T\" name: \"{b}\" } };\nstring a = 1; }"
    )
    schema.hasSources = true
    try expect(
      schema.diagnostics(),
      ["t.proto:6:45: error: the template names {b}, and A has no field \"b\"; did you mean {a}?"])
  }

  @Test func whatACategoryNamesEachOfItsErrorsHas() throws {
    let schema = TestSchema.errors(
      """
      message C {
        option (taxon.category) = { status: ABORTED help: { url: "https://x.dev/{a}" } };
        message A { option (taxon.error) = { code: "A" }; string a = 1; }
        message B { option (taxon.error) = { code: "B" }; }
        message D { option (taxon.error) = { code: "D" help: { url: "https://x.dev" } }; }
      }
      """)
    try expect(
      schema.diagnostics(),
      [
        "t.proto:6:3: error: the template names {a}, and B has no field \"a\"; declare the field, or take it out of the template"
      ])
  }

  @Test(arguments: [
    ("int32 a = 1 [(taxon.field).retry_after = SECONDS];", []),
    ("optional uint64 a = 1 [(taxon.field).retry_after = MILLISECONDS];", []),
    (
      "string a = 1 [(taxon.field).retry_after = SECONDS];",
      [
        "retry_after = SECONDS is set on field \"a\", which is no single integer or google.protobuf.Duration; take it away or "
          + "use one of these"
      ]
    ),
    (
      "repeated int32 a = 1 [(taxon.field).retry_after = SECONDS];",
      [
        "retry_after = SECONDS is set on field \"a\", which is no single integer or google.protobuf.Duration; take it away or "
          + "use one of these"
      ]
    ),
    (
      "int32 a = 1 [(taxon.field) = { retry_after: SECONDS safety: INTERNAL }];",
      ["retry_after = SECONDS would send to everybody field \"a\", which is INTERNAL; take one of them away"]
    ),
    (
      "int32 a = 1 [(taxon.field).retry_after = SECONDS]; int32 b = 2 [(taxon.field).retry_after = SECONDS];",
      ["retry_after = SECONDS is set, and on field \"a\" too; leave it on one of them"]
    ),
  ])
  func aFieldSaysHowLongToWait(fields: String, messages: [String]) throws {
    try expect(said("", fields), messages)
  }

  @Test(arguments: [
    "de", "de-CH", "zh-Hant-TW", "sl-rozaj-biske", "de-CH-1901", "es-419", "zh-cmn-Hans-CN", "en-u-ca-buddhist",
    "de-x-own",
  ])
  func languageTagsAreWellFormed(tag: String) {
    #expect(LanguageTag.isWellFormed(tag))
  }

  @Test(arguments: [
    "", "d", "de_CH", "de-", "-de", "de--CH", "123", "de-a", "dé", "x-own", String(repeating: "de-", count: 30),
  ])
  func otherTextsAreNoLanguageTags(tag: String) {
    #expect(!LanguageTag.isWellFormed(tag))
  }
}
