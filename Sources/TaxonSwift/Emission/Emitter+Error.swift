// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf
import TaxonSchema

/// The members of an error beside its fields.
extension Emitter {
  func emitErrorMembers(of message: SchemaMessage, _ properties: [StoredProperty]) {
    emitMemberAccessors(properties)
    emitErrorInit(of: message, properties)
    writer.blank()
    emitDeclaration(of: message)
    writer.blank()
    writer.computed("\(access)var message: \(standard("String"))", literal(message.template, in: message))
    emitSafeFields(of: message)
    emitPayloads(of: message, properties)
    emitViolations(of: message)
    emitDerivedDetails(of: message)
    emitLocalizedMessages(of: message)
    emitRetryAfter(of: message)
  }

  /// The arguments with which a union's factory calls the init of an error.
  func errorArguments(_ message: SchemaMessage) -> [String] {
    StoredProperty.all(of: message).map { "\(Identifier.argumentLabel(label($0))): \(Identifier.escaped(label($0)))" }
      + ["retryAfter: retryAfter", "cause: cause"]
  }

  func errorParameters(_ message: SchemaMessage) -> [String] {
    StoredProperty.all(of: message).map { parameter($0, isDemanded: true) }
      + ["retryAfter: \(standard("Duration"))? = nil", "cause: (any \(standard("Error")))? = nil"]
  }

  private func emitErrorInit(of message: SchemaMessage, _ properties: [StoredProperty]) {
    writer.line("/// Makes the error. `retryAfter` is for the caller; `cause` stays in this process.")
    deprecation(message.isDeprecated)
    writer.function("\(access)init", errorParameters(message), "") {
      emitAssignments(properties)
      let isHidden = properties.contains { label($0) == "context" }
      writer.line(
        "\(isHidden ? "self." : "")context = \(runtime("ErrorContext"))(retryAfter: retryAfter, cause: cause)")
    }
  }

  // MARK: Declaration

  private func emitDeclaration(of message: SchemaMessage) {
    guard let error = message.error, let traits = message.traits else { return }
    var facts = [
      "domain: \(CodeWriter.literal(message.file.taxonomy?.domain ?? ""))", "code: \(CodeWriter.literal(error.code))",
    ]
    let categories = message.categories.map { CodeWriter.literal($0.name) }
    if !categories.isEmpty { facts.append("categories: [\(categories.joined(separator: ", "))]") }
    facts += [
      "status: .\(Self.caseName(traits.status))", "httpStatus: \(traits.http)",
      "severity: .\(Self.caseName(traits.severity))", "retry: .\(Self.caseName(traits.retry))",
      "breaker: .\(Self.caseName(traits.breaker))",
    ]
    if traits.isRetrySafe { facts.append("isRetrySafe: true") }
    if let retryAfter = traits.retryAfter { facts.append("retryAfter: \(Self.literal(retryAfter))") }
    writer.list("\(access)static let declaration = \(runtime("ErrorDeclaration"))(", facts, ")")
  }

  /// The case of StatusCode, Severity, RetryClass or BreakerClass.
  private static func caseName(_ value: some ProtobufEnum) -> String {
    let name = Words(value.description.lowercased()).lowerCamel
    return name == "internal" ? "internalError" : name
  }

  /// A value of Swift's Duration.
  static func literal(_ duration: Google_Protobuf_Duration) -> String {
    let nanos = Int64(duration.nanos)
    guard nanos != 0 else { return ".seconds(\(duration.seconds))" }
    let (milliseconds, rest) = nanos.quotientAndRemainder(dividingBy: 1_000_000)
    let fraction = rest == 0 ? ".milliseconds(\(milliseconds))" : ".nanoseconds(\(nanos))"
    return duration.seconds == 0 ? fraction : ".seconds(\(duration.seconds)) + \(fraction)"
  }

  // MARK: Metadata, payload, violations

  /// A member of a oneof as a property of its own, which template and metadata use.
  private func emitMemberAccessors(_ properties: [StoredProperty]) {
    for case .oneof(let oneof, let members, _) in properties {
      for member in members {
        writer.documentation(member.comment, "`\(member.name)`, when it is the one that is set.")
        let name = Identifier.escaped(property(member))
        writer.block("\(access)var \(name): \(elementType(member.type))?") {
          let pattern = ".\(caseName(member))(let value)"
          writer.line("if case \(pattern) = \(Identifier.escaped(property(oneof))) { value } else { nil }")
        }
        writer.blank()
      }
    }
  }

