// SPDX-License-Identifier: Apache-2.0

extension Emitter {
  /// The file's extensions, those of one message together, in the order in which the messages come.
  func emitExtensions() {
    var seen: Set<ObjectIdentifier> = []
    for first in file.extensions where seen.insert(ObjectIdentifier(first.extendee)).inserted {
      writer.blank()
      type("extension \(names.reference(first.extendee, from: []))", names.path(first.extendee)) {
        for (index, field) in file.extensions.filter({ $0.extendee === first.extendee }).enumerated() {
          if index > 0 { writer.blank() }
          emitExtension(field)
        }
      }
    }
  }

  private func emitExtension(_ extended: SchemaExtension) {
    let field = extended.field
    let base = names.reference(extended.extendee, from: scope)
    let value = propertyType(field)
    let name = names.property(extended)
    let fact = "`\(extended.fullName)`, extension \(field.number)."
    writer.documentation(extended.comment, fact)
    deprecation(field.isDeprecated)
    writer.block("\(access)var \(Identifier.escaped(name)): \(value)") {
      writer.line("get { self[Self.\(name)] }")
      writer.line("set { self[Self.\(name)] = newValue }")
    }
    writer.line("/// \(fact)")
    let arguments =
      [CodeWriter.literal(extended.fullName), "\(field.number)", tableType(field)]
      + (hasDefault(field) ? declaredDefault(field).map { ["default: \($0)"] } ?? [] : [])
    writer.list(
      "\(access)static let \(Identifier.escaped(name)) = \(runtime("MessageExtension"))<\(base), \(value)>(", arguments,
      ")")
  }
}
