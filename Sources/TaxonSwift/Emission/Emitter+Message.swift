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
      writer.blank()
      emitReading(properties, isError: message.error != nil)
      writer.blank()
      emitWriting(properties)
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
    let conformances = "\(standard("Hashable")), \(standard("Sendable"))"
    type("\(access)\(indirect)enum \(path[path.count - 1]): \(conformances)", path) {
      for member in members {
        writer.documentation(member.comment, "`\(member.name)`, field \(member.number).")
        writer.line("case \(Identifier.escaped(caseName(member)))(\(elementType(member.type)))")
      }
    }
  }

  func caseName(_ member: SchemaField) -> String { names.caseName(member) }

  // MARK: Init

  private func emitInit(of message: SchemaMessage, _ properties: [StoredProperty]) {
    writer.line("/// Makes the message; fields that are left out are not set.")
    deprecation(message.isDeprecated)
    if properties.isEmpty { return writer.line("\(access)init() {}") }
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

  // MARK: Table, reading, writing

  private func emitTable(of message: SchemaMessage, _ properties: [StoredProperty]) {
    let lines = properties.flatMap { property in
      switch property {
      case .field(let field, _): [tableLine(field)]
      case .oneof(_, let members, _): members.map { tableLine($0) }
      }
    }
    let head = "\(access)static let descriptor = \(runtime("MessageDescriptor"))(\"\(message.fullName)\", ["
    let reserved = message.reservedNames.map { "\"\($0)\"" }.joined(separator: ", ")
    let tail = reserved.isEmpty ? "])" : "], reserved: [\(reserved)])"
    guard !lines.isEmpty else { return writer.line(head + tail) }
    writer.line(head)
    writer.indented { for line in lines { writer.line(line) } }
    writer.line(tail)
  }

  private func emitReading(_ properties: [StoredProperty], isError: Bool) {
    let signature =
      "init(reading reader: \(runtime("MessageReader"))) throws(\(runtime("MessageDecodingError")))"
    writer.block("\(access)\(signature)") {
      for property in properties { emitReading(property) }
      if isError { writer.line("context = \(runtime("ErrorContext"))()") }
      writer.line("unknownFields = reader.unknownFields")
    }
  }

  private func emitReading(_ property: StoredProperty) {
    switch property {
    case .field(let field, let index):
      let value = "try reader.\(field.isRequiredCycle ? "optional" : accessor(field))(\(index))"
      writer.line(assignment(field, value, qualified: kept(field) == "reader"))
    case .oneof(let oneof, let members, let index):
      let name = self.property(oneof)
      let target = name == "reader" ? "self.reader" : Identifier.escaped(name)
      writer.line("switch reader.oneof(\(index)) {")
      for member in members {
        writer.line("case \(member.number): \(target) = .\(caseName(member))(try reader.value(\(index)))")
      }
      writer.line("default: \(target) = nil")
      writer.line("}")
    }
  }

  private func emitWriting(_ properties: [StoredProperty]) {
    writer.block("\(access)func write(to writer: inout \(runtime("MessageWriter")))") {
      for property in properties { emitWriting(property) }
      writer.line("writer.unknownFields(unknownFields)")
    }
  }

  private func emitWriting(_ property: StoredProperty) {
    switch property {
    case .field(let field, let index):
      let name = kept(field)
      writer.line("writer.\(accessor(field))(\(index), \(name == "writer" ? "self.writer" : name))")
    case .oneof(let oneof, let members, let index):
      let name = self.property(oneof)
      writer.line("switch \(name == "writer" ? "self.writer" : Identifier.escaped(name)) {")
      for member in members {
        writer.line("case .\(caseName(member))(let value): writer.oneof(\(index), \(member.number), value)")
      }
      writer.line("case nil: break")
      writer.line("}")
    }
  }

  /// The function of MessageReader and MessageWriter.
  private func accessor(_ field: SchemaField) -> String {
    if field.isRequiredCycle { return "required" }
    return switch field.shape {
    case .plain, .required: "value"
    case .optional, .oneof: "optional"
    case .repeated: "array"
    case .map: "map"
    }
  }
}
