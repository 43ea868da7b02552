// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf
import Testing

/// Templates of google.api.http: what is one, where a mistake is, and which two cannot stand beside each other.
@Suite struct PathTemplateTests {
  private static func literal(_ text: String) -> PathTemplate.Segment { .literal(Array(text.utf8)) }

  @Test(arguments: [
    ("/v1/tasks", [literal("v1"), literal("tasks")]),
    ("/*/a/**", [.one, literal("a"), .rest]),
    ("/v1/{name=shelves/*/books/**}", [literal("v1"), literal("shelves"), .one, literal("books"), .rest]),
    ("/a%2Fb%20c/!$&'()+,;=@-._~", [literal("a/b c"), literal("!$&'()+,;=@-._~")]),
  ])
  func segments(of text: String, are expected: [PathTemplate.Segment]) throws {
    let template = try PathTemplate(text)
    #expect(template.segments == expected)
    #expect(template.verb == nil)
  }

  @Test(arguments: [
    ("/v1/{id}", ["id"], [1..<2], false), ("/v1/{a.b_c.d2}", ["a", "b_c", "d2"], [1..<2], false),
    ("/v1/{id=*}:go", ["id"], [1..<2], false), ("/v1/{id=a/*}", ["id"], [1..<3], true),
    ("/v1/{id=**}", ["id"], [1..<2], true), ("/v1/{id=only}", ["id"], [1..<2], false),
  ])
  func variables(of text: String, name: [String], segments: [Range<Int>], isMulti: Bool) throws {
    let variable = try #require(PathTemplate(text).variables.first)
    #expect(variable.path == name)
    #expect([variable.segments] == segments)
    #expect(variable.isMulti == isMulti)
  }

  @Test(arguments: [("/v1:go", "go"), ("/{a}:go%2Fon", "go/on"), ("/a/**:x", "x")])
  func verb(of text: String, is expected: String) throws {
    #expect(try PathTemplate(text).verb == Array(expected.utf8))
  }

  @Test(arguments: [
    ("", 0, "the template does not begin with a slash"),
    ("v1/tasks", 0, "the template does not begin with a slash"),
    ("/", 1, "a segment is empty"),
    ("/v1/", 4, "a segment is empty"),
    ("/v1//tasks", 4, "a segment is empty"),
    ("/v1/{id", 4, "the variable is never closed"),
    ("/v1/{id=a/*", 4, "the variable is never closed"),
    ("/v1/{}", 5, "the name of a field is missing"),
    ("/v1/{9}", 5, "the name of a field is missing"),
    ("/v1/{a.}", 7, "the name of a field is missing"),
    ("/v1/{a..b}", 7, "the name of a field is missing"),
    ("/v1/{a-b}", 6, "- cannot be here"),
    ("/v1/{a={b}}", 7, "a variable is inside another one"),
    ("/v1/{a=}", 7, "a segment is empty"),
    ("/v1/**/tasks", 7, "segments follow **, which takes all that is left"),
    ("/v1/{a=**}/b", 11, "segments follow **, which takes all that is left"),
    ("/v1/{a=**/b}", 10, "segments follow **, which takes all that is left"),
    ("/v1/a*", 5, "variables and wildcards are whole segments"),
    ("/v1/*a", 5, "variables and wildcards are whole segments"),
    ("/v1/***", 6, "variables and wildcards are whole segments"),
    ("/v1/a{b}", 5, "variables and wildcards are whole segments"),
    ("/v1/{b}a", 7, "variables and wildcards are whole segments"),
    ("/v1/a}", 5, "} closes no variable"),
    ("/v1/tasks:", 10, "the verb behind : is empty"),
    ("/v1/tasks:a:b", 11, ": cannot be here"),
    ("/v1/tasks:a/b", 11, "/ cannot be here"),
    ("/v1/tasks?x=1", 9, "? cannot be here"),
    ("/v1/a b", 5, "byte 32 cannot be here"),
    ("/v1/ä", 4, "byte 195 cannot be here"),
    ("/v1/%", 4, "% is not followed by two hexadecimal digits"),
    ("/v1/%2", 4, "% is not followed by two hexadecimal digits"),
    ("/v1/a%zz", 5, "% is not followed by two hexadecimal digits"),
  ])
  func mistakeIsFound(in text: String, at offset: Int, what: String) {
    let mistake = #expect(throws: PathTemplateMistake.self) { try PathTemplate(text) }
    #expect(mistake?.offset == offset)
    #expect(mistake?.what == what)
    #expect(mistake?.mend.isEmpty == false)
  }

  @Test func lengthIsBounded() {
    #expect(throws: Never.self) { try PathTemplate(String(repeating: "/a", count: PathTemplate.maxSegments)) }
    #expect(throws: PathTemplateMistake.self) {
      try PathTemplate(String(repeating: "/a", count: PathTemplate.maxSegments + 1))
    }
    #expect(throws: PathTemplateMistake.self) {
      try PathTemplate("/" + String(repeating: "a", count: PathTemplate.maxLength))
    }
  }

  @Test(
    arguments: [
      // Neither fits what the other does.
      ("GET /v1/a", "GET /v1/b", nil), ("GET /v1/*", "POST /v1/*", nil), ("GET /v1/*", "GET /v1/*/b", nil),
      ("GET /v1/*:go", "GET /v1/*:stop", nil), ("GET /v1/*:go", "GET /v1/*", nil), ("GET /v1/*/a", "GET /v1/*/b", nil),
      // One is more specific.
      ("GET /v1/a", "GET /v1/*", nil), ("GET /v1/*", "GET /v1/**", nil), ("GET /v1", "GET /v1/**", nil),
      ("GET /v1/*/b", "GET /**", nil), ("GET /v1/a", "* /v1/a", nil), ("GET /v1/a", "* /v1/*", nil),
      ("GET /**:go", "GET /a/*:go", nil),
      // Both fit the same.
      ("GET /v1/{a}", "GET /v1/{b=*}", .same), ("* /v1/a", "* /v1/%61", .same), ("GET /**", "GET /{x=**}", .same),
      ("GET /a:go", "GET /a:go", .same),
      // Neither is more specific.
      ("GET /v1/*/b", "GET /v1/a/*", .ambiguous("/v1/a/b")), ("GET /*/x", "GET /a/**", .ambiguous("/a/x")),
      ("GET /v1/*", "* /v1/a", .ambiguous("/v1/a")), ("* /a/*:go", "GET /*/*:go", .ambiguous("/a/x:go")),
      ("GET /*/c%2F", "GET /b%20/*", .ambiguous("/b%20/c%2F")),
    ] as [(String, String, HTTPRuleConflict?)])
  func conflict(of one: String, and other: String, is expected: HTTPRuleConflict?) throws {
    let rules = try [one, other].map { text in
      let parts = text.split(separator: " ").map(String.init)
      return (parts[0], try PathTemplate(parts[1]))
    }
    #expect(HTTPRuleConflict.between(rules[0].0, rules[0].1, and: rules[1].0, rules[1].1) == expected)
    #expect(HTTPRuleConflict.between(rules[1].0, rules[1].1, and: rules[0].0, rules[0].1) == expected)
  }
}
