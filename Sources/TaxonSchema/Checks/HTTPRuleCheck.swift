// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// Checks the rules of REST (`google.api.http`): templates, fields that they name, and that no request fits two of them.
struct HTTPRuleCheck {
  let schema: Schema

  func run(_ diagnostics: inout Diagnostics) {
    for file in schema.generatedFiles {
      let methods = file.services.flatMap(\.methods)
      for method in methods where !method.http.isEmpty {
        guard method.kind == .unary else {
          diagnostics.warning(
            method.http[0].place.whole,
            "method \(method.name) streams, and REST has one request and one response: nothing answers its path; "
              + "take the rule away, and call the method by gRPC, gRPC-Web or Connect")
          continue
        }
        for rule in method.http { check(rule, of: method, &diagnostics) }
      }
      checkConflicts(of: methods.filter { $0.kind == .unary }, &diagnostics)
    }
  }

  private func check(_ rule: SchemaHTTPRule, of method: SchemaMethod, _ diagnostics: inout Diagnostics) {
    if rule.isNested {
      diagnostics.error(
        rule.place(naming: rule.template),
        "an additional binding of method \(method.name) has additional bindings; put them beside it")
    }
    if !rule.selector.isEmpty {
      diagnostics.error(
        rule.place(naming: rule.selector),
        "selector = \"\(rule.selector)\" is for service configurations; take it away, the rule is that of \(method.name)"
      )
    }
    guard checkVerb(rule, of: method, &diagnostics) else { return }
    let template: PathTemplate
    do throws(PathTemplateMistake) {
      template = try PathTemplate(rule.template)
    } catch {
      diagnostics.error(
        rule.place(naming: rule.template, offset: error.offset),
        "\"\(rule.template)\" is no path template: \(error.what) (byte \(error.offset + 1)); \(error.mend)")
      return
    }
    checkVariables(template, rule, of: method, &diagnostics)
    checkBody(template, rule, of: method, &diagnostics)
    checkField(rule.responseBody, "response_body", of: method.output, rule, &diagnostics)
  }

  /// Whether the rule has an HTTP method and a path.
  private func checkVerb(
    _ rule: SchemaHTTPRule, of method: SchemaMethod, _ diagnostics: inout Diagnostics
  ) -> Bool {
    if rule.isCustom {
      let place = rule.place(naming: rule.verb)
      if rule.verb.isEmpty {
        diagnostics.error(
          place, "a custom rule of method \(method.name) has no kind; write kind: \"…\" with the HTTP method")
        return false
      }
      if ["GET", "PUT", "POST", "DELETE", "PATCH"].contains(rule.verb) {
        diagnostics.error(
          place, "kind \"\(rule.verb)\" has a field of its own; write \(rule.verb.lowercased()): \"\(rule.template)\"")
        return false
      }
      guard rule.verb == "*" || rule.verb.utf8.allSatisfy({ (65...90).contains($0) || $0 == 45 }) else {
        let mend = "write it in capitals, such as HEAD, or * for any"
        diagnostics.error(place, "kind \"\(rule.verb)\" is no HTTP method; \(mend)")
        return false
      }
      if rule.verb == "CONNECT" {
        diagnostics.error(place, "kind \"CONNECT\" has no path (RFC 9110, 9.3.6); choose another HTTP method")
        return false
      }
    }
    if rule.verb.isEmpty {
      diagnostics.error(
        rule.place.whole,
        "a rule of method \(method.name) has no HTTP method and path; write get: \"/v1/…\", for instance")
      return false
    }
    if rule.template.isEmpty {
      diagnostics.error(
        rule.place.whole, "a rule of method \(method.name) has no path; write one, such as \"/v1/tasks\"")
      return false
    }
    return true
  }

  // MARK: Fields

  private func checkVariables(
    _ template: PathTemplate, _ rule: SchemaHTTPRule, of method: SchemaMethod, _ diagnostics: inout Diagnostics
  ) {
    var seen: Set<String> = []
    for variable in template.variables {
      let place = rule.place(naming: rule.template, offset: rule.offset(of: variable))
      if !seen.insert(variable.name).inserted {
        diagnostics.error(place, "variable {\(variable.name)} is in the path twice; take one away, or write *")
        continue
      }
      guard let field = field(variable, of: method.input, place, &diagnostics) else { continue }
      if let what = field.unfitForPath {
        diagnostics.error(
          place, "variable {\(variable.name)} is \(what), which a path cannot have; write *, or name another field")
      } else if field.shape == .required, !rule.body.isEmpty, rule.body == "*" || variable.path.count > 1 {
        diagnostics.error(
          place,
          "field \"\(variable.name)\" is required, so the body would have to have it too; make it optional, or take it out "
            + "of the path")
      }
    }
  }

