// SPDX-License-Identifier: Apache-2.0
import TaxonSchema
import Testing

/// Mistakes in rules of REST.
@Suite struct HTTPRuleDiagnosticsTests {
  /// A schema with a method for each rule; the rules are on lines 20, 21, ….
  private static func schema(_ rules: [String], streams: Bool = false) -> TestSchema {
    let methods = rules.enumerated().map { index, rule in
      "  rpc M\(index)(Request) returns (\(streams ? "stream " : "")Answer) { option (google.api.http) = { \(rule) }; }"
    }
    var schema = TestSchema([
      "t.proto": """
      syntax = "proto2";
      package t;
      import "google/api/annotations.proto";
      message Answer { optional string text = 1; }
      message Part { optional string title = 1; optional Part deeper = 2; required string must = 3; }
      message Request {
        optional string name = 1;
        optional Part part = 2;
        repeated string words = 3;
        map<string, string> labels = 4;
        optional double number = 5;
        optional bytes data = 6;
        repeated Part parts = 7;
        required string must = 8;
        optional E e = 9;
        extensions 100 to 200;
      }
      enum E { ZERO = 0; }
      service S {
      \(methods.joined(separator: "\n"))
      }
      """
    ])
    schema.hasSources = true
    return schema
  }

  @Test(arguments: [
    #"get: "/v1/{name}""#, #"put: "/v1/{part.title}" body: "part""#, #"post: "/v1" body: "*""#,
    #"delete: "/v1/{e}/{data}""#,
    #"patch: "/v1/{part.deeper.title=a/**}:go" body: "*" response_body: "text""#,
    #"custom { kind: "HEAD" path: "/v1" }"#, #"custom { kind: "*" path: "/v1" }"#,
    #"custom { kind: "M-SEARCH" path: "/v1" }"#,
    #"get: "/v1" additional_bindings { get: "/v2" } additional_bindings { post: "/v1" body: "words" }"#,
    #"get: "/v1/{must}""#, #"post: "/v1" body: "labels""#,
  ])
  func ruleIsFine(_ rule: String) throws {
    try expect(Self.schema([rule]).diagnostics(), [])
  }

