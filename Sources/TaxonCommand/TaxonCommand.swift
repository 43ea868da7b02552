// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import TaxonSchema
import TaxonSwift

/// The command line of Taxon.
@main
struct TaxonCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "taxon", abstract: "Works with schemas that declare their errors.", version: "0.1.0",
    subcommands: [Check.self, Generate.self])
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

  @Argument(help: "The schemas.", completion: .file(extensions: ["proto"]))
  var files: [String]

  /// The Swift files of the schemas. Reports what is to be said of them; mistakes end the command.
  func generate(_ settings: GeneratorSettings) throws -> [(name: String, content: String)] {
    let search = ProtocSearch(environment: ProcessInfo.processInfo.environment) {
      FileManager.default.isExecutableFile(atPath: $0)
    }
    let protoc: Protoc
    do {
      // The working directory when nothing is said.
      let folders = (protoPath.isEmpty ? ["."] : protoPath) + [Self.taxonProtos]
      protoc = Protoc(executable: try search.find(), folders: folders, folderSetting: "--proto-path")
    } catch {
      throw ValidationError("\(error)")
    }
    let generated = try protoc.generate(files, settings) { line in
      FileHandle.standardError.write(Data("\(line)\n".utf8))
    }
    guard let generated else { throw ExitCode.failure }
    return generated
  }

  /// The folder with taxon/ and google/rpc/: that of the package this command was built from.
  private static let taxonProtos = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Protos").path
}
