// SPDX-License-Identifier: Apache-2.0
import TaxonSchema
import Testing

/// How names in `raises` are found, and what is said of those that are not.
@Suite struct RaisesTests {
  /// Two categories that both have an Invalid, and a service. The option of the method is in line 24.
  private func schema(_ raises: String, more: String = "") -> TestSchema {
    .errors(
      """
      message InputError {
        option (taxon.category) = { status: INVALID_ARGUMENT };
        message Invalid { option (taxon.error) = { code: "A" }; }
        message NotFound { option (taxon.error) = { code: "B" status: NOT_FOUND }; }
        message Deep {
          option (taxon.category) = { status: ABORTED };
          message Conflict { option (taxon.error) = { code: "C" }; }
        }
      }
      message OtherError {
        option (taxon.category) = { status: INTERNAL };
        message Invalid { option (taxon.error) = { code: "D" }; }
      }
      message Request {}
      enum Colour { RED = 0; }
      \(more)
      service S {
        rpc M(Request) returns (Request) {
          option (taxon.raises) = { errors: [\(raises)] };
        }
      }
      """)
  }

  private func raised(_ raises: String) throws -> String {
    try raised(schema(raises))["M"] ?? ""
  }

  /// The errors of each method.
  private func raised(_ test: TestSchema) throws -> [String: String] {
    let (schema, diagnostics) = try test.checked()
    #expect(diagnostics.isEmpty)
    let methods = schema.generatedFiles.flatMap(\.services).flatMap(\.methods)
    return Dictionary(
      uniqueKeysWithValues: methods.map { method in
        (method.name, method.errors.map(\.fullName).joined(separator: " "))
      })
  }

  @Test(arguments: [
    // As a type name.
    ("\"t.InputError.NotFound\"", "t.InputError.NotFound"),
    ("\".t.InputError.NotFound\"", "t.InputError.NotFound"),
    ("\"InputError.NotFound\"", "t.InputError.NotFound"),
    // The only error of that name in a category.
    ("\"NotFound\"", "t.InputError.NotFound"),
    ("\"Conflict\"", "t.InputError.Deep.Conflict"),
    ("\"Deep.Conflict\"", "t.InputError.Deep.Conflict"),
    // A category stands for everything in it.
    ("\"Deep\"", "t.InputError.Deep.Conflict"),
    ("\"InputError\"", "t.InputError.Invalid t.InputError.NotFound t.InputError.Deep.Conflict"),
    // Twice is once.
    ("\"NotFound\", \"InputError\"", "t.InputError.NotFound t.InputError.Invalid t.InputError.Deep.Conflict"),
  ])
  func findsNames(raises: String, types: String) throws {
    #expect(try raised(raises) == types)
  }

  @Test func suggestsTheNearestNameForAnUnknownOne() throws {
    try expect(
      schema("\"NotFond\"").diagnostics(),
      [
        """
        t.proto:23:5: error: raises names "NotFond", and there is no such error or category; did you mean "NotFound"? \
        If another file declares "NotFond", import that file
        """
      ])
  }

  @Test func suggestsANameThatCanBeFound() throws {
    try expect(
      schema("\"OtherError.Invalidd\"").diagnostics(),
      [
        """
        t.proto:23:5: error: raises names "OtherError.Invalidd", and there is no such error or category; \
        did you mean "OtherError.Invalid"? If another file declares "OtherError.Invalidd", import that file
        """
      ])
  }

  @Test func asksForADeclarationWhereNoNameIsNear() throws {
    try expect(
      schema("\"SomethingElse\"").diagnostics(),
      [
        """
        t.proto:23:5: error: raises names "SomethingElse", and there is no such error or category; \
        declare it, import the file that does, or generate the two together
        """
      ])
  }

  @Test func listsTheCandidatesOfAnAmbiguousName() throws {
    try expect(
      schema("\"Invalid\"").diagnostics(),
      [
        """
        t.proto:23:5: error: raises names "Invalid", which could be "InputError.Invalid" or "OtherError.Invalid"; \
        write one of these
        """
      ])
  }

