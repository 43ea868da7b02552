// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf
import TaxonSchema

/// The classes of errors.
extension ModuleEmitter {
  func emitError(_ message: SchemaMessage) {
    var documentation = Documentation.lines(message.comment, "The error \(message.error?.code ?? message.name).")
    if message.isDeprecated { documentation += ["", "Deprecated."] }
    type(names.className(message), base(of: message), documentation) {
      writer.blank()
      emitDeclaration(of: message)
      emitConstructor(of: message)
      for field in message.fields { emitAttribute(field) }
      for oneof in message.oneofs where !oneof.isSynthetic { emitAttribute(oneof) }
      writer.property("message", "str") { emitMessage(of: message) }
      emitViolations(of: message)
      emitDerivedDetails(of: message)
      emitLocalizedMessages(of: message)
    }
  }

  private func emitDeclaration(of message: SchemaMessage) {
    guard let error = message.error, let traits = message.traits else { return }
    let payload = reference(message.fullName, of: file)
    // The type of an attribute has to be one that type checkers can read.
    if !payload.contains("getattr(") {
      writer.line("payload: \(payload)")
    }
    let categories = message.categories.map { CodeWriter.literal($0.name) }
    var facts = [
      "payload=\(payload)", "domain=\(CodeWriter.literal(message.file.taxonomy?.domain ?? ""))",
      "code=\(CodeWriter.literal(error.code))",
      "categories=(\(categories.joined(separator: ", "))\(categories.count == 1 ? "," : ""))",
      "status=grpc.StatusCode.\(traits.status)", "http_status=\(traits.http)",
      "severity=runtime.Severity.\(traits.severity)", "retry=runtime.RetryClass.\(traits.retry)",
      "breaker=runtime.BreakerClass.\(traits.breaker)",
    ]
    if traits.isRetrySafe { facts.append("is_retry_safe=True") }
    if let retryAfter = traits.retryAfter {
      let seconds = Double(retryAfter.seconds) + Double(retryAfter.nanos) / 1_000_000_000
      facts.append("retry_after=\(seconds)")
    }
    writer.line("declaration = runtime.Declaration(")
    writer.indented { for fact in facts { writer.line("\(fact),") } }
    writer.line(")")
    if let (field, unit) = message.retryAfterField {
      writer.line("retry_after_field = (\"\(field.name)\", \(unit == .milliseconds ? 1000 : 1))")
    }
  }

  private func emitConstructor(of message: SchemaMessage) {
    writer.blank()
    let parameters = ["self", "*"] + message.fields.map(parameter) + ["retry_after: float | None = None"]
    writer.items("def __init__(", parameters, ") -> None:")
    var arguments = ["retry_after"]
    var unspeakable: [String] = []
    for field in message.fields {
      let argument = PythonIdentifier.argument(field.name)
      if PythonIdentifier.keywords.contains(field.name) {
        unspeakable.append("\"\(field.name)\": \(argument)")
      } else {
        arguments.append("\(field.name)=\(argument)")
      }
    }
    if !unspeakable.isEmpty { arguments.append("**{\(unspeakable.joined(separator: ", "))}") }
    writer.indented { writer.items("super().__init__(", arguments, ")") }
  }

  // MARK: Message

  private func emitMessage(of message: SchemaMessage) {
    let texts = texts(of: message.template, in: message)
    guard let expression = plainText(of: message.template, in: message) else {
      return texts.count == 1 ? writer.line("return \(texts[0])") : writer.items("return \"\".join((", texts, "))")
    }
    writer.line("return \(expression)")
  }

  /// An expression for a template.
  func text(of template: Template, in message: SchemaMessage) -> String {
    if let expression = plainText(of: template, in: message) { return expression }
    let texts = texts(of: template, in: message)
    return texts.count == 1 ? texts[0] : "\"\".join((\(texts.joined(separator: ", "))))"
  }

