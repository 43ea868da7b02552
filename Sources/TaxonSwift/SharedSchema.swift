// SPDX-License-Identifier: Apache-2.0
import Foundation
import TaxonSchema

/// A schema whose code another module has, as that module's settings say.
package struct SharedSchema: Hashable, Sendable {
  /// The Swift module.
  var module: String
  /// The schema's path on disk.
  var file: String
  /// The access of the module's code.
  var access: GeneratorSettings.Access
  /// Whether the module is of the same package.
  var isInPackage: Bool
  /// What the names of its types begin with, by package or path.
  var prefixes: [String: String]
  /// Whether its code has the schema's descriptor.
  var hasDescriptor: Bool
  /// The path of the module's `taxon.json`, which may not exist.
  var settingsFile: String

  /// Whether code of this module can name its types.
  var isVisible: Bool { access == .public || access == .package && isInPackage }
}

/// A target with schemas that others may import.
package struct SharingTarget {
  /// Its Swift module.
  package var module: String
  /// Its folder.
  package var folder: String
  /// Whether it is of the package that code is generated for.
  package var isInPackage: Bool
  /// How to depend on it, such as `add "Platform" to the dependencies of Shop`; nil where that is so already.
  package var mend: String?

  /// Describes a target.
  package init(module: String, folder: String, isInPackage: Bool, mend: String? = nil) {
    self.module = module
    self.folder = folder
    self.isInPackage = isInPackage
    self.mend = mend
  }
}

/// The targets whose schemas a target may import, with what their settings say now.
package struct SharingTargets {
  /// Where protoc finds the schemas of the targets that are depended on.
  package private(set) var folders: [String] = []
  /// The schemas of those targets, by their paths.
  package private(set) var shared: [String: [SharedSchema]] = [:]
  private var outside: [(target: SharingTarget, root: String, paths: [String])] = []

  /// Reads the settings of the targets and looks for their schemas. The folders of `preferred` modules come first.
  /// Throws what is wrong with a settings file.
  package init(_ targets: [SharingTarget], preferred: Set<String> = []) throws(SettingsFile.Mistake) {
    for target in targets.filter({ preferred.contains($0.module) }) + targets.filter({ !preferred.contains($0.module) })
    {
      let folder = URL(filePath: target.folder, directoryHint: .isDirectory)
      let file = folder.appending(path: "taxon.json").path
      var settings: SettingsFile?
      if FileManager.default.fileExists(atPath: file) {
        do throws(SettingsFile.Mistake) {
          settings = try SettingsFile(file)
        } catch {
          // Nobody here depends on it: what is wrong with it is for its own build to say.
          guard target.mend != nil else { throw error }
        }
      }
      let protos = settings?.protoPath ?? ""
      let root = (protos.isEmpty ? folder : URL(filePath: protos, directoryHint: .isDirectory, relativeTo: folder))
        .standardizedFileURL.path(percentEncoded: false)
      let paths = Self.schemas(in: root, include: settings?.include ?? [])
      guard target.mend == nil else {
        outside.append((target, root, paths))
        continue
      }
      if !folders.contains(root) { folders.append(root) }
      for path in paths {
        shared[path, default: []].append(
          SharedSchema(
            module: target.module, file: root + path, access: settings?.access ?? .internal,
            isInPackage: target.isInPackage, prefixes: settings?.prefixes ?? [:],
            hasDescriptor: settings?.hasDescriptors ?? true, settingsFile: file))
      }
    }
  }

  /// The paths of the schemas in a folder, which ends with "/".
  package static func schemas(in root: String, include: [String] = [], limit: Int = .max) -> [String] {
    let url = URL(filePath: root, directoryHint: .isDirectory).standardizedFileURL
    let prefix = url.path(percentEncoded: false)
    let found = FileManager.default.enumerator(at: url, includingPropertiesForKeys: nil, options: [.skipsHiddenFiles])
    var result: [String] = []
    while result.count < limit, let file = found?.nextObject() as? URL {
      let path = file.standardizedFileURL.path(percentEncoded: false)
      guard file.pathExtension == "proto", path.hasPrefix(prefix) else { continue }
      let name = String(path.dropFirst(prefix.count))
      if include.isEmpty || include.contains(where: name.hasPrefix) { result.append(name) }
    }
    return result.sorted()
  }

  /// The schemas of all the targets that are depended on.
  package var importable: [String] { shared.keys.sorted() }

  /// What is to be said of an import that protoc does not find: that a target has it which is not depended on, or that
  /// it is called otherwise. Nil when nothing is known of it.
  package func explain(_ path: String, for module: String?) -> String? {
    for (target, _, paths) in outside where paths.contains(path) {
      let own = module.map { "\($0) does" } ?? "this one does"
      return "is a schema of target \(target.module), which \(own) not depend on; \(target.mend ?? "")"
    }
    let near = importable.filter { $0.hasSuffix("/\(path)") || path.hasSuffix("/\($0)") }
    guard !near.isEmpty else { return nil }
    return "is not there; did you mean \(near.map { "\"\($0)\"" }.listed("or"))?"
  }
}
