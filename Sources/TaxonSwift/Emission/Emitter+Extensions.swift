// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

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

  /// The registry of the file's messages and extensions, for JSON.
  func emitRegistry() {
    let messages = file.allMessages.filter { !$0.isMapEntry && $0.category == nil }
      .map { "\(names.reference($0, from: scope)).self" }
    let extensions = file.extensions.map { field in
      "\(names.reference(field.extendee, from: scope)).\(Identifier.escaped(names.property(field)))"
    }
    guard !messages.isEmpty || !extensions.isEmpty else { return }
    let name = Identifier.escaped(Identifier.descriptor(file.path))
    let registry = runtime("TypeRegistry")
    writer.blank()
    writer.block("extension \(registry)") {
      writer.line("/// The messages\(extensions.isEmpty ? "" : " and extensions") of \(file.path).")
      let head = "\(access)static let \(name) = \(registry)("
      if extensions.isEmpty { return writer.list("\(head)[", messages, "])") }
      writer.line(head)
      writer.indented {
        if !messages.isEmpty { writer.list("[", messages, "],") }
        writer.list("extensions: [", extensions, "])")
      }
    }
  }
}
