// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// How code is generated: the parameter of protoc-gen-taxon.
package struct GeneratorSettings: Hashable, Sendable {
  /// The access level of generated declarations.
  package enum Access: String, Sendable, CaseIterable {
    case `public`
    case package
    case `internal`
  }

  /// Where the descriptors of files go.
  package enum Descriptors: Sendable {
    /// In the generated code.
    case included
    /// Left out.
    case omitted
    /// Alone, without the types.
    case alone
  }

  /// Who knows every module that has types of imported files.
  package enum ModuleKnowledge: Sendable {
    /// Nobody: types that no module is named for are taken to be in `ownModule`, where another run puts them.
    case unknown
    /// TaxonPlugin, which has looked at every target.
    case plugin
    /// The user of `taxon generate`.
    case command
  }

  /// That of files which do not say it themselves, by `features.(taxon.swift).access`. Internal by default.
  package var access = Access.internal
  /// Whether services get a `Client`.
  package var clients = true
  /// Whether services get a `Fake`.
  package var fakes = true
  /// Whether files carry their descriptors, for reflection.
  package var descriptors = Descriptors.included
  /// The modules that every generated file imports.
  package var imports = ["Taxon"]
  /// Which module has the types of a proto file that is imported and not generated in this run.
  package var modules: [String: String] = [:]
  /// What other modules generate, by the path of the schema; more than one entry where several modules have it.
  /// `modules` counts more.
  package var shared: [String: [SharedSchema]] = [:]
  /// Who says with `modules` and `shared` where the types of imported files are.
  package var modulesAreKnown = ModuleKnowledge.unknown
  /// The prefix of a schema's types, by the path of the file or by its package, nested packages included. Replaces
  /// `swift_prefix`.
  package var prefixes: [String: String] = [:]
  /// The module that the code is generated for; needed where a nested type hides one of its types.
  package var ownModule: String?
  /// Folders in which diagnostics look for the source files that they name.
  package var sourceFolders: [String] = []

  /// The default settings.
  package init() {}

  /// A mistake in the parameter.
  package typealias Mistake = ParameterMistake

  /// Reads protoc's parameter: `access=public,fakes=false,imports=A;B,module=a/b.proto:Module,prefix=a.b:AB,self=Own,source=/folder`.
  package init(parameter: String) throws(Mistake) {
    // An empty list of imports is a value too: Taxon's lowest room imports nothing.
    for (name, value) in try GeneratorParameter.settings(parameter, mayBeEmpty: ["imports"]) { try set(name, value) }
  }

  private mutating func set(_ name: String, _ value: String) throws(Mistake) {
    switch name {
    case "access":
      guard let access = Access(rawValue: value) else {
        throw Mistake(
          description: "parameter access=\(value) is not an access level; write public, package or internal")
      }
      self.access = access
    case "clients":
      clients = try GeneratorParameter.flag(name, value)
    case "fakes":
      fakes = try GeneratorParameter.flag(name, value)
    case "descriptors":
      descriptors = value == "only" ? .alone : try GeneratorParameter.flag(name, value) ? .included : .omitted
    case "imports":
      imports = value.split(separator: ";").map(String.init)
    case "module":
      let parts = value.split(separator: ":").map(String.init)
      guard parts.count == 2 else {
        throw Mistake(description: "parameter module=\(value) names no module; write module=path/of.proto:Module")
      }
      modules[parts[0]] = parts[1]
    case "prefix":
      let parts = value.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, !parts[0].isEmpty, Self.isPrefix(parts[1]) else {
        throw Mistake(
          description: "parameter prefix=\(value) cannot begin Swift names; write prefix=a.package:Prefix, or "
            + "prefix=path/of.proto:Prefix")
      }
      prefixes[parts[0]] = parts[1]
    case "self":
      ownModule = value
    case "source":
      sourceFolders.append(GeneratorParameter.folder(value))
    default:
      throw Mistake(
        description: "\"\(name)\" is not a parameter; the parameters are access, clients, descriptors, fakes, imports, "
          + "module, prefix, self and source")
    }
  }

  private static func isPrefix(_ text: String) -> Bool {
    text.allSatisfy { $0 == "_" || $0.isLetter || $0.isNumber } && text.first?.isNumber != true
  }

  /// The entry of `prefixes` for a file: by its path, its package, or the innermost package around that.
  func prefix(of file: SchemaFile) -> String? {
    if let schema = sharedSchema(file), prefixes[file.path] == nil {
      // The names are those that the other module gives, whatever this one says of packages.
      return Self.prefix(of: file, in: schema.prefixes)
    }
    return Self.prefix(of: file, in: prefixes)
  }

  private static func prefix(of file: SchemaFile, in prefixes: [String: String]) -> String? {
    if let prefix = prefixes[file.path] { return prefix }
    var parts = file.package.split(separator: ".")
    while !parts.isEmpty {
      if let prefix = prefixes[parts.joined(separator: ".")] { return prefix }
      parts.removeLast()
    }
    return nil
  }

  /// What another module makes of an imported file; nil where none is known to, or several are.
  func sharedSchema(_ file: SchemaFile) -> SharedSchema? {
    guard !file.isGenerated, let candidates = shared[file.path] else { return nil }
    var schema = candidates.count == 1 ? candidates[0] : nil
    if let module = modules[file.path] { schema = candidates.first { $0.module == module } }
    if let access = file.ownAccess { schema?.access = access }
    return schema
  }

  /// The access of what a file of this run declares: what the file itself says counts more than the settings.
  func access(of file: SchemaFile) -> Access { file.ownAccess ?? access }

  /// The other module whose types code can name for an imported file: not Taxon's own.
  func otherModule(of file: SchemaFile) -> String? {
    guard !file.isGenerated else { return nil }
    return modules[file.path] ?? sharedSchema(file).flatMap { $0.isVisible ? $0.module : nil }
  }

  /// Whether another module's code has the file's descriptor and shows it.
  func hasDescriptorElsewhere(_ file: SchemaFile) -> Bool {
    guard !file.isGenerated else { return false }
    if Self.descriptorsOfTaxon.contains(file.path) { return true }
    if let schema = sharedSchema(file) { return schema.isVisible && schema.hasDescriptor }
    return modules[file.path] != nil
  }

  /// The module whose names the types of a file share: "Taxon" for what comes with it, nil for the module of the code.
  func typeModule(of file: SchemaFile) -> String? {
    if file.isGenerated { return nil }
    return otherModule(of: file) ?? (Self.comesWithTaxon(file.path) ? "Taxon" : nil)
  }

  /// Whether the types of a proto file are part of Taxon itself.
  static func comesWithTaxon(_ path: String) -> Bool { typesOfTaxon.contains(path) }

  /// The files whose types are part of Taxon itself (Scripts/generate).
  private static let typesOfTaxon: Set<String> = [
    "google/protobuf/any.proto", "google/protobuf/api.proto", "google/protobuf/compiler/plugin.proto",
    "google/protobuf/descriptor.proto", "google/protobuf/duration.proto", "google/protobuf/empty.proto",
    "google/protobuf/field_mask.proto", "google/protobuf/source_context.proto", "google/protobuf/struct.proto",
    "google/protobuf/timestamp.proto", "google/protobuf/type.proto", "google/protobuf/wrappers.proto",
    "google/rpc/code.proto", "google/rpc/error_details.proto", "google/rpc/status.proto", "taxon/error_traits.proto",
    "taxon/errors.proto",
  ]

  /// The files whose descriptors are part of Taxon itself: those of options too, whose types only the generator needs.
  static let descriptorsOfTaxon = typesOfTaxon.union([
    "google/api/annotations.proto", "google/api/http.proto", "taxon/swift_features.proto", "taxon/taxonomy.proto",
  ])
}
