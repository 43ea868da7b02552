// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The settings of a target's `taxon.json` that say how to generate; TaxonPlugin reads those about folders.
///
/// It is read here rather than by the plugin because SwiftPM asks a plugin only when a package's structure changes, but
/// runs protoc again whenever an input does.
struct SettingsFile {
  /// What is wrong with the file, in the form of a diagnostic.
  struct Mistake: Error, CustomStringConvertible {
    var description: String
  }

  /// In protoc's form.
  private(set) var parameters: [String] = []
  private let path: String
  private let text: String

  private static let keys = [
    "access", "protoPath", "include", "importPaths", "modules", "swiftPrefix", "clients", "fakes", "descriptors",
  ]

  /// Replaces `settings=FILE` in protoc's parameter by what the file says.
  static func expand(_ parameter: String) throws(Mistake) -> String {
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

  private init(_ path: String) throws(Mistake) {
    self.path = path
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Mistake(description: "\(path):1:1: error: the settings file cannot be read")
    }
    text = String(decoding: data, as: UTF8.self)
    let json = try? JSONSerialization.jsonObject(with: data)
    guard let object = json as? [String: Any] else {
      throw mistake(nil, "this is not a JSON object; write {\"access\": …}")
    }
    for key in object.keys.sorted() where !Self.keys.contains(key) {
      throw mistake(key, "\"\(key)\" is not a setting; the settings are \(Self.keys.joined(separator: ", "))")
    }
    if let access = object["access"] {
      guard let access = access as? String, ["public", "package", "internal"].contains(access) else {
        throw mistake("access", "\"access\" is not an access level; write \"public\", \"package\" or \"internal\"")
      }
      parameters.append("access=\(access)")
    }
    for key in ["clients", "fakes", "descriptors"] {
      guard let value = object[key] else { continue }
      guard let flag = value as? Bool else {
        throw mistake(key, "\"\(key)\" is neither true nor false")
      }
      parameters.append("\(key)=\(flag)")
    }
    if let modules = object["modules"] {
      guard let modules = modules as? [String: String] else {
        throw mistake("modules", "\"modules\" is not an object of strings; write {\"path/of.proto\": \"Module\"}")
      }
      parameters += modules.sorted { $0.key < $1.key }.map { "module=\($0.key):\($0.value)" }
    }
    if let prefixes = object["swiftPrefix"] {
      guard let prefixes = prefixes as? [String: String] else {
        throw mistake("swiftPrefix", "\"swiftPrefix\" is not an object of strings; write {\"a.package\": \"Prefix\"}")
      }
      parameters += prefixes.sorted { $0.key < $1.key }.map { "prefix=\($0.key):\($0.value)" }
    }
  }

  /// A mistake at the place of a key.
  private func mistake(_ key: String?, _ message: String) -> Mistake {
    let start = key.flatMap { text.range(of: "\"\($0)\"") }?.lowerBound ?? text.startIndex
    let lines = text[..<start].split(separator: "\n", omittingEmptySubsequences: false)
    return Mistake(description: "\(path):\(max(lines.count, 1)):\((lines.last?.count ?? 0) + 1): error: \(message)")
  }
}
