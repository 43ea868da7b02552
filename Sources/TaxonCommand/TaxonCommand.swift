// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import TaxonPython
import TaxonSchema
import TaxonSwift

/// The command line of Taxon.
@main
struct TaxonCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "taxon", abstract: "Works with schemas that declare their errors.", version: "0.1.0",
    subcommands: [Check.self, Generate.self, Decode.self])
}

/// `taxon check`: all mistakes of the schemas, and nothing else.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Reports the mistakes in schemas; exits with 1 when there are any.")

  @OptionGroup var schemas: SchemaArguments

  func run() throws {
    _ = try schemas.generate(GeneratorSettings())
  }
}

/// Which schemas a command works on.
struct SchemaArguments: ParsableArguments {
  @Option(name: [.customShort("I"), .long], help: "A folder in which imports are looked for. May be repeated.")
  var protoPath: [String] = []

  @Option(
    help: ArgumentHelp(
      "A target that has imported schemas: they are found, and their types belong to its module. May be repeated.",
      discussion: "Its taxon.json is read, where there is one.", valueName: "Module=folder"))
  var dependency: [String] = []

  @Argument(help: "The schemas.", completion: .file(extensions: ["proto"]))
  var files: [String]

  /// Generates the files of the schemas and reports diagnostics; errors end the command.
  func generate(_ language: some TargetLanguage) throws -> [(name: String, content: String)] {
    let search = ProtocSearch(environment: ProcessInfo.processInfo.environment) {
      FileManager.default.isExecutableFile(atPath: $0)
    }
    var language: any TargetLanguage = language
    var protoc: Protoc
    // The working directory by default.
    let folders = protoPath.isEmpty ? ["."] : protoPath
    do {
      // Modules are Swift's alone.
      var swift = language as? GeneratorSettings
      let sharing = try SharingTargets(targets(), preferred: Set((swift?.modules ?? [:]).values))
      swift?.shared = sharing.shared
      if let swift { language = swift }
      protoc = Protoc(
        executable: try search.find(), folders: folders + [Self.taxonProtos] + sharing.folders,
        folderSetting: "--proto-path")
      protoc.explain = { sharing.explain($0, for: nil) }
    } catch let error as ValidationError {
      throw error
    } catch {
      throw ValidationError("\(error)")
    }
    // A mistake in a name is worth a look around, but not through a whole disk.
    let importable = { protoc.folders.flatMap { SharingTargets.schemas(in: $0, limit: 1000) } }
    let generated = try protoc.generate(files, language, importable: importable) { line in
      FileHandle.standardError.write(Data("\(line)\n".utf8))
    }
    guard let generated else { throw ExitCode.failure }
    return generated
  }

  private func targets() throws -> [SharingTarget] {
    try dependency.map { text in
      let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else {
        throw ValidationError("--dependency \(text) names no folder; write --dependency Module=folder")
      }
      // Packages are nothing that the command line knows: what is `package` there is taken to be visible.
      return SharingTarget(module: parts[0], folder: parts[1], isInPackage: true)
    }
  }

  /// The folder with taxon/ and google/rpc/: that of the package this command was built from.
  static let taxonProtos = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Protos").path
}

/// `taxon generate`: Swift files to be committed, for those who don't use the plugin, or Python.
struct Generate: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Writes the Swift files of schemas, or their Python.")

  @OptionGroup var schemas: SchemaArguments

  @Option(help: "The folder for the files.")
  var out: String

  @Option(help: "Who sees the declarations: public, package or internal.")
  var access = GeneratorSettings.Access.internal

  @Option(help: "A module that the Swift files import. May be repeated. (default: Taxon)")
  var imports: [String] = []

  @Option(help: "The module that has the types of an imported schema, as path/of.proto:Module. May be repeated.")
  var module: [String] = []

  @Option(
    help: "What the names of a schema's types begin with, as a.package:Prefix or path/of.proto:Prefix. May be repeated."
  )
  var prefix: [String] = []

  @Flag(inversion: .prefixedNo, help: "Write a Client for each service.")
  var clients = true

  @Flag(inversion: .prefixedNo, help: "Write a Fake for each service, for tests.")
  var fakes = true

  @Flag(inversion: .prefixedNo, help: "Embed the descriptors of the files, for reflection.")
  var descriptors = true

  @Flag(
    help:
      "Write Python: exception classes, to stand beside what protoc --python_out makes. The settings of Swift do not count."
  )
  var python = false

  @Flag(inversion: .prefixedNo, help: "Write Python's runtime too, the package taxon.runtime.")
  var runtime = true

  func run() throws {
    let files = try python ? generatePython() : generateSwift()
    try write(files, to: URL(filePath: out, directoryHint: .isDirectory))
  }

  private func generatePython() throws -> [(name: String, content: String)] {
    var settings = PythonSettings()
    settings.runtime = runtime
    return try schemas.generate(settings)
  }

  private func generateSwift() throws -> [(name: String, content: String)] {
    var settings = try GeneratorSettings(
      parameter: (module.map { "module=\($0)" } + prefix.map { "prefix=\($0)" }).joined(separator: ","))
    settings.modulesAreKnown = .command
    settings.access = access
    settings.clients = clients
    settings.fakes = fakes
    settings.descriptors = descriptors ? .included : .omitted
    if !imports.isEmpty { settings.imports = imports }
    return try schemas.generate(settings)
  }
}

extension GeneratorSettings.Access: ExpressibleByArgument {}
