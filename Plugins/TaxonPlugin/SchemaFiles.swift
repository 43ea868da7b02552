// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The schemas of a target and what they import.
struct SchemaFiles {
  struct File {
    var url: URL
    /// Relative to the folder of the schemas, which is how protoc names the file.
    var path: String

    /// As protoc-gen-taxon names the file: a/b.proto gives a_b.pb.swift.
    var outputName: String {
      path.dropLast(".proto".count).split(separator: "/").joined(separator: "_") + ".pb.swift"
    }
  }

  /// In the order of their paths.
  private(set) var files: [File] = []
  /// Where protoc looks for imports, the folder of the schemas first. protoc knows its own by itself.
  let searchPaths: [URL]

  init(folder: URL, include: [String], importPaths: [URL]) throws {
    searchPaths = ([folder] + importPaths).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    let root = folder.standardizedFileURL.path
    let found = FileManager.default.enumerator(
      at: folder, includingPropertiesForKeys: nil, options: [.skipsHiddenFiles])
    while let url = found?.nextObject() as? URL {
      let whole = url.standardizedFileURL.path
      guard url.pathExtension == "proto", whole.hasPrefix(root) else { continue }
      let path = String(whole.dropFirst(root.count).drop { $0 == "/" })
      guard include.isEmpty || include.contains(where: path.hasPrefix) else { continue }
      files.append(File(url: url.standardizedFileURL, path: path))
    }
    files.sort { $0.path < $1.path }
  }

  /// The files that the schemas import, at any depth, other than the schemas themselves. What is not found comes with
  /// protoc, or protoc will say that it is missing.
  func imported() -> [URL] {
    var seen = Set(files.map(\.path))
    var waiting = files.map(\.url)
    var result: [URL] = []
    while let file = waiting.popLast() {
      for path in Self.imports(of: file) where seen.insert(path).inserted {
        let candidates = searchPaths.map { $0.appending(path: path) }
        guard let url = candidates.first(where: { FileManager.default.fileExists(atPath: $0.path) }) else { continue }
        result.append(url)
        waiting.append(url)
      }
    }
    return result.sorted { $0.path < $1.path }
  }

  /// The paths in the import statements of a file. A statement in a comment only makes one more input.
  private static func imports(of file: URL) -> [String] {
    guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
    return text.split(whereSeparator: { $0 == "\n" || $0 == ";" }).compactMap { statement in
      let statement = statement.drop(while: \.isWhitespace)
      guard statement.hasPrefix("import") else { return nil }
      let parts = statement.split(whereSeparator: { $0 == "\"" || $0 == "'" })
      return parts.count > 1 ? String(parts[1]) : nil
    }
  }
}
