// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// The Swift names of everything in a schema: the types of each scope, and how code in one scope refers to a type of
/// another. Scopes and types are paths: ["Orchestrator", "GetTaskError"].
struct SwiftNames {
  private var paths: [ObjectIdentifier: [String]] = [:]
  private var cases: [ObjectIdentifier: [String]] = [:]
  /// The names of the types that generated code declares in each scope; those of the module are at [].
  private var declared: [[String]: Set<String>] = [[]: []]
  private let settings: GeneratorSettings
  private let ownModule: String?
  /// The modules that have a type of a name, for names of imported types outside of all others.
  private var imported: [String: Set<String>] = [:]

  init(_ schema: Schema, settings: GeneratorSettings) {
    self.settings = settings
    ownModule = settings.ownModule
    for file in schema.files {
      let prefix = Identifier.prefix(of: file, settings)
      for message in file.messages { add(message, in: [], prefix, isDeclared: file.isGenerated) }
      for enumeration in file.enums {
        add(enumeration, [Identifier.type(enumeration.name, prefix: prefix)], isDeclared: file.isGenerated)
      }
      for service in file.services { add(service, prefix, isDeclared: file.isGenerated) }
      if file.isGenerated, let root = file.taxonomy?.name { declared[[], default: []].insert(root) }
      if let module = settings.otherModule(of: file) {
        let paths = file.messages.map { path($0) } + file.enums.map { path($0) } + file.services.map { path($0) }
        for name in paths.map({ $0[0] }) + [file.taxonomy?.name].compactMap(\.self) {
          imported[name, default: []].insert(module)
        }
      }
    }
  }

  // MARK: Paths

  func path(_ message: SchemaMessage) -> [String] { paths[ObjectIdentifier(message)] ?? [message.name] }
  func path(_ enumeration: SchemaEnum) -> [String] { paths[ObjectIdentifier(enumeration)] ?? [enumeration.name] }
  func path(_ service: SchemaService) -> [String] { paths[ObjectIdentifier(service)] ?? [service.name] }

  func path(_ oneof: SchemaOneof) -> [String] {
    let name = Identifier.oneofType(oneof.name)
    let taken = (oneof.message.messages.map(\.name) + oneof.message.enums.map(\.name)).map { Identifier.type($0) }
    return path(oneof.message) + [taken.contains(name) ? name + "OneOf" : name]
  }

  /// The property of an extension: as its schema's types, it has the file's prefix in front, and the messages around it.
  func property(_ extended: SchemaExtension) -> String {
    let scope = extended.scope.map { path($0) } ?? [Identifier.prefix(of: extended.file, settings)]
    return Identifier.property((scope + [extended.field.name]).joined(separator: "_"), isInError: false)
  }

  /// The enum of what a method raises.
  func errorPath(_ method: SchemaMethod) -> [String] {
    path(method.service) + [Identifier.type(method.name) + "Error"]
  }

  /// The cases of an enum, by the position of its values.
  func cases(_ enumeration: SchemaEnum) -> [String] { cases[ObjectIdentifier(enumeration)] ?? [] }

  private mutating func add(_ message: SchemaMessage, in scope: [String], _ prefix: String, isDeclared: Bool) {
    guard !message.isMapEntry else { return }
    let path = scope + [Identifier.type(message.name, prefix: prefix)]
    paths[ObjectIdentifier(message)] = path
    if isDeclared { declare(path) }
    for nested in message.messages { add(nested, in: path, "", isDeclared: isDeclared) }
    for enumeration in message.enums {
      add(enumeration, path + [Identifier.type(enumeration.name)], isDeclared: isDeclared)
    }
    for oneof in message.oneofs where isDeclared && !oneof.isSynthetic { declare(self.path(oneof)) }
  }

  private mutating func add(_ enumeration: SchemaEnum, _ path: [String], isDeclared: Bool) {
    paths[ObjectIdentifier(enumeration)] = path
    cases[ObjectIdentifier(enumeration)] = Identifier.cases(of: enumeration)
    if isDeclared { declare(path) }
  }

  private mutating func add(_ service: SchemaService, _ prefix: String, isDeclared: Bool) {
    let path = [Identifier.type(service.name, prefix: prefix)]
    paths[ObjectIdentifier(service)] = path
    guard isDeclared else { return }
    declare(path)
    for name in ["Methods", "Service", "PartialService"] { declare(path + [name]) }
    if settings.clients { declare(path + ["Client"]) }
    if settings.fakes { declare(path + ["Fake"]) }
    for method in service.methods where !method.errors.isEmpty { declare(errorPath(method)) }
  }

  private mutating func declare(_ path: [String]) {
    declared[Array(path.dropLast()), default: []].insert(path[path.count - 1])
  }

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
    return (depth...scope.count).contains { declared[Array(scope[..<$0])]?.contains(name) == true }
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

/// The cases of the enums that stand for several errors.
struct UnionCase {
  /// An error, or a category with an enum of its own.
  var member: SchemaMessage
  /// Not escaped.
  var name: String

  /// The cases of a category or of a taxonomy's root: one for each error and each category directly inside.
  static func nested(_ members: [SchemaMessage]) -> [UnionCase] {
    members.map { UnionCase(member: $0, name: Identifier.unionCase($0)) }
  }

  /// The cases of what a method raises: one for each error. Errors of one name get the names of their categories in
  /// front, from the innermost outward, until they differ.
  static func flat(_ errors: [SchemaMessage]) -> [UnionCase] {
    var cases = errors.map { UnionCase(member: $0, name: Identifier.unionCase($0)) }
    let deepest = errors.map(\.categories.count).max() ?? 0
    for depth in stride(from: 1, through: deepest, by: 1) {
      let twice = Dictionary(grouping: cases, by: \.name).filter { $0.value.count > 1 }.keys
      for index in cases.indices where twice.contains(cases[index].name) {
        let error = cases[index].member
        let words = error.categories.suffix(depth).flatMap(Identifier.unionWords) + Identifier.unionWords(error)
        cases[index].name = Identifier.unionCase(words)
      }
    }
    return cases
  }
}

extension Identifier {
  /// Static members of a union that a case would clash with.
  private static let unionMembers: Set<String> = [
    "other", "members", "category", "lift", "catching", "received", "init_", "self_",
  ]

  /// The case of an error or category in a union: its name without a trailing "Error".
  fileprivate static func unionCase(_ message: SchemaMessage) -> String { unionCase(unionWords(message)) }

  fileprivate static func unionCase(_ words: [String]) -> String {
    let name = usable(Words(words: words).lowerCamel)
    return unionMembers.contains(name) ? name + "Error" : name
  }

  fileprivate static func unionWords(_ message: SchemaMessage) -> [String] {
    var words = Words(message.name).words
    // The code knows where the words of a run of capitals end: LLMAPIError is LLM_API_ERROR.
    if let code = message.error?.code, message.name.lowercased() == code.lowercased().filter({ $0 != "_" }) {
      words = Words(code).words
    }
    if words.count > 1, words.last?.lowercased() == "error" { words.removeLast() }
    return words
  }
}
