// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// The modules that a generated module imports, and the names under which it knows them.
struct ModuleImports {
  private let file: SchemaFile
  /// Modules by their full names.
  private var modules: [String: String] = [:]

  /// Those that the file's classes and methods refer to.
  init(_ file: SchemaFile, names: PythonNames) {
    self.file = file
    var found: Set<String> = []
    for error in file.errors { found.insert(Self.messages(error.file)) }
    let errors = file.allMessages.filter { $0.error != nil || $0.category != nil }
    for field in errors.flatMap(\.fields) {
      for type in field.mapTypes.map({ [$0.key, $0.value] }) ?? [field.type] {
        switch type {
        case .scalar: break
        case .enumeration(let enumeration): found.insert(Self.messages(enumeration.file))
        case .message(let message): found.insert(Self.messages(message.file))
        }
      }
    }
    for error in file.services.flatMap(\.methods).flatMap(\.errors) where error.file !== file {
      found.insert(Self.errors(error.file))
    }
    if names.rootFile(file) !== file, !errors.isEmpty { found.insert(Self.errors(names.rootFile(file))) }

    let own = [Self.messages(file), Self.errors(file)]
    for module in found {
      let last = String(module.split(separator: ".").last ?? "")
      let isAlone = !found.contains { $0 != module && $0.split(separator: ".").last.map(String.init) == last }
      modules[module] =
        isAlone || own.contains(module) ? last : module.split(separator: ".").joined(separator: "_")
    }
  }

  /// The name of the module of protoc with a file's messages.
  func messages(_ file: SchemaFile) -> String { modules[Self.messages(file)] ?? "" }

  /// The name of the module with a file's errors.
  func errors(_ file: SchemaFile) -> String { modules[Self.errors(file)] ?? "" }

  private static func messages(_ file: SchemaFile) -> String { PythonIdentifier.module(file.path, "_pb2") }
  private static func errors(_ file: SchemaFile) -> String { PythonIdentifier.module(file.path, "_taxon") }

  /// Whether a module has a part that an import statement cannot name.
  private var needsImportlib: Bool { modules.keys.contains(where: Self.hasKeyword) }

  private static func hasKeyword(_ module: String) -> Bool {
    module.split(separator: ".").contains { PythonIdentifier.keywords.contains(String($0)) }
  }

  /// The statements, in the order of PEP 8.
  func write(to writer: CodeWriter, collections: [String], usesGRPC: Bool) {
    if needsImportlib { writer.line("import importlib") }
    if !collections.isEmpty {
      writer.line("from collections.abc import \(collections.sorted().joined(separator: ", "))")
    }
    if needsImportlib || !collections.isEmpty { writer.blank() }
    var plain = usesGRPC ? ["import grpc"] : []
    var packages: [String: [String]] = ["taxon": ["runtime"]]
    var late: [String] = []
    for (module, name) in modules {
      let parts = module.split(separator: ".").map(String.init)
      let last = parts.last ?? ""
      if Self.hasKeyword(module) {
        late.append("\(name) = importlib.import_module(\(CodeWriter.literal(module)))")
      } else if parts.count == 1 {
        plain.append("import \(last)")
      } else {
        let imported = name == last ? last : "\(last) as \(name)"
        packages[parts.dropLast().joined(separator: "."), default: []].append(imported)
      }
    }
    for line in plain.sorted() { writer.line(line) }
    for (package, imported) in packages.sorted(by: { $0.key < $1.key }) {
      writer.line("from \(package) import \(imported.sorted().joined(separator: ", "))")
    }
    if !late.isEmpty { writer.blank() }
    for line in late.sorted() { writer.line(line) }
  }
}
