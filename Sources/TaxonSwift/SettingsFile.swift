// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The settings of a target's `taxon.json`: those of the target that code is generated for, or of one that it depends on.
///
/// It is read here rather than by the plugin because SwiftPM asks a plugin only when a package's structure changes, but
/// runs protoc again whenever an input does.
package struct SettingsFile {
  /// What is wrong with the file, in the form of a diagnostic.
  package struct Mistake: Error, CustomStringConvertible {
    /// `file:line:column: error: what is wrong; how to mend it`.
    package var description: String
  }

  /// How to generate, in protoc's form.
  package private(set) var parameters: [String] = []
  /// The access of what is generated.
  private(set) var access = GeneratorSettings.Access.internal
  /// What the names of types begin with, by package or path.
  private(set) var prefixes: [String: String] = [:]
  /// Whether files carry their descriptors.
  private(set) var hasDescriptors = true
  /// The folder of the schemas, relative to the target's.
  private(set) var protoPath = ""
  /// Beginnings of the paths of the schemas to generate; all when empty.
  private(set) var include: [String] = []
  private let path: String
  private let text: String

  private static let keys = [
    "access", "protoPath", "include", "importPaths", "modules", "prefixes", "clients", "fakes", "descriptors",
  ]

  /// Replaces `settings=FILE` in protoc's parameter by what the file says.
  package static func expand(_ parameter: String) throws(Mistake) -> String {
    var result: [String] = []
    for setting in parameter.split(separator: ",").map(String.init) {
      guard setting.hasPrefix("settings=") else {
        result.append(setting)
        continue
      }
      let value = String(setting.dropFirst("settings=".count))
      result += try SettingsFile(value.removingPercentEncoding ?? value).parameters
    }
    return result.joined(separator: ",")
  }

  /// Reads the file at a path.
  init(_ path: String) throws(Mistake) {
    self.path = path
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Mistake(description: "\(path):1:1: error: the settings file cannot be read")
    }
    text = String(decoding: data, as: UTF8.self)
    let json = try? JSONSerialization.jsonObject(with: data)
    guard let object = json as? [String: Any] else {
      throw mistake(nil, "this is not a JSON object; write {\"access\": …}")
    }
    for key in object.keys.sorted() where !Self.keys.contains(key) && key != "swiftPrefix" {
      throw mistake(key, "\"\(key)\" is not a setting; the settings are \(Self.keys.joined(separator: ", "))")
    }
    if let access = object["access"] {
      guard let name = access as? String, let access = GeneratorSettings.Access(rawValue: name) else {
        throw mistake("access", "\"access\" is not an access level; write \"public\", \"package\" or \"internal\"")
      }
      self.access = access
      parameters.append("access=\(access)")
    }
    for key in ["clients", "fakes", "descriptors"] {
      guard let value = object[key] else { continue }
      guard let flag = value as? Bool else {
        throw mistake(key, "\"\(key)\" is neither true nor false")
      }
      parameters.append("\(key)=\(flag)")
      if key == "descriptors" { hasDescriptors = flag }
    }
    if let modules = object["modules"] {
      guard let modules = modules as? [String: String] else {
        throw mistake("modules", "\"modules\" is not an object of strings; write {\"path/of.proto\": \"Module\"}")
      }
      parameters += modules.sorted { $0.key < $1.key }.map { "module=\($0.key):\($0.value)" }
    }
    // The second name is what it was called before.
    for key in ["prefixes", "swiftPrefix"] {
      guard let object = object[key] else { continue }
      guard let more = object as? [String: String] else {
        throw mistake(key, "\"\(key)\" is not an object of strings; write {\"a.package\": \"Prefix\"}")
      }
      prefixes.merge(more) { first, _ in first }
    }
    parameters += prefixes.sorted { $0.key < $1.key }.map { "prefix=\($0.key):\($0.value)" }
    if let folder = object["protoPath"] {
      guard let folder = folder as? String else {
        throw mistake("protoPath", "\"protoPath\" is not a string; write the folder of the schemas")
      }
      protoPath = folder
    }
    if let include = object["include"] {
      guard let include = include as? [String] else {
        throw mistake("include", "\"include\" is not a list of strings; write [\"folder/\"]")
      }
      self.include = include
    }
  }

  /// A mistake at the place of a key.
  private func mistake(_ key: String?, _ message: String) -> Mistake {
    let start = key.flatMap { text.range(of: "\"\($0)\"") }?.lowerBound ?? text.startIndex
    let lines = text[..<start].split(separator: "\n", omittingEmptySubsequences: false)
    return Mistake(description: "\(path):\(max(lines.count, 1)):\((lines.last?.count ?? 0) + 1): error: \(message)")
  }
}
