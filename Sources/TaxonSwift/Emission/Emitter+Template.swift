// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// Message templates as Swift string literals.
extension Emitter {
  func templateLiteral(of message: SchemaMessage) -> String {
    let parts = message.template.parts.map { part in
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

  /// Interpolates as it should by itself.
  private func isDirect(_ field: SchemaField) -> Bool {
    guard case .scalar(let scalar) = field.type else { return false }
    return !field.isRepeated && scalar != .bytes
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
