// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// A rule of a method's `option (google.api.http)`, or one of its additional bindings.
package struct SchemaHTTPRule {
  /// The HTTP method, such as "GET"; "*" for any, empty where the rule names none.
  package var verb: String
  /// The path template as written.
  package var template: String
  /// The field of the request that the body is; "*" when the body is the request, empty when there is no body.
  package var body: String
  /// The field of the response that the answer's body is; empty when it is the response.
  package var responseBody: String
  /// The template that was read; nil when it is wrong.
  package var path: PathTemplate?
  /// The HTTP method is the `kind` of a `custom` pattern.
  var isCustom: Bool
  /// The rule is an additional binding, and has additional bindings itself.
  var isNested: Bool
  /// `selector`, which only service configurations have.
  var selector: String
  /// Where the option is.
  var place: OptionPlace

  /// The place of a text in the rule, `offset` bytes behind its beginning, when the source can be read.
  func place(naming text: String, offset: Int = 0) -> Place {
    var place = place.whole.naming("\"\(text)\"")
    // The quote comes first.
    place.offset = offset + (offset > 0 ? 1 : 0)
    return place
  }

  /// Such as "GET /v1/tasks".
  var description: String { "\(verb) \(template)" }
}

extension SchemaHTTPRule {
  /// The rule and its additional bindings, as the option has them.
  static func all(_ rule: Google_Api_HttpRule, _ place: OptionPlace) -> [SchemaHTTPRule] {
    [SchemaHTTPRule(rule, isNested: false, place)]
      + rule.additionalBindings.map { SchemaHTTPRule($0, isNested: !$0.additionalBindings.isEmpty, place) }
  }

  private init(_ rule: Google_Api_HttpRule, isNested: Bool, _ place: OptionPlace) {
    (verb, template) =
      switch rule.pattern {
      case .get(let path): ("GET", path)
      case .put(let path): ("PUT", path)
      case .post(let path): ("POST", path)
      case .delete(let path): ("DELETE", path)
      case .patch(let path): ("PATCH", path)
      case .custom(let pattern): (pattern.kind, pattern.path)
      case nil: ("", "")
      }
    isCustom = if case .custom = rule.pattern { true } else { false }
    body = rule.body
    responseBody = rule.responseBody
    path = try? PathTemplate(template)
    self.isNested = isNested
    selector = rule.selector
    self.place = place
  }
}
