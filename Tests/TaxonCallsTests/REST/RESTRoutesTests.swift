// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonProtobuf
import Testing

/// Which method a request is for.
@Suite struct RESTRoutesTests {
  private static let rules = [
    HTTPRule("GET", "/v1/tasks"), HTTPRule("POST", "/v1/tasks", body: "part"), HTTPRule("GET", "/v1/tasks/{name}"),
    HTTPRule("PATCH", "/v1/tasks/{name}", body: "*"), HTTPRule("POST", "/v1/tasks/{name}:execute", body: "*"),
    HTTPRule("GET", "/v1/tasks/latest"), HTTPRule("GET", "/v1/{name=shelves/*/books/*}"),
    HTTPRule("GET", "/v1/files/{name=**}"), HTTPRule("GET", "/v1/files"), HTTPRule("POST", "/v1/files/{name=**}:copy"),
    HTTPRule("*", "/v1/any/{name}"), HTTPRule("DELETE", "/v1/any/one"),
    HTTPRule("GET", "/v1/a%20b/{part.title}/{name}"),
  ]

  static func routes(_ rules: [HTTPRule]) throws -> RESTRoutes {
    var routes = RESTRoutes()
    for rule in rules {
      try routes.add(
        rule, method: "/t.S/\(rule.verb)\(rule.template)", request: Everything.descriptor,
        response: Everything.descriptor)
    }
    return routes
  }

  /// The rule that matches, and the names that the path has; or what else is answered.
  private static func outcome(_ verb: String, _ target: String) throws -> String {
    switch try routes(rules).match(verb: verb, target: target) {
    case .none: return "none"
    case .wrongVerb(let allow): return "allow \(allow.joined(separator: ", "))"
    case .malformed(let reason): return reason
    case .call(let call):
      #expect(call.path == "/t.S/\(call.httpRule.verb)\(call.httpRule.template)")
      let request = try call.request(Everything.self, body: UnsafeRawBufferPointer(start: nil, count: 0))
      let title = request.part.map { "\($0.title) " } ?? ""
      return "\(call.httpRule) → \(title)\(request.name)"
    }
  }

  @Test(arguments: [
    ("GET /v1/tasks", "GET /v1/tasks → "),
    ("GET /v1/tasks?name=x", "GET /v1/tasks → x"),
    ("GET /v1/tasks?", "GET /v1/tasks → "),
    ("GET /v1/t%61sks", "GET /v1/tasks → "),
    ("GET /v1/tasks/42", "GET /v1/tasks/{name} → 42"),
    ("GET /v1/tasks/a%2Fb%20c", "GET /v1/tasks/{name} → a/b c"),
    ("GET /v1/tasks/a+b", "GET /v1/tasks/{name} → a+b"),
    ("GET /v1/tasks/%C3%A4", "GET /v1/tasks/{name} → ä"),
    ("GET /v1/tasks/..", "GET /v1/tasks/{name} → .."),
    ("GET /v1/tasks/latest", "GET /v1/tasks/latest → "),
    ("POST /v1/tasks/42:execute", "POST /v1/tasks/{name}:execute → 42"),
    ("POST /v1/tasks/42:exec%75te", "POST /v1/tasks/{name}:execute → 42"),
    ("POST /v1/tasks/a:b:execute", "POST /v1/tasks/{name}:execute → a:b"),
    ("GET /v1/tasks/42:other", "GET /v1/tasks/{name} → 42:other"),
    ("GET /v1/tasks/42:execute", "GET /v1/tasks/{name} → 42:execute"),
    ("GET /v1/tasks/42%3Aexecute", "GET /v1/tasks/{name} → 42:execute"),
    ("GET /v1/shelves/1/books/2", "GET /v1/{name=shelves/*/books/*} → shelves/1/books/2"),
    ("GET /v1/shelves/a%2Fb/books/%41", "GET /v1/{name=shelves/*/books/*} → shelves/a%2Fb/books/A"),
    ("GET /v1/files", "GET /v1/files → "),
    ("GET /v1/files/", "GET /v1/files/{name=**} → "),
    ("GET /v1/files/a/b//c", "GET /v1/files/{name=**} → a/b//c"),
    ("GET /v1/files/a%2fb/%20", "GET /v1/files/{name=**} → a%2fb/ "),
    ("POST /v1/files/a/b:copy", "POST /v1/files/{name=**}:copy → a/b"),
    ("POST /v1/files:copy", "POST /v1/files/{name=**}:copy → "),
    ("PURGE /v1/any/one", "* /v1/any/{name} → one"),
    ("DELETE /v1/any/one", "DELETE /v1/any/one → "),
    ("GET /v1/a%20b/c/d", "GET /v1/a%20b/{part.title}/{name} → c d"),
    ("GET /v1/%61%20%62/c/d", "GET /v1/a%20b/{part.title}/{name} → c d"),
  ])
  func requestIsFor(_ request: String, _ expected: String) throws {
    let parts = request.split(separator: " ", maxSplits: 1).map(String.init)
    #expect(try Self.outcome(parts[0], parts[1]) == expected)
  }

