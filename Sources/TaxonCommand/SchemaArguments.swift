// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import TaxonCodegen

/// Which schemas a command works on.
struct SchemaArguments: ParsableArguments {
  @Option(name: [.customShort("I"), .long], help: "A folder in which imports are looked for. May be repeated.")
  var protoPath: [String] = []

  @Argument(help: "The schemas.", completion: .file(extensions: ["proto"]))
  var files: [String]

  /// The working directory when nothing is said.
  var folders: [String] { protoPath.isEmpty ? ["."] : protoPath }

  /// Has protoc read the schemas.
  func generator() throws -> Generator {
    try Generator(
      descriptorSet: Protoc.descriptors(of: files, folders: folders), generating: files.map { nameOfProtoc($0) }
    ) { try? String(contentsOfFile: $0, encoding: .utf8) }
  }

  /// protoc names a file relative to the folder that it finds it in.
  private func nameOfProtoc(_ file: String) -> String {
    let path = URL(filePath: file).standardizedFileURL.path
    for folder in folders {
      let prefix = URL(filePath: folder, directoryHint: .isDirectory).standardizedFileURL.path
      let whole = prefix.hasSuffix("/") ? prefix : prefix + "/"
      if path.hasPrefix(whole) { return String(path.dropFirst(whole.count)) }
    }
    return file
  }

  /// Prints what was found; mistakes end the command.
  func report(_ outcome: Generator.Outcome) throws {
    for diagnostic in outcome.diagnostics { FileHandle.standardError.write(Data("\(diagnostic)\n".utf8)) }
    if outcome.diagnostics.contains(where: { $0.severity == .error }) { throw ExitCode.failure }
  }
}