  /// The field of a variable; reports when there is none.
  private func field(
    _ variable: PathTemplate.Variable, of message: SchemaMessage, _ place: Place, _ diagnostics: inout Diagnostics
  ) -> SchemaField? {
    var message = message
    var found: SchemaField?
    for name in variable.path {
      if let outer = found {
        guard case .message(let inner) = outer.type, !outer.isRepeated, outer.shape != .map else {
          diagnostics.error(
            place,
            "variable {\(variable.name)} looks into field \"\(outer.name)\", which is no single message; "
              + "name a field of the request, or one in a message of it")
          return nil
        }
        message = inner
      }
      guard let field = message.fields.first(where: { $0.name == name }) else {
        let nearest = Nearest.name(to: name, among: message.fields.map(\.name))
        diagnostics.error(
          place,
          "variable {\(variable.name)} names a field, and \(message.name) has no field \"\(name)\"; "
            + (nearest.map { "did you mean \"\($0)\"?" } ?? "declare it, or write *"))
        return nil
      }
      found = field
    }
    return found
  }

  private func checkBody(
    _ template: PathTemplate, _ rule: SchemaHTTPRule, of method: SchemaMethod, _ diagnostics: inout Diagnostics
  ) {
    guard !rule.body.isEmpty else { return }
    if rule.verb == "GET" || rule.verb == "HEAD" {
      diagnostics.error(
        rule.place(naming: rule.body),
        "body = \"\(rule.body)\" is set for \(rule.verb), whose content means nothing (RFC 9110, 9.3.1); take it away, "
          + "fields that are not in the path come from the query")
    }
    guard rule.body != "*" else { return }
    if template.variables.contains(where: { $0.name == rule.body }) {
      diagnostics.error(
        rule.place(naming: rule.body),
        "body = \"\(rule.body)\" names a field that the path has; take it away, or write \"*\" for all other fields")
      return
    }
    checkField(rule.body, "body", of: method.input, rule, &diagnostics)
  }

  /// A field at the top of a message, as `body` and `response_body` name it.
  private func checkField(
    _ name: String, _ option: String, of message: SchemaMessage, _ rule: SchemaHTTPRule,
    _ diagnostics: inout Diagnostics
  ) {
    guard !name.isEmpty, !message.fields.contains(where: { $0.name == name }) else { return }
    let nearest = Nearest.name(to: name, among: message.fields.map(\.name))
    let mend =
      name == "*" && option == "response_body"
      ? "leave it out for the whole response"
      : name.contains(".")
        ? "name a field of \(message.name) itself" : nearest.map { "did you mean \"\($0)\"?" } ?? "declare it"
    diagnostics.error(
      rule.place(naming: name),
      "\(option) = \"\(name)\" names a field, and \(message.name) has no field \"\(name)\"; \(mend)")
  }

  // MARK: Conflicts

  private func checkConflicts(of methods: [SchemaMethod], _ diagnostics: inout Diagnostics) {
    var earlier: [(rule: SchemaHTTPRule, path: PathTemplate, method: SchemaMethod)] = []
    for method in methods {
      for rule in method.http {
        guard let path = rule.path, !rule.verb.isEmpty else { continue }
        for other in earlier {
          guard let conflict = HTTPRuleConflict.between(rule.verb, path, and: other.rule.verb, other.path) else {
            continue
          }
          let where_ =
            "\(other.rule.description) of method \(other.method.name)"
            + " at \(diagnostics.describe(other.rule.place(naming: other.rule.template)))"
          let what =
            switch conflict {
            case .same: "\(rule.description) of method \(method.name) matches the same requests as \(where_)"
            case .ambiguous(let example):
              "\(rule.description) of method \(method.name) is ambiguous: \(example) fits \(where_), too, and neither is "
                + "more specific"
            }
          diagnostics.error(rule.place(naming: rule.template), "\(what); change one of the paths")
        }
        earlier.append((rule, path, method))
      }
    }
  }
}

extension SchemaHTTPRule {
  /// The byte of the template at which a variable begins: that of the first one with its name.
  fileprivate func offset(of variable: PathTemplate.Variable) -> Int {
    for end in ["}", "="] {
      if let range = template.range(of: "{\(variable.name)\(end)") {
        return template.utf8.distance(from: template.startIndex, to: range)
      }
    }
    return 0
  }
}

extension String {
  /// Where a text begins.
  fileprivate func range(of text: String) -> String.Index? {
    indices.first { self[$0...].hasPrefix(text) }
  }
}

extension SchemaField {
  /// What keeps the field out of paths; nil when nothing does.
  fileprivate var unfitForPath: String? {
    if shape == .map { return "a map" }
    if isRepeated { return "repeated" }
    switch type {
    case .message: return "a message"
    case .scalar(.float), .scalar(.double): return "a floating-point number"
    case .scalar, .enumeration: return nil
    }
  }
}