  @Test(arguments: [
    ("PUT /v1/tasks", "allow GET, POST"), ("DELETE /v1/tasks/latest", "allow GET, PATCH"),
    ("HEAD /v1/tasks", "allow GET, POST"), ("get /v1/tasks", "allow GET, POST"),
    ("GET /v1/files:copy", "allow POST"), ("PUT /v1/tasks/42:execute", "allow GET, PATCH, POST"),
    ("GET /", "none"), ("GET ", "none"), ("GET *", "none"), ("GET v1/tasks", "none"), ("GET /v1", "none"),
    ("GET /v1/tasks/", "none"), ("GET /v1//tasks", "none"), ("GET /v1/tasks/1/2", "none"), ("GET //v1/tasks", "none"),
    ("GET /V1/tasks", "none"), ("GET /v1/shelves/1/books/", "none"), ("GET /v1/%zz", "none"),
    ("GET http://host/v1/tasks", "none"),
    ("GET /v1/tasks/%", "The path is not percent-encoded UTF-8"),
    ("GET /v1/tasks/%4", "The path is not percent-encoded UTF-8"),
    ("GET /v1/tasks/%zz", "The path is not percent-encoded UTF-8"),
    ("GET /v1/tasks/%FF", "The path is not percent-encoded UTF-8"),
    ("GET /v1/tasks/%ED%A0%80", "The path is not percent-encoded UTF-8"),
    ("GET /v1/tasks?name=%", "The query is not percent-encoded UTF-8"),
    ("GET /v1/tasks?%FF=1", "The query is not percent-encoded UTF-8"),
  ])
  func otherRequestsAreAnswered(_ request: String, _ expected: String) throws {
    let space = try #require(request.firstIndex(of: " "))
    let target = String(request[request.index(after: space)...])
    #expect(try Self.outcome(String(request[..<space]), target) == expected)
  }

  @Test func longTargetsAreMalformed() throws {
    let target = "/v1/tasks/" + String(repeating: "a", count: RESTRoutes.maxTargetSize)
    #expect(try Self.outcome("GET", target) == "The target is longer than 65536 bytes")
    #expect(try Self.outcome("GET", String(repeating: "/", count: 100_000)) == "none")
  }

  @Test func withoutRulesNothingMatches() throws {
    let routes = RESTRoutes()
    #expect(routes.isEmpty)
    guard case .none = routes.match(verb: "GET", target: "/v1/tasks") else {
      Issue.record("there is no method")
      return
    }
  }

  @Test(arguments: [
    (HTTPRule("GET", "/v1/{wait"), "at byte 4: the variable is never closed; close it with }"),
    (HTTPRule("", "/v1"), "\"\" is no HTTP method"),
    (HTTPRule("G T", "/v1"), "\"G T\" is no HTTP method"),
    (HTTPRule("GET", "/v1/{nobody}"), "variable {nobody}: there is no field \"nobody\" in taxon.rest.Everything"),
    (HTTPRule("GET", "/v1/{name.x}"), "variable {name.x}: \"name\" is no single message, and has no fields"),
    (HTTPRule("GET", "/v1/{parts.title}"), "variable {parts.title}: \"parts\" is no single message, and has no fields"),
    (HTTPRule("GET", "/v1/{words}"), "variable {words} is no single scalar"),
    (HTTPRule("GET", "/v1/{part}"), "variable {part} is no single scalar"),
    (HTTPRule("GET", "/v1/{labels}"), "variable {labels} is no single scalar"),
    (HTTPRule("GET", "/v1/{name}/{name}"), "variable {name} is there twice"),
    (HTTPRule("POST", "/v1", body: "nobody"), "taxon.rest.Everything has no field \"nobody\" for the body"),
    (HTTPRule("POST", "/v1/{name}", body: "name"), "field \"name\" is both in the path and the body"),
    (
      HTTPRule("POST", "/v1", responseBody: "x"),
      "taxon.rest.Everything has no field \"x\" for the body of the answer"
    ),
    (HTTPRule("GET", "/v1/tasks/{name=*}"), "it matches the same requests as /t.S/GET/v1/tasks/{name} does"),
    (
      HTTPRule("*", "/v1/tasks/latest"),
      "/v1/tasks/latest fits GET /v1/tasks/{name} of /t.S/GET/v1/tasks/{name} too, and neither is more specific"
    ),
  ])
  func wrongRulesAreRefused(_ rule: HTTPRule, _ reason: String) throws {
    var routes = try Self.routes(Self.rules)
    let error = #expect(throws: RESTRouteError.self) {
      try routes.add(
        rule, method: "/t.S/New", request: Everything.descriptor, response: Everything.descriptor)
    }
    #expect(error?.description == "\(rule) of /t.S/New: \(reason)")
  }
}
