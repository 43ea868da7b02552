// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// What of an error leaves the process.
extension Emitter {
  /// Copies without the fields that never leave the process, and without those that only the payload has, where there are any, in the
  /// error itself or in errors inside of it.
  func emitPayloads(of message: SchemaMessage, _ properties: [StoredProperty]) {
    emitPayload("publicPayload", of: message, properties) { $0 == .internal }
    let hasPersonal = message.fields.contains { $0.safety == .personal || isNested($0) { $0 == .personal } }
    if hasPersonal { emitPayload("safePayload", of: message, properties) { $0 != .safe } }
  }

  private func emitPayload(
    _ name: String, of message: SchemaMessage, _ properties: [StoredProperty], _ isReset: (Safety) -> Bool
  ) {
    let resets = resets(name, properties, isReset)
    guard !resets.isEmpty else { return }
    writer.blank()
    writer.block("\(access)var \(name): Self") {
      writer.line("var copy = self")
      if resets.contains(where: { $0.contains("nested.cleared(") }) {
        let types = typesInAny(of: message, isReset).map { "\(names.reference($0, from: scope)).self" }
        let maker = "let nested = \(runtime("NestedErrors"))(.\(name)"
        if types.isEmpty { writer.line("\(maker))") } else { writer.list("\(maker), inAny: [", types, "])") }
      }
      for reset in resets { writer.line(reset) }
      writer.line("return copy")
    }
  }

  /// Statements that unset the fields of some classes of safety in `copy`, and in errors inside of it.
  private func resets(_ payload: String, _ properties: [StoredProperty], _ isReset: (Safety) -> Bool) -> [String] {
    var resets: [String] = []
    for property in properties {
      switch property {
      case .field(let field, _) where isReset(field.safety):
        let name = hasDefault(field) || isStoredPrivately(field) ? kept(field) : self.property(field)
        resets.append("copy.\(name) = \(defaultValue(field) ?? "\(swiftType(field))()")")
      case .field(let field, _) where isNested(field, isReset):
        let name = "copy.\(kept(field))"
        resets.append("\(name) = \(cleared(field, name, payload))")
      case .oneof(let oneof, let members, _):
        let name = self.property(oneof)
        for member in members {
          if isReset(member.safety) {
            resets.append("if case .\(caseName(member)) = copy.\(name) { copy.\(name) = nil }")
          } else if isNested(member, isReset) {
            let pattern = "case .\(caseName(member))(let value)"
            let value = cleared("value", member.type, payload)
            resets.append("if \(pattern) = copy.\(name) { copy.\(name) = .\(caseName(member))(\(value)) }")
          }
        }
      default: break
      }
    }
    return resets
  }

  /// Whether a field that is safe itself holds errors with fields of some classes of safety.
  private func isNested(_ field: SchemaField, _ isReset: (Safety) -> Bool) -> Bool {
    !isReset(field.safety) && nestedSafety.isAffected(field, by: isReset)
  }

  /// The value of a field without what the errors in it keep to themselves.
  private func cleared(_ field: SchemaField, _ value: String, _ payload: String) -> String {
    if let (_, type) = field.mapTypes { return "\(value).mapValues { \(cleared("$0", type, payload)) }" }
    let isSingle = field.shape == .required && !field.isRequiredCycle
    let element = cleared(isSingle ? value : "$0", field.type, payload)
    return isSingle ? element : "\(value).map { \(element) }"
  }

  private func cleared(_ value: String, _ type: FieldType, _ payload: String) -> String {
    if case .message(let message) = type, message.error != nil { return "\(value).\(payload)" }
    return "nested.cleared(\(value))"
  }

  /// The types to be looked for in the Anys that an error holds.
  func typesInAny(of message: SchemaMessage, _ isReset: (Safety) -> Bool) -> [SchemaMessage] {
    guard message.fields.contains(where: { isNested($0, isReset) && nestedSafety.reachesAny($0) }) else { return [] }
    return nestedSafety.typesInAny(message.file, isReset)
  }
}
