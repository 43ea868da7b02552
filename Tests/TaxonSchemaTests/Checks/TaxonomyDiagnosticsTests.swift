// SPDX-License-Identifier: Apache-2.0
import TaxonSchema
import Testing

/// Mistakes that concern a taxonomy as a whole.
@Suite struct TaxonomyDiagnosticsTests {
  @Test func aTaxonomyNeedsADomain() throws {
    try expect(
      TestSchema.plain("option (taxon.taxonomy) = { name: \"E\" };").diagnostics(),
      [
        """
        t.proto:4:1: error: the taxonomy names no domain; add domain: "…" with a DNS name that you own
        """
      ])
  }

  @Test(arguments: ["example", "Example.com", "example..com", "-a.example.com", "example.com/x", "ex_ample.com"])
  func aDomainIsADNSName(domain: String) throws {
    try expect(
      TestSchema.plain("option (taxon.taxonomy).domain = \"\(domain)\";").diagnostics(),
      [
        """
        t.proto:4:1: error: domain "\(domain)" is not a DNS name; write small letters, digits and hyphens in labels with \
        dots between them, such as "example.com"
        """
      ])
  }

  @Test func aCodeIsTakenOnce() throws {
    let schema = TestSchema.errors(
      """
      message A { option (taxon.error) = { code: "GONE" status: ABORTED }; }
      message B { option (taxon.error) = { code: "GONE" status: ABORTED }; }
      message Gone { option (taxon.error) = { status: ABORTED }; }
      """)
    try expect(
      schema.diagnostics(),
      [
        """
        t.proto:6:13: error: code "GONE" is taken in t.example.com by t.A at t.proto:5:13; choose another code
        """,
        """
        t.proto:7:9: error: code, made from the name Gone, "GONE" is taken in t.example.com by t.A at t.proto:5:13; \
        choose another code
        """,
      ])
  }

  @Test func aCodeIsTakenInAllFilesOfADomain() throws {
    let file = """
      syntax = "proto3";
      package PACKAGE;
      import "taxon/taxonomy.proto";
      option (taxon.taxonomy) = { domain: "DOMAIN" };
      message Gone { option (taxon.error) = { status: ABORTED }; }
      """
    func schema(_ domain: String) -> TestSchema {
      TestSchema([
        "a.proto": file.replacing("PACKAGE", with: "a").replacing("DOMAIN", with: "x.dev"),
        "b.proto": file.replacing("PACKAGE", with: "b").replacing("DOMAIN", with: domain),
      ])
    }
    try expect(schema("y.dev").diagnostics(), [])
    try expect(
      schema("x.dev").diagnostics(),
      [
        """
        b.proto:5:9: error: code, made from the name Gone, "GONE" is taken in x.dev by a.Gone at a.proto:5:9; \
        choose another code
        """
      ])
  }

  @Test func aReservedCodeIsNotUsedAgain() throws {
    let schema = TestSchema.plain(
      """
      option (taxon.taxonomy) = { domain: "t.dev" reserved_codes: ["LOST", "GONE"] };
      message A { option (taxon.error) = { code: "GONE" status: ABORTED }; }
      """)
    try expect(
      schema.diagnostics(),
      [
        """
        t.proto:5:13: error: code "GONE" is reserved at t.proto:4:1, it was used before; choose another code
        """
      ])
  }

  @Test(arguments: [
    ("taskNotFound", "write \"TASK_NOT_FOUND\""), ("Task-Not-Found", "write \"TASK_NOT_FOUND\""),
    ("GONE_", "write \"GONE\""), ("4_GONE", "begin with a capital and use capitals, digits and _"),
  ])
  func aCodeIsUpperSnakeCase(code: String, mend: String) throws {
    let schema = TestSchema.errors("message A { option (taxon.error) = { code: \"\(code)\" status: ABORTED }; }")
    try expect(
      schema.diagnostics(),
      [
        "t.proto:5:13: error: code \"\(code)\" is not in UPPER_SNAKE_CASE (AIP-193); \(mend)"
      ])
  }

  @Test func aCodeHasAtMost63Characters() throws {
    let code = String(repeating: "A", count: 64)
    let schema = TestSchema.errors("message A { option (taxon.error) = { code: \"\(code)\" status: ABORTED }; }")
    try expect(
      schema.diagnostics(),
      [
        "t.proto:5:13: error: code \"\(code)\" is longer than 63 characters (AIP-193); shorten it"
      ])
  }

  @Test func aReservedCodeIsUpperSnakeCaseToo() throws {
    let schema = TestSchema.plain("option (taxon.taxonomy) = { domain: \"t.dev\" reserved_codes: \"gone\" };")
    try expect(
      schema.diagnostics(),
      [
        "t.proto:4:1: error: reserved code \"gone\" is not in UPPER_SNAKE_CASE (AIP-193); write \"GONE\""
      ])
  }

  @Test func errorsAndCategoriesBelongToATaxonomy() throws {
    let schema = TestSchema.plain(
      """
      message A { option (taxon.error) = { status: ABORTED }; }
      message C {
        option (taxon.category) = { status: ABORTED };
        message B { option (taxon.error) = { code: "B" }; }
      }
      """)
    try expect(
      schema.diagnostics(),
      [
        """
        t.proto:4:9: error: error A belongs to no taxonomy; add option (taxon.taxonomy) = { domain: "…" } to the file
        """,
        """
        t.proto:5:9: error: category C belongs to no taxonomy; add option (taxon.taxonomy) = { domain: "…" } to the file
        """,
      ])
  }

  @Test func errorsDoNotNest() throws {
    let schema = TestSchema.errors(
      """
      message A {
        option (taxon.error) = { status: ABORTED };
        message B { option (taxon.error) = { status: ABORTED }; }
        message Plain {
          message C { option (taxon.category) = { status: ABORTED }; }
        }
      }
      """)
    try expect(
      schema.diagnostics(),
      [
        "t.proto:7:11: error: error B stands inside error A; move it out, beside A",
        "t.proto:9:13: error: category C stands inside error A; move it out, beside A",
      ])
  }

  @Test func aMessageIsNotBothCategoryAndError() throws {
    let schema = TestSchema.errors(
      """
      message A {
        option (taxon.category) = { status: ABORTED };
        option (taxon.error) = { code: "A" };
      }
      """)
    try expect(
      schema.diagnostics(),
      [
        """
        t.proto:5:9: error: message A is both a category and an error; take one of the options away, \
        or put the error into the category as a message of its own
        """
      ])
  }
}
