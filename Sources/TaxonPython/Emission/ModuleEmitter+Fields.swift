// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// The fields of an error as attributes and as arguments.
extension ModuleEmitter {
  /// How a type of protoc's modules is written.
  func reference(_ name: String, of file: SchemaFile) -> String {
    // Outermost first; the package is in the module's name.
    let path = file.package.isEmpty ? name[...] : name.dropFirst(file.package.utf8.count + 1)
    return path.split(separator: ".").reduce(imports.messages(file)) { outer, name in
      PythonIdentifier.keywords.contains(String(name)) ? "getattr(\(outer), \"\(name)\")" : "\(outer).\(name)"
    }
  }

  /// The type of one value.
  func elementType(_ type: FieldType) -> String {
    switch type {
    case .scalar(.string): "str"
    case .scalar(.bytes): "bytes"
    case .scalar(.bool): "bool"
    case .scalar(.double), .scalar(.float): "float"
    case .scalar: "int"
    case .enumeration(let enumeration): reference(enumeration.fullName, of: enumeration.file)
    case .message(let message): reference(message.fullName, of: message.file)
    }
  }

  /// The type of the attribute.
  func attributeType(_ field: SchemaField) -> String {
    if let (key, value) = field.mapTypes { return "Mapping[\(elementType(key)), \(elementType(value))]" }
    let element = elementType(field.type)
    if field.isRepeated { return "Sequence[\(element)]" }
    return field.isOptional && field.defaultText == nil ? "\(element) | None" : element
  }

  /// The constructor's parameter: who raises an error says its fields, but for those that may be unset.
  func parameter(_ field: SchemaField) -> String {
    let type = attributeType(field)
    let name = PythonIdentifier.argument(field.name)
    guard field.isOptional else { return "\(name): \(type)" }
    return "\(name): \(type.hasSuffix(" | None") ? type : "\(type) | None") = None"
  }

  /// The comment, and where the value may go.
  func documentation(of field: SchemaField, otherwise: String? = nil) -> [String] {
    var lines = Documentation.lines(field.comment, otherwise ?? "").filter { !$0.isEmpty || field.comment != nil }
    if field.isDeprecated { lines.append("Deprecated.") }
    switch field.safety {
    case .personal: lines.append("Personal: in the typed payload alone.")
    case .internal: lines.append("Internal: never leaves the process.")
    default: break
    }
    return lines
  }

  func emitAttribute(_ field: SchemaField) {
    writer.property(PythonIdentifier.attribute(field.name), attributeType(field), documentation(of: field)) {
      let hasKeyword = PythonIdentifier.keywords.contains(field.name)
      let value = hasKeyword ? "getattr(self.payload, \"\(field.name)\")" : "self.payload.\(field.name)"
      if field.isOptional && field.defaultText == nil {
        writer.block("if not self.payload.HasField(\"\(field.name)\")") { writer.line("return None") }
      }
      guard hasKeyword else { return writer.line("return \(value)") }
      // Stubs have no such field.
      let type = attributeType(field)
      writer.line("value: \(type) = \(value)")
      writer.line("return value")
    }
  }

  func emitAttribute(_ oneof: SchemaOneof) {
    writer.property(
      PythonIdentifier.attribute(oneof.name), "str | None",
      Documentation.lines(oneof.comment, "Which of \(oneof.fields.map(\.name).joined(separator: ", ")) is set.")
    ) {
      // Stubs of protobuf do not agree on what it returns.
      writer.line("name: str | None = self.payload.WhichOneof(\"\(oneof.name)\")")
      writer.line("return name")
    }
  }
}

extension SchemaField {
  /// May be unset.
  var isOptional: Bool { shape == .optional || oneof != nil }

  /// Has a text of its own: scalars, enums, and lists of them.
  var isTextual: Bool {
    if case .message = type { false } else { true }
  }
}