  @Test(arguments: [
    (
      #"get: "v1""#, "\"v1",
      #""v1" is no path template: the template does not begin with a slash (byte 1); write / in front of it"#
    ),
    (
      #"get: "/v1/{name""#, "{name",
      #""/v1/{name" is no path template: the variable is never closed (byte 5); close it with }"#
    ),
    (
      #"get: "/v1/**/x""#, "x\"",
      #""/v1/**/x" is no path template: segments follow **, which takes all that is left (byte 8); put ** at the end, or write *"#
    ),
    (
      #"get: "/v1/{nam}""#, "{nam}",
      #"variable {nam} names a field, and Request has no field "nam"; did you mean "name"?"#
    ),
    (
      #"get: "/v1/{part.missing}""#, "{part",
      #"variable {part.missing} names a field, and Part has no field "missing"; declare it, or write *"#
    ),
    (
      #"get: "/v1/{name.x}""#, "{name",
      #"variable {name.x} looks into field "name", which is no single message; name a field of the request, or one in a message of it"#
    ),
    (
      #"get: "/v1/{parts.title}""#, "{parts",
      #"variable {parts.title} looks into field "parts", which is no single message; name a field of the request, or one in a message of it"#
    ),
    (
      #"get: "/v1/{words}""#, "{words",
      "variable {words} is repeated, which a path cannot have; write *, or name another field"
    ),
    (
      #"get: "/v1/{labels}""#, "{labels",
      "variable {labels} is a map, which a path cannot have; write *, or name another field"
    ),
    (
      #"get: "/v1/{part}""#, "{part",
      "variable {part} is a message, which a path cannot have; write *, or name another field"
    ),
    (
      #"get: "/v1/{number}""#, "{number",
      "variable {number} is a floating-point number, which a path cannot have; write *, or name another field"
    ),
    (#"get: "/v1/{name}/{name=a}""#, "{name}", "variable {name} is in the path twice; take one away, or write *"),
    (
      #"post: "/v1/{must}" body: "*""#, "{must",
      #"field "must" is required, so the body would have to have it too; make it optional, or take it out of the path"#
    ),
    (
      #"post: "/v1/{part.must}" body: "part""#, "{part",
      #"field "part.must" is required, so the body would have to have it too; make it optional, or take it out of the path"#
    ),
    (
      #"post: "/v1" body: "wrds""#, "\"wrds",
      #"body = "wrds" names a field, and Request has no field "wrds"; did you mean "words"?"#
    ),
    (
      #"post: "/v1" body: "part.title""#, "\"part.title",
      #"body = "part.title" names a field, and Request has no field "part.title"; name a field of Request itself"#
    ),
    (
      #"post: "/v1/{name}" body: "name""#, "\"name\"",
      #"body = "name" names a field that the path has; take it away, or write "*" for all other fields"#
    ),
    (
      #"get: "/v1" body: "*""#, "\"*\"",
      #"body = "*" is set for GET, whose content means nothing (RFC 9110, 9.3.1); take it away, fields that are not in the path come from the query"#
    ),
    (
      #"get: "/v1" response_body: "nothing""#, "\"nothing",
      #"response_body = "nothing" names a field, and Answer has no field "nothing"; declare it"#
    ),
    (
      #"get: "/v1" response_body: "*""#, "\"*",
      #"response_body = "*" names a field, and Answer has no field "*"; leave it out for the whole response"#
    ),
    (#"body: "*""#, "option", "a rule of method M0 has no HTTP method and path; write get: \"/v1/…\", for instance"),
    (#"get: """#, "option", "a rule of method M0 has no path; write one, such as \"/v1/tasks\""),
    (
      #"custom { path: "/v1" }"#, "option",
      "a custom rule of method M0 has no kind; write kind: \"…\" with the HTTP method"
    ),
    (
      #"custom { kind: "GET" path: "/v1" }"#, "\"GET",
      #"kind "GET" has a field of its own; write get: "/v1""#
    ),
    (
      #"custom { kind: "head" path: "/v1" }"#, "\"head",
      #"kind "head" is no HTTP method; write it in capitals, such as HEAD, or * for any"#
    ),
    (
      #"custom { kind: "CONNECT" path: "/v1" }"#, "\"CONNECT",
      #"kind "CONNECT" has no path (RFC 9110, 9.3.6); choose another HTTP method"#
    ),
    (
      #"get: "/v1" selector: "t.S.M0""#, "\"t.S.M0",
      #"selector = "t.S.M0" is for service configurations; take it away, the rule is that of M0"#
    ),
    (
      #"get: "/v1" additional_bindings { get: "/v2" additional_bindings { get: "/v3" } }"#, "\"/v2",
      "an additional binding of method M0 has additional bindings; put them beside it"
    ),
    (
      #"get: "/v1/{a}" additional_bindings { get: "/v1/{b" }"#, "{b",
      #""/v1/{b" is no path template: the variable is never closed (byte 5); close it with }"#
    ),
  ])
  func mistakeIsReported(in rule: String, at word: String, _ message: String) throws {
    let schema = Self.schema([rule])
    let line = try #require(schema.files["t.proto"]).split(separator: "\n", omittingEmptySubsequences: false)[19]
    let column = try #require(line.column(of: word))
    let found = try schema.diagnostics()
    #expect(found.contains("t.proto:20:\(column): error: \(message)"), "\(found)")
  }

  @Test(arguments: [
    (
      [#"get: "/v1/{name}""#, #"get: "/v1/{e}""#],
      "GET /v1/{e} of method M1 matches the same requests as GET /v1/{name} of method M0 at t.proto:20:72"
    ),
    (
      [#"get: "/v1/{name}/b""#, #"get: "/v1/a/{name}""#],
      "GET /v1/a/{name} of method M1 is ambiguous: /v1/a/b fits GET /v1/{name}/b of method M0 at t.proto:20:72, too, and "
        + "neither is more specific"
    ),
    (
      [#"get: "/v1/{name}""#, #"custom { kind: "*" path: "/v1/a" }"#],
      "* /v1/a of method M1 is ambiguous: /v1/a fits GET /v1/{name} of method M0 at t.proto:20:72, too, and neither is "
        + "more specific"
    ),
  ])
  func requestsThatFitTwoRulesAreReported(_ rules: [String], _ message: String) throws {
    let found = try Self.schema(rules).diagnostics()
    #expect(found.count == 1)
    #expect(found.first?.hasPrefix("t.proto:21:") == true)
    #expect(found.first?.hasSuffix(": error: \(message); change one of the paths") == true, "\(found)")
  }

  @Test func bindingsOfOneMethodClashToo() throws {
    let found = try Self.schema([#"get: "/v1/{name}" additional_bindings { get: "/v1/{must}" }"#]).diagnostics()
    #expect(found.count == 1)
    #expect(found.first?.contains("GET /v1/{must} of method M0 matches the same requests as GET /v1/{name}") == true)
  }

  @Test func specificRulesStandBesideGeneralOnes() throws {
    let rules = [
      #"get: "/v1/tasks""#, #"get: "/v1/{name}""#, #"get: "/v1/{name=**}""#, #"post: "/v1/{name}" body: "part""#,
      #"get: "/v1/{name}:go""#,
    ]
    try expect(Self.schema(rules).diagnostics(), [])
  }

  @Test func rulesOfStreamsAreWarnings() throws {
    let found = try Self.schema([#"get: "/v1/{nobody}""#], streams: true).diagnostics()
    #expect(found.count == 1)
    #expect(
      found.first?.hasSuffix(
        "warning: method M0 streams, and REST has one request and one response: nothing answers its path; take the rule away, "
          + "and call the method by gRPC, gRPC-Web or Connect") == true, "\(found)")
  }

  @Test func modelHasTheRules() throws {
    let (schema, _) = try Self.schema([
      #"post: "/v1" body: "part" additional_bindings { custom { kind: "HEAD" path: "/v2" } response_body: "text" }"#
    ]).checked()
    let rules = schema.generatedFiles.flatMap(\.services).flatMap(\.methods).flatMap(\.http)
    #expect(rules.map(\.verb) == ["POST", "HEAD"])
    #expect(rules.map(\.template) == ["/v1", "/v2"])
    #expect(rules.map(\.body) == ["part", ""])
    #expect(rules.map(\.responseBody) == ["", "text"])
    #expect(try schema.json().contains(#""verb" : "HEAD""#))
  }
}

extension Substring {
  /// The column, from 1, of a word.
  fileprivate func column(of word: String) -> Int? {
    let line = Array(self.utf8)
    let word = Array(word.utf8)
    return (0...(line.count - word.count)).first { line[$0..<($0 + word.count)].elementsEqual(word) }.map { $0 + 1 }
  }
}
