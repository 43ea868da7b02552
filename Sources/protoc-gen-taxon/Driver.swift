// SPDX-License-Identifier: Apache-2.0
import Foundation
import TaxonSchema
import TaxonSwift

/// `protoc-gen-taxon --protoc=… --out=… SCHEMA…`, as TaxonPlugin starts it: runs protoc and writes the Swift files.
struct Driver {
  private var protoc = ""
  private var folders: [String] = []
  private var out = ""
  private var parameters: [String] = []
  private var files: [String] = []

  /// An invalid argument.
  struct Mistake: Error, CustomStringConvertible {
    var description: String
  }

  init(_ arguments: [String]) throws {
    for argument in arguments {
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      switch parts[0] {
      case "--protoc" where parts.count == 2: protoc = parts[1]
      case "--out" where parts.count == 2: out = parts[1]
      case "--proto_path" where parts.count == 2: folders.append(parts[1])
      case "--taxon_opt" where parts.count == 2: parameters.append(parts[1])
      default:
        guard !argument.hasPrefix("-") else { throw Mistake(description: "there is no option \(argument)") }
        files.append(argument)
      }
    }
    guard !protoc.isEmpty, !out.isEmpty, !files.isEmpty else {
      throw Mistake(description: "--protoc=PROTOC, --out=FOLDER and at least one schema are needed")
    }
  }

  /// False when the schemas have mistakes, which are reported.
  func run(report: (String) -> Void) throws -> Bool {
    let settings = try GeneratorSettings(parameter: SettingsFile.expand(parameters.joined(separator: ",")))
    let protoc = Protoc(executable: protoc, folders: folders, folderSetting: "\"importPaths\" of taxon.json")
    guard let generated = try protoc.generate(files, settings, report: report) else { return false }
    for file in generated {
      try Data(file.content.utf8).write(to: URL(filePath: out, directoryHint: .isDirectory).appending(path: file.name))
    }
    return true
  }
}
