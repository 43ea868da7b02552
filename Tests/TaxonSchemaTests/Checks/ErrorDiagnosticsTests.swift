// SPDX-License-Identifier: Apache-2.0
import TaxonSchema
import Testing

/// Mistakes in what an error declares.
@Suite struct ErrorDiagnosticsTests {
  private func diagnostics(_ option: String, _ fields: String = "") throws -> [String] {
    try TestSchema.errors("message A {\noption (taxon.error) = { \(option) };\n\(fields)\n}").diagnostics()
  }

  // MARK: Status

  @Test func anErrorNeedsAStatus() throws {
    try expect(
      diagnostics("code: \"A\""),
      [
        "t.proto:5:9: error: error A has no status; add status: … to it or to a category around it"
      ])
  }

  @Test func okIsNoError() throws {
    let expected = "status OK is not an error; choose one of the other codes of google.rpc.Code"
    try expect(diagnostics("status: OK"), ["t.proto:6:1: error: \(expected)"])
    let category = TestSchema.errors("message C { option (taxon.category).status = OK; }")
    try expect(category.diagnostics(), ["t.proto:5:13: error: \(expected)"])
  }

  @Test(arguments: [
    ("NOT_FOUND", 200, "http 200 is not an error; choose 400 to 599, or leave http out for 404"),
    ("NOT_FOUND", 600, "http 600 is not an error; choose 400 to 599, or leave http out for 404"),
    (
      "NOT_FOUND", 500,
      "status NOT_FOUND and http 500 contradict each other, NOT_FOUND goes with 400 to 499; leave http out for 404"
    ),
    (
      "INTERNAL", 400,
      "status INTERNAL and http 400 contradict each other, INTERNAL goes with 500 to 599; leave http out for 500"
    ),
    (
      "INTERNAL", 404,
      "status INTERNAL and http 404 contradict each other, 404 belongs to NOT_FOUND; leave http out for 500, "
        + "or declare status NOT_FOUND"
    ),
    (
      "INVALID_ARGUMENT", 401,
      "status INVALID_ARGUMENT and http 401 contradict each other, 401 belongs to UNAUTHENTICATED; "
        + "leave http out for 400, or declare status UNAUTHENTICATED"
    ),
    (
      "UNAVAILABLE", 429,
      "status UNAVAILABLE and http 429 contradict each other, 429 belongs to RESOURCE_EXHAUSTED; "
        + "leave http out for 503, or declare status RESOURCE_EXHAUSTED"
    ),
    (
      "RESOURCE_EXHAUSTED", 500,
      "status RESOURCE_EXHAUSTED and http 500 contradict each other, RESOURCE_EXHAUSTED goes with 413, 429, 431, 503 or 507; "
        + "leave http out for 429"
    ),
  ])
  func statusAndHTTPAgree(status: String, http: Int, mistake: String) throws {
    try expect(diagnostics("status: \(status) http: \(http)"), ["t.proto:6:1: error: \(mistake)"])
  }

  @Test(arguments: [
    ("RESOURCE_EXHAUSTED", 413), ("RESOURCE_EXHAUSTED", 503), ("RESOURCE_EXHAUSTED", 507), ("UNAVAILABLE", 500),
    ("INVALID_ARGUMENT", 422), ("CANCELLED", 499), ("UNKNOWN", 520), ("UNAUTHENTICATED", 407),
  ])
  func otherPairsAreFine(status: String, http: Int) throws {
    try expect(diagnostics("status: \(status) http: \(http)"), [])
  }

  @Test func aContradictionWithWhatIsInheritedIsReportedOnceAndWhereItArises() throws {
    let schema = TestSchema.errors(
      """
      message C {
        option (taxon.category) = { status: INTERNAL http: 404 };
        message A { option (taxon.error) = { code: "A" }; }
        message B { option (taxon.error) = { http: 403 }; }
      }
      """)
    try expect(
      schema.diagnostics(),
      [
        """
        t.proto:6:3: error: status INTERNAL and http 404 contradict each other, 404 belongs to NOT_FOUND; \
        leave http out for 500, or declare status NOT_FOUND
        """,
        """
        t.proto:8:15: error: status INTERNAL and http 403 contradict each other, 403 belongs to PERMISSION_DENIED; \
        leave http out for 500, or declare status PERMISSION_DENIED
        """,
      ])
  }

  @Test func timeToWaitIsNotNegative() throws {
    try expect(
      diagnostics("status: ABORTED retry_after { seconds: -1 }"),
      [
        "t.proto:6:1: error: retry_after is negative; write the time to wait, or leave it out"
      ])
  }

  @Test(arguments: ["seconds: 315576000001", "seconds: 9223372036854775807", "seconds: 1 nanos: 1000000000"])
  func timeToWaitIsADuration(_ time: String) throws {
    try expect(
      diagnostics("status: ABORTED retry_after { \(time) }"),
      [
        """
        t.proto:6:1: error: retry_after is out of bounds; durations have at most 315576000000 seconds and less than \
        1000000000 nanos
        """
      ])
  }