  /// A string, an attribute or an f-string; nil where a text for fields that are not set has characters that an f-string cannot
  /// have inside of its braces before Python 3.12: a backslash, or another pair of the same quotes.
  private func plainText(of template: Template, in message: SchemaMessage) -> String? {
    let parts = template.parts
    if parts.count == 1, case .field(let reference) = parts[0],
      let field = message.fields.first(where: { $0.name == reference.name }), isText(field), isDirect(field, reference)
    {
      return "self.\(PythonIdentifier.attribute(field.name))"
    }
    if template.references.isEmpty {
      return CodeWriter.literal(parts.map { if case .text(let text) = $0 { text } else { "" } }.joined())
    }
    let isPlain = template.references.allSatisfy { reference in
      reference.fallback.map { fallback in
        fallback.allSatisfy { !"\\\"'{}".contains($0) } && fallback.unicodeScalars.allSatisfy { $0.value >= 0x20 }
      } ?? true
    }
    guard isPlain else { return nil }
    let texts = parts.map { part in
      switch part {
      case .text(let text): CodeWriter.escaped(text).replacing("{", with: "{{").replacing("}", with: "}}")
      case .field(let reference): "{\(expression(reference, in: message, quote: "'"))}"
      }
    }
    return "f\"\(texts.joined())\""
  }

  /// The parts of a template as expressions.
  private func texts(of template: Template, in message: SchemaMessage) -> [String] {
    template.parts.map { part in
      switch part {
      case .text(let text): CodeWriter.literal(text)
      case .field(let reference): joined(reference, in: message)
      }
    }
  }

  /// An element of a list of texts.
  func joined(_ reference: Template.Reference, in message: SchemaMessage) -> String {
    let expression = expression(reference, in: message, quote: "\"")
    let isText = message.fields.contains { $0.name == reference.name && self.isText($0) } && !reference.isCount
    return isText || expression.hasPrefix("self.text(") ? expression : "str(\(expression))"
  }

  func expression(_ reference: Template.Reference, in message: SchemaMessage, quote: String) -> String {
    guard let field = message.fields.first(where: { $0.name == reference.name }) else { return "''" }
    let attribute = "self.\(PythonIdentifier.attribute(field.name))"
    let fallback = reference.fallback.map { text in
      quote == "'" ? "'\(CodeWriter.escaped(text))'" : CodeWriter.literal(text)
    }
    if reference.isCount { return "len(\(attribute))\(fallback.map { " or \($0)" } ?? "")" }
    if isDirect(field, reference) { return attribute }
    return "self.text(\(quote)\(field.name)\(quote)\(fallback.map { ", \($0)" } ?? ""))"
  }

  /// Shows as its text without a conversion.
  private func isDirect(_ field: SchemaField, _ reference: Template.Reference) -> Bool {
    guard case .scalar(let scalar) = field.type, !field.isRepeated, !field.isOptional, reference.fallback == nil,
      !reference.isCount
    else { return false }
    switch scalar {
    case .bool, .bytes, .double, .float: return false
    default: return true
    }
  }

  private func isText(_ field: SchemaField) -> Bool {
    if case .scalar(.string) = field.type { !field.isRepeated } else { false }
  }

  // MARK: Violations

  /// From the fields that are marked as parts of a violation, and from those of type FieldViolation.
  private func emitViolations(of message: SchemaMessage) {
    func value(_ violation: Violation) -> String? {
      message.fields.first { $0.rules?.violation == violation }.map { field in
        let attribute = "self.\(PythonIdentifier.attribute(field.name))"
        return field.isOptional && field.defaultText == nil ? "\(attribute) or \"\"" : attribute
      }
    }
    var parts: [String] = []
    if let description = value(.description) {
      parts.append("runtime.FieldViolation(field=\(value(.field) ?? "\"\""), description=\(description))")
    }
    parts += message.fields.filter(\.holdsViolations).map { "*self.\(PythonIdentifier.attribute($0.name))" }
    guard !parts.isEmpty else { return }
    writer.property("violations", "list[runtime.FieldViolation]") { writer.items("return [", parts, "]") }
  }
}

extension SchemaField {
  /// A safe list of google.rpc.BadRequest.FieldViolation.
  fileprivate var holdsViolations: Bool {
    guard case .message(let message) = type, isRepeated, safety == .safe else { return false }
    return message.fullName == "google.rpc.BadRequest.FieldViolation"
  }
}
