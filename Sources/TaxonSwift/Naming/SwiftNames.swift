// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// The Swift names of everything in a schema, and how code in one scope refers to a type of another. Scopes and types are paths:
/// ["Orchestrator", "GetTaskError"].
struct SwiftNames {
  private let assigned: NameAssignment
  private let settings: GeneratorSettings
  private let ownModule: String?
  /// The modules that have a type of a name, for names of imported types outside of all others.
  private var imported: [String: Set<String>] = [:]

  init(_ schema: Schema, settings: GeneratorSettings) {
    self.settings = settings
    ownModule = settings.ownModule
    assigned = NameAssignment(schema, settings: settings)
    for file in schema.files {
      guard let module = settings.otherModule(of: file) else { continue }
      let paths = file.messages.map { path($0) } + file.enums.map { path($0) } + file.services.map { path($0) }
      for name in paths.map({ $0[0] }) + [rootType(of: file)].compactMap(\.self) {
        imported[name, default: []].insert(module)
      }
    }
  }

  /// The declarations of generated files that have another name than they would have alone, in the order of the names' making.
  var notes: [NameNote] { assigned.notes }

  // MARK: Names

  func path(_ message: SchemaMessage) -> [String] { assigned.types[ObjectIdentifier(message)] ?? [message.name] }
  func path(_ enumeration: SchemaEnum) -> [String] {
    assigned.types[ObjectIdentifier(enumeration)] ?? [enumeration.name]
  }
  func path(_ service: SchemaService) -> [String] { assigned.types[ObjectIdentifier(service)] ?? [service.name] }
  func path(_ oneof: SchemaOneof) -> [String] { assigned.types[ObjectIdentifier(oneof)] ?? [oneof.name] }

  /// The enum of what a method raises.
  func errorPath(_ method: SchemaMethod) -> [String] { assigned.types[ObjectIdentifier(method)] ?? [method.name] }

  /// The enum of all errors of a file's taxonomy; nil where it has no name.
  func rootType(of file: SchemaFile) -> String? { assigned.members[ObjectIdentifier(file)] }

  /// The property of a field; not escaped, as all that follow.
  func property(_ field: SchemaField) -> String { assigned.members[ObjectIdentifier(field)] ?? field.name }
  func property(_ oneof: SchemaOneof) -> String { assigned.members[ObjectIdentifier(oneof)] ?? oneof.name }

  /// The property of an extension: as its schema's types, it has the file's prefix in front, and the messages around it.
  func property(_ extended: SchemaExtension) -> String {
    assigned.members[ObjectIdentifier(extended)] ?? extended.field.name
  }

  /// The property of a category for one of its fields, or of the categories around it.
  func property(of category: SchemaMessage, for field: SchemaField) -> String {
    assigned.accessors[ObjectIdentifier(category)]?[field.name] ?? field.name
  }

  /// The label in the memberwise initialiser.
  func label(_ field: SchemaField) -> String { assigned.labels[ObjectIdentifier(field)] ?? field.name }
  func label(_ oneof: SchemaOneof) -> String { assigned.labels[ObjectIdentifier(oneof)] ?? oneof.name }

  /// The case of a member of a oneof.
  func caseName(_ member: SchemaField) -> String { assigned.oneofCases[ObjectIdentifier(member)] ?? member.name }

  /// The cases of an enum, by the position of its values.
  func cases(_ enumeration: SchemaEnum) -> [String] { assigned.enumCases[ObjectIdentifier(enumeration)] ?? [] }

  /// The function of a method, and its descriptor.
  func function(_ method: SchemaMethod) -> String { assigned.members[ObjectIdentifier(method)] ?? method.name }

  /// The cases of a category, or of what a method raises, or of a taxonomy.
  func unionCases(_ category: SchemaMessage) -> [UnionCase] { assigned.unions[ObjectIdentifier(category)] ?? [] }
  func unionCases(_ method: SchemaMethod) -> [UnionCase] { assigned.unions[ObjectIdentifier(method)] ?? [] }
  func unionCases(_ file: SchemaFile) -> [UnionCase] { assigned.unions[ObjectIdentifier(file)] ?? [] }

  /// The file that is generated for a schema.
  func outputFile(_ file: SchemaFile) -> String { assigned.outputFiles[file.path] ?? file.path }

  /// The member of `ProtoFileDescriptor`, `TypeRegistry` and `ErrorRegistry` for a file.
  func fileMember(_ file: SchemaFile) -> String { assigned.fileMembers[file.path] ?? Identifier.fileMember(file.path) }

  // MARK: References

  /// How `path`, a type of this or another module, is written inside `scope`.
  func reference(_ path: [String], of file: SchemaFile, from scope: [String]) -> String {
    let module = module(of: file)
    var common = zip(path, scope).prefix { $0 == $1 }.count
    if common == path.count { common -= 1 }
    if module != ownModule || isForeign(file) {
      let modules = imported[path[0], default: []]
      // The others beside the type's own: further modules of this build, and Taxon, which every file imports.
      let isOfTaxon = settings.otherModule(of: file) == nil
      let isAmbiguous = isOfTaxon ? !modules.isEmpty : modules.count > 1 || TaxonTypes.names.contains(path[0])
      return isAmbiguous || isHidden(path[0], at: nil, from: scope)
        ? qualified(path, module) : path.joined(separator: ".")
    }
    for depth in stride(from: common, through: 0, by: -1)
    where !isHidden(path[depth], at: Array(path[..<depth]), from: scope) {
      return path[depth...].joined(separator: ".")
    }
    return qualified(path, module)
  }

  func reference(_ message: SchemaMessage, from scope: [String]) -> String {
    reference(path(message), of: message.file, from: scope)
  }

  func reference(_ enumeration: SchemaEnum, from scope: [String]) -> String {
    reference(path(enumeration), of: enumeration.file, from: scope)
  }

  /// A type of Taxon, qualified where generated code hides it, or a module of this build has one of the name.
  func runtime(_ name: String, from scope: [String]) -> String {
    imported[name] != nil || isHidden(name, at: nil, from: scope) ? qualified([name], settings.imports.first) : name
  }

  /// A type of Swift's standard library, qualified where generated code hides it, or a module of this build has one of the name.
  func standard(_ name: String, from scope: [String]) -> String {
    imported[name] != nil || isHidden(name, at: nil, from: scope) ? "Swift.\(name)" : name
  }

  /// Whether a scope between `scope` and the one where `name` is declared declares another type of that name. At nil: the
  /// name is declared outside of the module.
  private func isHidden(_ name: String, at owner: [String]?, from scope: [String]) -> Bool {
    let depth = owner.map { $0.count + 1 } ?? 0
    guard depth <= scope.count else { return false }
    return (depth...scope.count).contains { assigned.declared[Array(scope[..<$0])]?.contains(name) == true }
  }

  private func qualified(_ path: [String], _ module: String?) -> String {
    ((module.map { [$0] } ?? []) + path).joined(separator: ".")
  }

  /// Whether the file's types come from another module.
  private func isForeign(_ file: SchemaFile) -> Bool {
    !file.isGenerated && (settings.otherModule(of: file) != nil || GeneratorSettings.comesWithTaxon(file.path))
  }

  private func module(of file: SchemaFile) -> String? {
    if file.isGenerated { return ownModule }
    if let module = settings.otherModule(of: file) { return module }
    return GeneratorSettings.comesWithTaxon(file.path) ? settings.imports.first : ownModule
  }
}