  // MARK: Templates

  @Test(arguments: [
    ("{taskid}", "the template names {taskid}, and A has no field \"taskid\"; did you mean {task_id}?"),
    (
      "{colour}",
      "the template names {colour}, and A has no field \"colour\"; declare the field, or take it out of the template"
    ),
    ("{task_id.count}", "the template counts {task_id.count}, which is not repeated; write {task_id}"),
    ("{task_id.size}", "the template has {task_id.size}; only .count can follow a field's name"),
    ("{inner}", "the template names {inner}, which is a message; name a scalar field"),
    ("{inners|none}", "the template names {inners|none}, which is a message; write {inners.count}"),
    ("{labels}", "the template names {labels}, which is a map; write {labels.count}"),
    (
      "{owner}",
      "the template names {owner}, which is PERSONAL and may only go into the payload; take it out of the template"
    ),
    (
      "{detail}",
      "the template names {detail}, which is INTERNAL and never leaves the process; take it out of the template"
    ),
    ("Task {task_id", "a { in the template is never closed; close it with }, or write {{ for a brace"),
    ("{a {task_id}", "a { in the template is never closed; close it with }, or write {{ for a brace"),
    ("Task task_id}", "a } in the template closes nothing; write }} for a brace"),
    ("Task {}", "the template has braces without a name; write the name of a field, or {{ and }} for braces"),
    ("Task {|x}", "the template has braces without a name; write the name of a field, or {{ and }} for braces"),
  ])
  func templatesAreChecked(template: String, mistake: String) throws {
    let fields = """
      string task_id = 1; A inner = 2; repeated A inners = 3; map<string, string> labels = 4;
      string owner = 5 [(taxon.field).safety = PERSONAL]; string detail = 6 [(taxon.field).safety = INTERNAL];
      """
    let found = try diagnostics("status: ABORTED message: \"\(template)\"", fields)
    #expect(found == ["t.proto:6:1: error: \(mistake)"])
  }

  @Test func allMistakesOfATemplateAreReported() throws {
    #expect(
      try diagnostics("status: ABORTED message: \"{one} {two}\"", "string three = 1;").count == 2)
  }

  // MARK: Rules of fields

  @Test func aViolationIsAString() throws {
    let fields = """
      int32 a = 1 [(taxon.field).violation = FIELD];
      repeated string b = 2 [(taxon.field) = { violation: DESCRIPTION }];
      """
    try expect(
      diagnostics("status: ABORTED", fields),
      [
        "t.proto:7:14: error: violation = FIELD is set on field \"a\", which is not a string; take it away or use a string",
        "t.proto:8:24: error: violation = DESCRIPTION is set on field \"b\", which is not a string; "
          + "take it away or use a string",
      ])
  }

  @Test func aFieldInViolationNeedsADescription() throws {
    try expect(
      diagnostics("status: ABORTED", "string a = 1 [(taxon.field).violation = FIELD];"),
      [
        """
        t.proto:7:15: error: violation = FIELD is set on field "a" and no field says what is wrong with it; \
        add violation = DESCRIPTION to a string field
        """
      ])
  }

  @Test func aViolationIsSafe() throws {
    let field = "string a = 1 [(taxon.field) = { violation: DESCRIPTION safety: PERSONAL }];"
    try expect(
      diagnostics("status: ABORTED", field),
      [
        """
        t.proto:7:15: error: violation = DESCRIPTION would send to everybody field "a", which is PERSONAL; \
        take one of them away
        """
      ])
  }

  @Test func aViolationHasOneDescription() throws {
    let fields = """
      string a = 1 [(taxon.field).violation = DESCRIPTION];
      string b = 2 [(taxon.field).violation = DESCRIPTION];
      """
    try expect(
      diagnostics("status: ABORTED", fields),
      [
        "t.proto:8:15: error: violation = DESCRIPTION is set on field \"a\" already; leave it on one of them"
      ])
  }

  @Test func rulesStandOnFieldsOfErrors() throws {
    let schema = TestSchema.plain("message M {\n  string a = 1 [(taxon.field).safety = INTERNAL];\n}")
    try expect(
      schema.diagnostics(),
      [
        """
        t.proto:5:17: error: (taxon.field) is set on field "a", but message M is not an error; take the option away
        """
      ])
  }

  @Test func theWordIsPointedAtWhenTheSourceIsAtHand() throws {
    var schema = TestSchema.errors(
      """
      message A {
        option (taxon.error) = {
          status: NOT_FOUND
          http: 500
          message: "{a}"
        };
      }
      """)
    schema.hasSources = true
    #expect(try schema.checked().diagnostics.map { "\($0.location)" } == ["t.proto:8:5", "t.proto:9:14"])
  }
}
