// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The folders that a target's `taxon.json` names. What it says of the generated code is for protoc-gen-taxon, which
/// also checks the whole file.
struct Settings {
  /// The folder that has the schemas; the target's own by default.
  var protoPath: URL
  /// Beginnings of the paths of the schemas to generate, relative to `protoPath`; all when empty.
  var include: [String] = []
  /// More folders in which imports are looked for.
  var importPaths: [URL] = []
  /// The settings file, where there is one.
  var file: URL?

  /// A mistake in the settings file.
  struct Mistake: Error, CustomStringConvertible {
    var description: String
  }

  /// The default settings.
  init(protoPath: URL) { self.protoPath = protoPath }

  init(in folder: URL) throws {
    protoPath = folder
    let file = folder.appending(path: "taxon.json")
    guard FileManager.default.fileExists(atPath: file.path) else { return }
    self.file = file
    guard let object = try? JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any] else {
      throw Mistake(description: "\(file.path):1:1: error: this is no JSON object; write {\"access\": …}")
    }
    func value<Value>(_ key: String, _ type: Value.Type, _ what: String) throws -> Value? {
      guard let value = object[key] else { return nil }
      guard let value = value as? Value else {
        throw Mistake(description: "\(file.path):1:1: error: \"\(key)\" is no \(what)")
      }
      return value
    }
    func path(_ relative: String) -> URL { URL(filePath: relative, relativeTo: folder).standardizedFileURL }

    if let relative = try value("protoPath", String.self, "text") { protoPath = path(relative) }
    include = try value("include", [String].self, "list of texts") ?? []
    importPaths = (try value("importPaths", [String].self, "list of texts") ?? []).map(path)
  }
}
