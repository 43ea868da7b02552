// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf

private let fixedRules = [
  HTTPRule("GET", "/all"), HTTPRule("GET", "/all/{name}/{part.title}"), HTTPRule("POST", "/all", body: "*"),
  HTTPRule("POST", "/all/{name=**}:go", body: "*"),
  HTTPRule("*", "/part/{name=a/*}", body: "part", responseBody: "part"),
  HTTPRule("POST", "/words/{colour}/{flag}/{data}/{int64_value}", body: "words", responseBody: "words"),
  HTTPRule("POST", "/inside/{text}", body: "inside", responseBody: "time"),
]

private let fixedRoutes = routes(fixedRules)

private func routes(_ rules: [HTTPRule]) -> RESTRoutes {
  var routes = RESTRoutes()
  for rule in rules {
    try? routes.add(rule, method: "/t.S/M", request: Everything.descriptor, response: Everything.descriptor)
  }
  return routes
}

/// Lines of input: an HTTP method, a target, two templates; then a body. The templates are given to the parser, compared and
/// served; the target goes to them and to a fixed table.
func fuzzTemplates(_ input: [UInt8]) {
  let lines = input.split(separator: 10, maxSplits: 4, omittingEmptySubsequences: false)
  func line(_ index: Int) -> String { index < lines.count ? String(decoding: lines[index], as: UTF8.self) : "" }
  let (verb, target) = (line(0), line(1))
  let body = lines.count > 4 ? Array(lines[4]) : []
  for template in [line(2), line(3)] {
    do throws(PathTemplateMistake) {
      _ = try PathTemplate(template)
    } catch {
      precondition(error.offset <= template.utf8.count, "a mistake is in the text")
    }
  }
  if let one = try? PathTemplate(line(2)), let two = try? PathTemplate(line(3)) {
    let conflict = HTTPRuleConflict.between(verb, one, and: "GET", two)
    precondition(conflict == HTTPRuleConflict.between("GET", two, and: verb, one), "conflicts are mutual")
    if case .ambiguous(let path)? = conflict {
      // Either of them, alone, takes the path.
      for template in [line(2), line(3)] {
        let routes = routes([HTTPRule("*", template)])
        guard !routes.isEmpty else { continue }
        if case .none = routes.match(verb: "GET", target: path) { preconditionFailure("\(path) fits \(template)") }
      }
    }
  }
  call(routes([HTTPRule(verb, line(2)), HTTPRule("GET", line(3), body: "*")]), verb, target, body)
  call(fixedRoutes, verb, target, body)
}

private func call(_ routes: RESTRoutes, _ verb: String, _ target: String, _ body: [UInt8]) {
  guard case .call(let call) = routes.match(verb: verb, target: target) else { return }
  body.withUnsafeBytes { body in
    guard let request = try? call.request(Everything.self, body: body) else { return }
    // What was read can be written, but for what JSON has no form for.
    _ = try? call.response(request)
  }
}
