// SPDX-License-Identifier: Apache-2.0
import Foundation
import TaxonSchema
import TaxonSwift

/// `protoc-gen-taxon --protoc=… --out=… SCHEMA…`, as TaxonPlugin starts it: runs protoc and writes the generated files.
struct Driver {
  private var protoc = ""
  private var folders: [String] = []
  private var out = ""
  private var parameters: [String] = []
  private var files: [String] = []
  private var targets: [SharingTarget] = []

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
      case "--dependency" where parts.count == 2, "--sibling" where parts.count == 2,
        "--outside" where parts.count == 2:
        targets.append(try Self.target(parts[0], parts[1]))
      default:
        guard !argument.hasPrefix("-") else { throw Mistake(description: "there is no option \(argument)") }
        files.append(argument)
      }
    }
    guard !protoc.isEmpty, !out.isEmpty, !files.isEmpty else {
      throw Mistake(description: "--protoc=PROTOC, --out=FOLDER and at least one schema are needed")
    }
  }

  /// `--dependency=MODULE=FOLDER` is a target of another package, `--sibling=MODULE=FOLDER` one of the same;
  /// `--outside=MODULE=MEND=FOLDER` is not depended on, and MEND says how to.
  private static func target(_ kind: String, _ value: String) throws -> SharingTarget {
    let isOutside = kind == "--outside"
    let parts = value.split(separator: "=", maxSplits: isOutside ? 2 : 1).map(String.init)
    guard parts.count == (isOutside ? 3 : 2) else {
      let form = isOutside ? "MODULE=MEND=FOLDER" : "MODULE=FOLDER"
      throw Mistake(description: "\(kind)=\(value) has no folder; write \(kind)=\(form)")
    }
    return SharingTarget(
      module: parts[0], folder: parts[parts.count - 1], isInPackage: kind == "--sibling",
      mend: isOutside ? parts[1] : nil)
  }

  /// False when the schemas have mistakes, which are reported.
  func run(_ languages: TargetLanguages, report: (String) -> Void) throws -> Bool {
    var language = try languages.language(parameter: SettingsFile.expand(parameters.joined(separator: ",")))
    // Modules are Swift's alone.
    var swift = language as? GeneratorSettings
    let sharing = try SharingTargets(targets, preferred: Set((swift?.modules ?? [:]).values))
    swift?.shared = sharing.shared
    // Who names the module of the code is the plugin, which has named all others too.
    let ownModule = swift?.ownModule
    swift?.modulesAreKnown = ownModule == nil ? .unknown : .plugin
    if let swift { language = swift }
    var protoc = Protoc(
      executable: protoc, folders: folders + sharing.folders, folderSetting: "\"importPaths\" of taxon.json")
    protoc.explain = { sharing.explain($0, for: ownModule) }
    let generated = try protoc.generate(files, language, importable: { sharing.importable }, report: report)
    guard let generated else { return false }
    try write(generated, to: URL(filePath: out, directoryHint: .isDirectory))
    return true
  }
}
