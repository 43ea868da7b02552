// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

extension Emitter {
  /// Writes a message or an error, which is a message with further members.
  func emitMessage(_ message: SchemaMessage) {
    let path = names.path(message)
    let properties = StoredProperty.all(of: message)
    let conformance = runtime(message.error == nil ? "Message" : "DeclaredError")
    let kind = message.error == nil ? "message" : "error"
    writer.documentation(message.comment, "The \(kind) `\(message.fullName)`.")
    type("\(access)struct \(Identifier.escaped(path[path.count - 1])): \(conformance)", path) {
      for property in properties { emitProperty(property) }
      if message.error != nil {
        writer.line(
          "/// The cause, the time to wait, and what else goes with this occurrence; not part of the message.")
        writer.line("\(access)var context: \(runtime("ErrorContext"))")
      }
      writer.line("/// Fields of the wire that this type does not know.")
      writer.line("\(access)var unknownFields = \(runtime("UnknownFields"))()")
      for property in properties { emitOneofType(property) }
      writer.blank()
      if message.error == nil { emitInit(of: message, properties) } else { emitErrorMembers(of: message, properties) }
      writer.blank()
      emitTable(of: message, properties)
      for declaration in Declaration.inOrder(messages: message.messages, enums: message.enums) {
        writer.blank()
        emit(declaration)
      }
    }
  }

  // MARK: Properties

  private func emitProperty(_ property: StoredProperty) {
    switch property {
    case .field(let field, _):
      writer.documentation(field.comment, "`\(field.name)`, field \(field.number).")
      let name = Identifier.escaped(self.property(field))
      deprecation(field.isDeprecated)
      if isStoredPrivately(field) {
        writer.block("\(access)var \(name): \(swiftType(field))") {
          writer.line("get { \(stored(field)) }")
          writer.line("set { \(stored(field)) = newValue }")
        }
        writer.line("private var \(stored(field)): \(swiftType(field))")
      } else {
        writer.line("\(wrapper(of: field))\(access)var \(name): \(propertyType(field))")
      }
    case .oneof(let oneof, let members, _):
      writer.documentation(oneof.comment, "One of \(members.map { "`\($0.name)`" }.listed("and")), or none.")
      writer.line("\(access)var \(Identifier.escaped(self.property(oneof))): \(oneofType(oneof))?")
    }
  }

  func oneofType(_ oneof: SchemaOneof) -> String {
    names.reference(names.path(oneof), of: oneof.message.file, from: scope)
  }

  private func emitOneofType(_ property: StoredProperty) {
    guard case .oneof(let oneof, let members, _) = property else { return }
    let path = names.path(oneof)
    let indirect = members.contains(where: layout.isIndirect) ? "indirect " : ""
    writer.blank()
    writer.documentation(oneof.comment, "What `\(oneof.name)` can be.")
    type("\(access)\(indirect)enum \(path[path.count - 1]): \(runtime("Oneof"))", path) {
      for member in members {
        writer.documentation(member.comment, "`\(member.name)`, field \(member.number).")
        writer.line("case \(Identifier.escaped(caseName(member)))(\(elementType(member.type)))")
      }
      writer.blank()
      let failure = runtime("MessageDecodingError")
      writer.block("\(access)init?(reading reader: \(runtime("OneofReader"))) throws(\(failure))") {
        writer.line("switch reader.number {")
        for member in members {
          writer.line("case \(member.number): self = .\(caseName(member))(try reader.value())")
        }
        writer.line("default: return nil")
        writer.line("}")
      }
      writer.blank()
      writer.block("\(access)func write(to writer: \(runtime("OneofWriter")))") {
        writer.line("switch self {")
        for member in members {
          writer.line("case .\(caseName(member))(let value): writer.value(\(member.number), value)")
        }
        writer.line("}")
      }
    }
  }

  func caseName(_ member: SchemaField) -> String { names.caseName(member) }

  // MARK: Init

  /// The compiler's time for an init grows with the square of its parameters.
  private static let mostParameters = 128

  private func emitInit(of message: SchemaMessage, _ properties: [StoredProperty]) {
    // What is required may have no value that stands for none.
    let isLarge = properties.count > Self.mostParameters && !message.fields.contains { $0.shape == .required }
    writer.line("/// Makes the message; \(isLarge ? "no field is" : "fields that are left out are not") set.")
    deprecation(message.isDeprecated)
    if properties.isEmpty { return writer.line("\(access)init() {}") }
    if isLarge {
      return writer.line("\(access)init() { self = Self.descriptor.emptyMessage() }")
    }
    let parameters = properties.map { parameter($0) }
    writer.function("\(access)init", parameters, "") { emitAssignments(properties) }
  }

  /// The parameter of the memberwise init, with a default value unless `isDemanded`.
  func parameter(_ property: StoredProperty, isDemanded: Bool = false) -> String {
    switch property {
    case .field(let field, _):
      let isDemanded = field.shape == .required && !field.isRecursive || isDemanded && field.shape == .plain
      let value = isDemanded ? nil : defaultValue(field)
      return "\(Identifier.escaped(label(property))): \(swiftType(field))" + (value.map { " = \($0)" } ?? "")
    case .oneof(let oneof, _, _):
      return "\(Identifier.escaped(label(property))): \(oneofType(oneof))? = nil"
    }
  }

  /// Not escaped.
  func label(_ property: StoredProperty) -> String {
    switch property {
    case .field(let field, _): names.label(field)
    case .oneof(let oneof, _, _): names.label(oneof)
    }
  }

  func emitAssignments(_ properties: [StoredProperty]) {
    for property in properties {
      let value = Identifier.escaped(label(property))
      switch property {
      case .field(let field, _): writer.line(assignment(field, value, qualified: true))
      case .oneof(let oneof, _, _): writer.line("self.\(self.property(oneof)) = \(value)")
      }
    }
  }

  // MARK: The table

  private func emitTable(of message: SchemaMessage, _ properties: [StoredProperty]) {
    let lines = properties.flatMap { property in
      switch property {
      case .field(let field, _): [tableLine(field)]
      case .oneof(_, let members, _): members.map { tableLine($0) }
      }
    }
    let head = "\(access)static let descriptor = \(runtime("MessageDescriptor"))(\"\(message.fullName)\", ["
    let oneofs = properties.compactMap { property in
      if case .oneof(let oneof, _, _) = property { "\(oneofType(oneof)).self" } else { nil }
    }
    let reserved = message.reservedNames.map { "\"\($0)\"" }
    var tail = "]"
    if !oneofs.isEmpty { tail += ", oneofs: [\(oneofs.joined(separator: ", "))]" }
    if message.error != nil { tail += ", context: \(runtime("ErrorContext")).self" }
    if !reserved.isEmpty { tail += ", reserved: [\(reserved.joined(separator: ", "))]" }
    tail += ")"
    guard !lines.isEmpty else { return writer.line(head + tail) }
    writer.line(head)
    writer.indented { for line in lines { writer.line(line) } }
    writer.line(tail)
  }
}
