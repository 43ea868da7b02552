// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The settings of a target: its `taxon.json`, or the defaults.
struct Settings {
  /// "public", "package" or "internal".
  var access = "internal"
  /// The folder that has the schemas; the target's own by default.
  var protoPath: URL
  /// Beginnings of the paths of the schemas to generate, relative to `protoPath`; all when empty.
  var include: [String] = []
  /// More folders in which imports are looked for.
  var importPaths: [URL] = []
  /// Which module has the types of an imported schema.
  var modules: [String: String] = [:]
  /// The settings file, where there is one.
  var files: [URL] = []

  /// A mistake in the settings file.
  struct Mistake: Error, CustomStringConvertible {
    var file: URL
    var text: String
    var description: String { "\(file.path): error: \(text)" }
  }

  private static let keys = ["access", "protoPath", "include", "importPaths", "modules"]

  init(in folder: URL) throws {
    protoPath = folder
    let file = folder.appending(path: "taxon.json")
    guard FileManager.default.fileExists(atPath: file.path) else { return }
    files = [file]
    let json: Any
    do {
      json = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
    } catch {
      throw Mistake(file: file, text: "this is no JSON: \(error.localizedDescription)")
    }
    guard let object = json as? [String: Any] else { throw Mistake(file: file, text: "write one JSON object: {…}") }
    for key in object.keys.sorted() where !Self.keys.contains(key) {
      throw Mistake(file: file, text: "there is no setting \"\(key)\"; there are \(Self.keys.joined(separator: ", "))")
    }
    func value<Value>(_ key: String, _ type: Value.Type, _ what: String) throws -> Value? {
      guard let value = object[key] else { return nil }
      guard let value = value as? Value else { throw Mistake(file: file, text: "\"\(key)\" is no \(what)") }
      return value
    }
    func path(_ relative: String) -> URL { URL(filePath: relative, relativeTo: folder).standardizedFileURL }

    if let access = try value("access", String.self, "text") {
      guard ["public", "package", "internal"].contains(access) else {
        throw Mistake(file: file, text: "\"access\" is \"\(access)\"; write \"public\", \"package\" or \"internal\"")
      }
      self.access = access
    }
    if let relative = try value("protoPath", String.self, "text") { protoPath = path(relative) }
    include = try value("include", [String].self, "list of texts") ?? []
    importPaths = (try value("importPaths", [String].self, "list of texts") ?? []).map(path)
    modules = try value("modules", [String: String].self, "object of texts") ?? [:]
  }
}
