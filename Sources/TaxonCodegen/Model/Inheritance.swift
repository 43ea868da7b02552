// SPDX-License-Identifier: Apache-2.0

extension DeclaredTraits {
  /// What holds inside a category that says `outer`, where `self` says more.
  func inheriting(_ outer: DeclaredTraits?) -> DeclaredTraits {
    guard let outer else { return self }
    var result = self
    result.status = status ?? outer.status
    // An HTTP status goes with the gRPC status it was declared for: another gRPC status has its own usual one.
    result.http = http ?? (result.status == outer.status ? outer.http : nil)
    result.severity = severity ?? outer.severity
    result.retry = retry ?? outer.retry
    result.breaker = breaker ?? outer.breaker
    result.isSafe = isSafe ?? outer.isSafe
    result.retryAfter = retryAfter ?? outer.retryAfter
    return result
  }
}

extension SchemaMessage {
  /// What a category or an error declares together with what it inherits.
  var inheritedTraits: DeclaredTraits? {
    guard let own = category ?? error?.declared else { return nil }
    return own.inheriting(categories.last?.inheritedTraits)
  }

  /// What holds for an error, or nil when it has no status.
  var traits: Traits? {
    guard let traits = inheritedTraits, let status = traits.status else { return nil }
    let http = traits.http ?? HTTPRules.usual(status)
    return Traits(
      status: status, http: http, severity: traits.severity ?? .error, retry: traits.retry ?? .never,
      breaker: traits.breaker ?? (http >= 500 ? .failure : .neutral), isSafe: traits.isSafe ?? false,
      retryAfter: traits.retryAfter)
  }

  /// The template, or the words of the code where the schema gives none.
  var template: Template {
    guard let error else { return Template() }
    guard error.templateText.isEmpty else { return error.template }
    let words = error.code.split(separator: "_").joined(separator: " ").lowercased()
    return Template(parts: [.text(words.prefix(1).uppercased() + words.dropFirst())])
  }
}
