// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// The methods of a server that are called by REST: finds the one for a request's HTTP method and target. Built once, when the
/// server starts.
///
/// A tree of segments. Of templates that fit, the most specific is found first, because at each segment a text is tried before
/// `*`, and that before `**`. A request visits each node of the tree at most twice, whatever its target.
package struct RESTRoutes: Sendable {
  private var rules: [RESTRule] = []
  /// The first is the root.
  private var nodes = [Node()]
  /// Whether any template ends with a verb.
  private var hasVerbs = false

  /// The most bytes that the target of a request may have.
  package static let maxTargetSize = 65_536

  private struct Node: Sendable {
    var literals: [(text: [UInt8], node: Int)] = []
    /// The node behind a `*`.
    var one: Int?
    /// Templates that end here.
    var ends: [End] = []
    /// Templates whose `**` begins here.
    var rests: [End] = []
  }

  private struct End: Sendable {
    /// What follows the last colon.
    var verb: [UInt8]?
    var rules: [(method: String, index: Int)] = []
  }

  /// No methods.
  package init() {}

  /// True when no method is called by REST.
  package var isEmpty: Bool { rules.isEmpty }

  /// Adds a rule of a unary method.
  ///
  /// - Parameters:
  ///   - path: The gRPC path of the method, such as "/pkg.Service/Method".
  ///   - request: The descriptor of its request.
  ///   - response: The descriptor of its response.
  /// - Throws: When the rule makes no sense for these messages, or a request fits it and a rule that is there, and neither is
  ///   more specific.
  package mutating func add(
    _ rule: HTTPRule, method path: String, request: MessageDescriptor, response: MessageDescriptor
  ) throws(RESTRouteError) {
    let added = try RESTRule(rule, path: path, request: request, response: response)
    for other in rules {
      switch HTTPRuleConflict.between(rule.verb, added.template, and: other.rule.verb, other.template) {
      case nil: continue
      case .same:
        throw RESTRouteError(rule: rule, path: path, reason: "it matches the same requests as \(other.path) does")
      case .ambiguous(let example):
        throw RESTRouteError(
          rule: rule, path: path,
          reason: "\(example) fits \(other.rule) of \(other.path) too, and neither is more specific")
      }
    }
    insert(added)
  }

  private mutating func insert(_ rule: RESTRule) {
    var node = 0
    var isRest = false
    for segment in rule.template.segments {
      switch segment {
      case .rest: isRest = true
      case .one:
        if let next = nodes[node].one {
          node = next
        } else {
          nodes[node].one = nodes.count
          node = nodes.count
          nodes.append(Node())
        }
      case .literal(let text):
        if let next = nodes[node].literals.first(where: { $0.text == text }) {
          node = next.node
        } else {
          nodes[node].literals.append((text, nodes.count))
          node = nodes.count
          nodes.append(Node())
        }
      }
    }
    let added = (method: rule.rule.verb, index: rules.count)
    if isRest {
      Self.insert(added, rule.template.verb, into: &nodes[node].rests)
    } else {
      Self.insert(added, rule.template.verb, into: &nodes[node].ends)
    }
    rules.append(rule)
    hasVerbs = hasVerbs || rule.template.verb != nil
  }

  private static func insert(_ rule: (method: String, index: Int), _ verb: [UInt8]?, into ends: inout [End]) {
    if let index = ends.firstIndex(where: { $0.verb == verb }) {
      ends[index].rules.append(rule)
    } else {
      ends.append(End(verb: verb, rules: [rule]))
    }
  }

  /// Finds the method that a request is for.
  ///
  /// - Parameters:
  ///   - verb: The HTTP method, such as "GET". HEAD is not taken for GET.
  ///   - target: The path and the query as they came, such as "/v1/tasks?page_size=5".
  package func match(verb: String, target: String) -> RESTMatch {
    guard !rules.isEmpty else { return .none }
    var target = target
    return target.withUTF8 { match(verb, $0) }
  }

  private func match(_ method: String, _ target: UnsafeBufferPointer<UInt8>) -> RESTMatch {
    guard target.first == UInt8(ascii: "/") else { return .none }
    let query = target.firstIndex(of: UInt8(ascii: "?"))
    let path = UnsafeBufferPointer(rebasing: target[..<(query ?? target.count)])
    var search = Search(method: method, path: path)
    guard let rule = find(&search) else {
      return search.allowed.isEmpty ? .none : .wrongVerb(allow: search.allowed.sorted())
    }
    guard target.count <= Self.maxTargetSize else {
      return .malformed(reason: "The target is longer than \(Self.maxTargetSize) bytes")
    }
    guard let values = rule.values(in: UnsafeBufferPointer(rebasing: path[..<search.end])) else {
      return .malformed(reason: "The path is not percent-encoded UTF-8")
    }
    guard let query else { return .call(RESTCall(rule: rule, values: values, parameters: [])) }
    let text = UnsafeBufferPointer(rebasing: target[(query + 1)...])
    guard let parameters = RESTCall.parameters(text) else {
      return .malformed(reason: "The query is not percent-encoded UTF-8")
    }
    return .call(RESTCall(rule: rule, values: values, parameters: parameters))
  }
}

