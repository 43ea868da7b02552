// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// The enums that stand for several errors: a category, a taxonomy's root, what a method raises.
extension Emitter {
  /// The body of such an enum, in the scope of the enum.
  ///
  /// - Parameter path: Of a category or, empty, of a taxonomy; nil for what a method raises.
  func emitUnion(_ cases: [UnionCase], path: [String]? = nil) {
    for union in cases {
      writer.documentation(union.member.comment, "`\(union.member.name)`.")
      writer.line("case \(Identifier.escaped(union.name))(\(names.reference(union.member, from: scope)))")
    }
    writer.line("/// Any other failure.")
    writer.line("case other(\(runtime("RPCError")))")
    writer.blank()
    let members = cases.flatMap(\.member.allErrors).map { "\(names.reference($0, from: scope)).self" }
    writer.list("\(access)static let members: [any \(runtime("DeclaredError")).Type] = [", members, "]")
    writer.blank()
    if let path { emitPath(path) }
    emitUnionInit(cases)
    writer.blank()
    writer.block("\(access)var wrapped: any \(runtime("TaxonomyError"))") {
      writer.line("switch self {")
      for union in cases {
        let value = union.member.category == nil ? "error" : "error.wrapped"
        writer.line("case .\(union.name)(let error): \(value)")
      }
      writer.line("case .other(let error): error")
      writer.line("}")
    }
    for union in cases where union.member.error != nil && union.member.category == nil { emitFactory(union) }
  }

  private func emitPath(_ path: [String]) {
    let type = runtime("ErrorCategory")
    let names = path.map { CodeWriter.literal($0) }.joined(separator: ", ")
    let value = "\(type)(domain: \(CodeWriter.literal(file.taxonomy?.domain ?? "")), path: [\(names)])"
    writer.computed("\(access)static var category: \(type)?", value)
    writer.blank()
  }

  private func emitUnionInit(_ cases: [UnionCase]) {
    let categories = cases.filter { $0.member.category != nil }
    writer.block("\(access)init?(_ error: any \(runtime("TaxonomyError")))") {
      writer.line("switch error {")
      for union in cases where union.member.category == nil {
        let type = names.reference(union.member, from: scope)
        writer.line("case let error as \(type): self = .\(union.name)(error)")
      }
      writer.line("case let error as \(runtime("RPCError")): self = .other(error)")
      if categories.isEmpty {
        writer.line("default: return nil")
      } else {
        writer.line("default:")
        writer.indented {
          for (index, union) in categories.enumerated() {
            let type = names.reference(union.member, from: scope)
            let keyword = index == 0 ? "if" : "} else if"
            writer.line("\(keyword) let error = \(type)(error) {")
            writer.indented { writer.line("self = .\(union.name)(error)") }
          }
          writer.line("} else {")
          writer.indented { writer.line("return nil") }
          writer.line("}")
        }
      }
      writer.line("}")
    }
  }

  /// A static function beside the case, so that `throw .taskNotFound(taskID: id)` is enough.
  private func emitFactory(_ union: UnionCase) {
    let name = Identifier.escaped(union.name)
    writer.blank()
    writer.documentation(union.member.comment, "Makes `\(union.member.name)`.")
    deprecation(union.member.isDeprecated)
    writer.function("\(access)static func \(name)", errorParameters(union.member), " -> Self") {
      let type = names.reference(union.member, from: scope)
      writer.list(".\(union.name)(\(type)(", errorArguments(union.member), "))")
    }
  }

  // MARK: Categories

  func emitCategory(_ category: SchemaMessage) {
    let path = names.path(category)
    let cases = names.unionCases(category)
    writer.documentation(category.comment, "The category `\(category.fullName)`.")
    type("\(access)enum \(Identifier.escaped(path[path.count - 1])): \(runtime("ErrorUnion"))", path) {
      emitUnion(cases, path: (category.categories + [category]).map(\.name))
      for field in category.sharedFields { emitAccessor(field, of: category, cases) }
      for declaration in Declaration.inOrder(messages: category.messages, enums: category.enums) {
        writer.blank()
        emit(declaration)
      }
    }
  }

  /// A category's own field: the value of the error inside, when that error has the field.
  private func emitAccessor(_ field: SchemaField, of category: SchemaMessage, _ cases: [UnionCase]) {
    let name = names.property(of: category, for: field)
    let plain = swiftType(field)
    writer.blank()
    let type = plain.hasSuffix("?") ? plain : "\(plain)?"
    let same = cases.map(\.member.fields).flatMap { $0.filter { $0.name == field.name } }
    writer.documentation(field.comment, "`\(field.name)` of the error, when it has one.")
    deprecation(field.isDeprecated || same.contains(where: \.isDeprecated))
    let having = cases.compactMap { union in
      let own = union.member.fields.first { $0.name == field.name }.map { names.property($0) }
      let inner = union.member.category == nil ? own : names.property(of: union.member, for: field)
      return inner.map { (union: union, property: $0) }
    }
    let head = "\(access)var \(Identifier.escaped(name)): \(type)"
    guard !having.isEmpty else { return writer.computed(head, "nil") }
    writer.block(head) {
      writer.line("switch self {")
      for (union, property) in having { writer.line("case .\(union.name)(let error): error.\(property)") }
      writer.line("default: nil")
      writer.line("}")
    }
  }

  // MARK: The taxonomy

  /// The root type, when the taxonomy has a name, and the registry of the file's errors.
  func emitTaxonomy() {
    if let name = names.rootType(of: file) {
      writer.blank()
      writer.line("/// All errors of \(file.path), domain \(file.taxonomy?.domain ?? "").")
      type("\(access)enum \(name): \(runtime("ErrorUnion"))", [name]) {
        emitUnion(names.unionCases(file), path: [])
      }
    }
    let errors = file.errors
    guard !errors.isEmpty else { return }
    writer.blank()
    writer.block("extension \(runtime("ErrorRegistry"))") {
      writer.line("/// The errors of \(file.path).")
      let head =
        "\(access)static let \(Identifier.escaped(names.fileMember(file))) = \(runtime("ErrorRegistry"))(["
      writer.list(head, errors.map { "\(names.reference($0, from: [])).self" }, "])")
    }
  }
}