  private func emitSafeFields(of message: SchemaMessage) {
    let fields = message.fields.filter { $0.safety == .safe && $0.isTextual }
    guard !fields.isEmpty else { return }
    let text = runtime("ErrorText")
    let always = fields.filter { $0.shape != .optional && $0.oneof == nil }
    let entries = always.map { "(\"\($0.name)\", \(text)(\(stored($0))))" }
    let type = "[(name: \(standard("String")), text: \(standard("String")))]"
    let head = "\(access)var safeFields: \(type)"
    writer.blank()
    if always.count == fields.count {
      let value = "[\(entries.joined(separator: ", "))]"
      if writer.fits("\(head) { \(value) }") { return writer.line("\(head) { \(value) }") }
      return writer.block(head) { writer.list("[", entries, "]", closing: .ownLine) }
    }
    writer.block(head) {
      if entries.isEmpty {
        writer.line("var safeFields: \(type) = []")
      } else {
        writer.list("var safeFields: \(type) = [", entries, "]", closing: .ownLine)
      }
      for field in fields where field.shape == .optional || field.oneof != nil {
        let value = optionalValue(field)
        let binding = value == property(field) ? value : "value = \(value)"
        let name = value == property(field) ? value : "value"
        writer.line("if let \(binding) { safeFields.append((\"\(field.name)\", \(text)(\(name)))) }")
      }
      writer.line("return safeFields")
    }
  }

  /// From the fields that are marked as parts of a violation, and from those of type FieldViolation.
  private func emitViolations(of message: SchemaMessage) {
    func value(_ violation: Violation) -> String? {
      message.fields.first { $0.rules?.violation == violation }.map { field in
        field.shape == .optional && !hasDefault(field) ? "\(stored(field)) ?? \"\"" : stored(field)
      }
    }
    let type = "\(runtime("Google_Rpc_BadRequest")).FieldViolation"
    var parts = message.fields.filter(\.holdsViolations).map { stored($0) }
    if let description = value(.description) {
      parts.insert("[\(type)(field: \(value(.field) ?? "\"\""), description: \(description))]", at: 0)
    }
    guard !parts.isEmpty else { return }
    writer.blank()
    // A body that begins with such a word would be an accessor.
    if ["get", "set", "willSet", "didSet"].contains(parts[0]) { parts[0] = "self.\(parts[0])" }
    writer.computed("\(access)var violations: [\(type)]", parts.joined(separator: " + "))
  }
}

extension SchemaField {
  /// Has a text of its own: scalars, enums, and lists of them.
  var isTextual: Bool {
    if case .message = type { false } else { true }
  }

  /// A safe list of google.rpc.BadRequest.FieldViolation.
  fileprivate var holdsViolations: Bool {
    guard case .message(let message) = type, isRepeated, safety == .safe else { return false }
    return message.fullName == "google.rpc.BadRequest.FieldViolation"
  }
}

/// Message templates as Swift string literals.
extension Emitter {
  /// A template of an error, or of a category around it.
  func literal(_ template: Template, in message: SchemaMessage) -> String {
    let parts = template.parts.map { part in
      switch part {
      case .text(let text): CodeWriter.escaped(text)
      case .field(let reference): "\\(\(expression(reference, in: message)))"
      }
    }
    return "\"\(parts.joined())\""
  }

  private func expression(_ reference: Template.Reference, in message: SchemaMessage) -> String {
    guard let field = message.fields.first(where: { $0.name == reference.name }) else { return "\"\"" }
    let fallback = reference.fallback.map(CodeWriter.literal)
    let value = stored(field)
    if reference.isCount {
      guard let fallback else { return "\(value).count" }
      return "\(value).isEmpty ? \(fallback) : \(standard("String"))(\(value).count)"
    }
    let text = isText(field) ? value : "\(runtime("ErrorText"))(\(value))"
    if field.shape == .optional || field.oneof != nil {
      let value = optionalValue(field)
      let text = isText(field) ? value : "\(value).map { \(runtime("ErrorText"))($0) }"
      return "\(text) ?? \(fallback ?? "\"\"")"
    }
    guard let fallback else { return isDirect(field) ? value : text }
    return "\(unsetCondition(field, value)) ? \(fallback) : \(text)"
  }

  /// A field with presence as an Optional.
  func optionalValue(_ field: SchemaField) -> String {
    field.oneof == nil ? kept(field) : Identifier.escaped(property(field))
  }

  private func isText(_ field: SchemaField) -> Bool {
    guard case .scalar(.string) = field.type else { return false }
    return !field.isRepeated
  }

  /// Interpolates without a conversion.
  private func isDirect(_ field: SchemaField) -> Bool {
    guard case .scalar(let scalar) = field.type, !field.isRepeated else { return false }
    return switch scalar {
    case .bytes, .double, .float: false
    default: true
    }
  }

  private func unsetCondition(_ field: SchemaField, _ value: String) -> String {
    if field.isRepeated { return "\(value).isEmpty" }
    switch field.type {
    case .scalar(.string), .scalar(.bytes): return "\(value).isEmpty"
    case .scalar(.bool): return "!\(value)"
    case .enumeration: return "\(value).rawValue == 0"
    default: return "\(value) == 0"
    }
  }
}