extension RESTRoutes {
  /// One request on its way through the tree.
  private struct Search {
    let method: String
    let path: UnsafeBufferPointer<UInt8>
    /// Where the last segment ends: at a colon, or with the path.
    var end: Int
    /// What is behind that colon; nil where none is looked at.
    var verb: UnsafeBufferPointer<UInt8>?
    /// The methods of templates that fit but for their method.
    var allowed: Set<String> = []

    init(method: String, path: UnsafeBufferPointer<UInt8>) {
      self.method = method
      self.path = path
      end = path.count
    }
  }

  /// First with what follows the last colon as a verb, then with all of the path.
  private func find(_ search: inout Search) -> RESTRule? {
    let path = search.path
    let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
    if hasVerbs, let colon = path[slash...].lastIndex(of: UInt8(ascii: ":")) {
      search.end = colon
      search.verb = UnsafeBufferPointer(rebasing: path[(colon + 1)...])
      if let index = walk(0, 0, &search) { return rules[index] }
      search.end = path.count
      search.verb = nil
    }
    return walk(0, 0, &search).map { rules[$0] }
  }

  /// The rule for the path from a slash, or the end, on.
  private func walk(_ node: Int, _ offset: Int, _ search: inout Search) -> Int? {
    guard offset < search.end else {
      return pick(nodes[node].ends, &search) ?? pick(nodes[node].rests, &search)
    }
    let start = offset + 1
    var end = start
    while end < search.end, search.path[end] != UInt8(ascii: "/") { end += 1 }
    if end > start {
      let segment = UnsafeBufferPointer(rebasing: search.path[start..<end])
      for literal in nodes[node].literals where PercentCoding.isEqual(segment, to: literal.text) {
        if let rule = walk(literal.node, end, &search) { return rule }
      }
      if let one = nodes[node].one, let rule = walk(one, end, &search) { return rule }
    }
    return pick(nodes[node].rests, &search)
  }

  private func pick(_ ends: [End], _ search: inout Search) -> Int? {
    for end in ends {
      switch (end.verb, search.verb) {
      case (nil, nil): break
      case (let verb?, let text?): guard PercentCoding.isEqual(text, to: verb) else { continue }
      case (nil, _?), (_?, nil): continue
      }
      if let rule = end.rules.first(where: { $0.method == search.method })
        ?? end.rules.first(where: { $0.method == "*" })
      {
        return rule.index
      }
      for rule in end.rules { search.allowed.insert(rule.method) }
    }
    return nil
  }
}

extension RESTRule {
  /// The texts of the variables in a path that fits the template, which is given without its verb; nil when one is not
  /// percent-encoded UTF-8.
  fileprivate func values(in path: UnsafeBufferPointer<UInt8>) -> [String]? {
    guard !template.variables.isEmpty else { return [] }
    var segments: [Range<Int>] = []
    var offset = 0
    for segment in template.segments {
      let start = min(offset + 1, path.count)
      var end = start
      if segment == .rest {
        end = path.count
      } else {
        while end < path.count, path[end] != UInt8(ascii: "/") { end += 1 }
      }
      segments.append(start..<end)
      offset = end
    }
    var values: [String] = []
    values.reserveCapacity(template.variables.count)
    for variable in template.variables {
      let range =
        segments[variable.segments.lowerBound].lowerBound..<segments[variable.segments.upperBound - 1].upperBound
      let text = UnsafeBufferPointer(rebasing: path[range])
      guard let value = PercentCoding.decode(text, keepsSlashes: variable.isMulti) else { return nil }
      values.append(value)
    }
    return values
  }
}

/// What a request's HTTP method and target lead to.
package enum RESTMatch: Sendable {
  /// No template fits the path.
  case none
  /// Templates fit the path, with these HTTP methods, for `allow` (RFC 9110 §15.5.6); sorted.
  case wrongVerb(allow: [String])
  /// A template fits, but the target is wrong (RFC 9110 §15.5.1); the reason is a sentence without a full stop.
  case malformed(reason: String)
  /// The method, and what the target says of its request.
  case call(RESTCall)
}

/// Why a rule cannot be served.
package struct RESTRouteError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The rule.
  package let rule: HTTPRule
  /// The gRPC path of its method.
  package let path: String
  /// What is wrong.
  package let reason: String
  /// The rule, its method and what is wrong.
  package var description: String { "\(rule) of \(path): \(reason)" }
}