  @Test(arguments: [("Request", "message t.Request"), ("Colour", "enum t.Colour"), ("S", "service t.S")])
  func refusesWhatIsNeitherErrorNorCategory(name: String, what: String) throws {
    try expect(
      schema("\"\(name)\"").diagnostics(),
      [
        "t.proto:23:5: error: raises names \"\(name)\", but \(what) is neither an error nor a category; "
          + "name one that is"
      ])
  }

  @Test func suggestsTheErrorThatAMessageHides() throws {
    try expect(
      schema("\"NotFound\"", more: "message NotFound {}").diagnostics(),
      [
        """
        t.proto:23:5: error: raises names "NotFound", but message t.NotFound is neither an error nor a category; \
        did you mean "InputError.NotFound"?
        """
      ])
  }

  @Test func pointsAtTheNameWhenTheSourceIsAtHand() throws {
    var schema = schema("\"InputError\",\n      \"NotFond\", \"Conflict\", \"Invalid\"")
    schema.hasSources = true
    try expect(
      schema.diagnostics(),
      [
        """
        t.proto:24:7: error: raises names "NotFond", and there is no such error or category; did you mean "NotFound"? \
        If another file declares "NotFond", import that file
        """,
        """
        t.proto:24:30: error: raises names "Invalid", which could be "InputError.Invalid" or "OtherError.Invalid"; \
        write one of these
        """,
      ])
  }

  @Test func aNameThatStandsTwiceInOneListIsAWarning() throws {
    var schema = schema("\"NotFound\", \"Conflict\", \"NotFound\", \"Deep.Conflict\"")
    schema.hasSources = true
    try expect(
      schema.diagnostics(),
      [
        "t.proto:23:40: warning: raises names \"NotFound\" twice; take one of them away",
        """
        t.proto:23:76: warning: raises names "Deep.Conflict", which it names as "Conflict" too; take one of them away
        """,
      ])
  }

  @Test func whatAServiceRaisesMayBeNamedByItsMethodsToo() throws {
    let schema = TestSchema.errors(
      """
      message Gone { option (taxon.error) = { status: ABORTED }; }
      message M {}
      service S {
        option (taxon.service_raises).errors = "Gone";
        rpc Get(M) returns (M) { option (taxon.raises).errors = "Gone"; }
      }
      """)
    try expect(schema.diagnostics(), [])
  }

  @Test func addsWhatServiceAndFileRaiseBehindTheMethodsOwn() throws {
    let schema = TestSchema.errors(
      """
      option (taxon.file_raises) = { errors: "InFile" };
      message InFile { option (taxon.error) = { status: ABORTED }; }
      message InService { option (taxon.error) = { status: ABORTED }; }
      message InMethod { option (taxon.error) = { status: ABORTED }; }
      message Empty {}
      service S {
        option (taxon.service_raises) = { errors: ["InService", "InFile"] };
        rpc M(Empty) returns (Empty) { option (taxon.raises) = { errors: "InMethod" }; }
        rpc N(Empty) returns (Empty);
      }
      """)
    #expect(try raised(schema) == ["M": "t.InMethod t.InService t.InFile", "N": "t.InService t.InFile"])
  }

  @Test func findsErrorsOfFilesThatAreNotImported() throws {
    var schema = TestSchema([
      "a.proto": """
      syntax = "proto3";
      package a;
      import "taxon/taxonomy.proto";
      message Request {}
      service S { rpc M(Request) returns (Request) { option (taxon.raises) = { errors: ["Gone", "b.Lost"] }; } }
      """,
      "b.proto": """
      syntax = "proto3";
      package b;
      import "taxon/taxonomy.proto";
      option (taxon.taxonomy) = { domain: "b.example.com" };
      message Lost { option (taxon.error) = { status: ABORTED }; }
      message C {
        option (taxon.category) = { status: ABORTED };
        message Gone { option (taxon.error) = { code: "GONE" }; }
      }
      """,
    ])
    schema.generating = ["a.proto"]
    #expect(try raised(schema) == ["M": "b.C.Gone b.Lost"])
  }
}
