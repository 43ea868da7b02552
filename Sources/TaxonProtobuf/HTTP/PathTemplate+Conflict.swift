// SPDX-License-Identifier: Apache-2.0

/// Why two rules of `google.api.http` cannot stand beside each other.
package enum HTTPRuleConflict: Hashable, Sendable {
  /// Both match the same requests.
  case same
  /// A request fits both, and neither is the more specific one. Has the path of such a request.
  case ambiguous(String)

  /// The conflict of two rules, nil where there is none.
  ///
  /// One rule is more specific than another when every request that fits it fits the other one too, but not the other way
  /// round: `GET /v1/tasks` before `GET /v1/{name}`. Templates that end with a verb are matched before those without one, so
  /// such a pair has no conflict.
  ///
  /// - Parameters: `method` and `other` are HTTP methods, or `*` for any.
  package static func between(
    _ method: String, _ template: PathTemplate, and other: String, _ otherTemplate: PathTemplate
  ) -> HTTPRuleConflict? {
    guard method == other || method == "*" || other == "*" else { return nil }
    guard template.overlaps(otherTemplate) else { return nil }
    let isInside = otherTemplate.covers(template)
    let isOutside = template.covers(otherTemplate)
    if method == other {
      if isInside && isOutside { return .same }
      if isInside || isOutside { return nil }
    } else if other == "*" ? isInside : isOutside {
      return nil
    }
    return .ambiguous(template.example(with: otherTemplate))
  }
}

extension PathTemplate {
  /// Whether some path fits both.
  func overlaps(_ other: PathTemplate) -> Bool {
    guard verb == other.verb else { return false }
    for index in 0..<max(segments.count, other.segments.count) {
      let (one, two) = (segment(index), other.segment(index))
      if one == .rest || two == .rest { return true }
      guard let one, let two else { return false }
      if case .literal(let one) = one, case .literal(let two) = two, one != two { return false }
    }
    return true
  }

  /// Whether every path that fits the other one fits this one. Their verbs must be the same.
  func covers(_ other: PathTemplate) -> Bool {
    for index in 0..<max(segments.count, other.segments.count) {
      guard let one = segment(index) else { return false }
      if one == .rest { return true }
      guard let two = other.segment(index), two != .rest else { return false }
      if one != .one, one != two { return false }
    }
    return true
  }

  /// A path that fits both templates, which overlap.
  func example(with other: PathTemplate) -> String {
    var path = ""
    for index in 0..<max(segments.count, other.segments.count) {
      let pair = [segment(index), other.segment(index)]
      if let text = pair.lazy.compactMap({ if case .literal(let text) = $0 { text } else { nil } }).first {
        path += "/" + Self.escaped(text)
      } else if pair.contains(.one) {
        path += "/x"
      }
    }
    return (path.isEmpty ? "/" : path) + (verb.map { ":" + Self.escaped($0) } ?? "")
  }

  private func segment(_ index: Int) -> Segment? { index < segments.count ? segments[index] : nil }

  /// Text with all but what RFC 3986 §3.3 allows in a segment percent-encoded; a colon too, which begins a verb.
  private static func escaped(_ text: [UInt8]) -> String {
    text.map { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        String(UnicodeScalar(byte))
      case _ where "-._~!$&'()*+,;=@".utf8.contains(byte): String(UnicodeScalar(byte))
      default: PercentCoding.encoded(byte)
      }
    }.joined()
  }
}
