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
      folders: folders, exists: { FileManager.default.fileExists(atPath: $0) }, folderSetting: folderSetting)
    return Reading(
      descriptorSet: status == 0 ? Array(try Data(contentsOf: output)) : nil, said: said, messages: messages)
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

  /// Rewrites protoc's standard error. `neededImports` are those that only `raises` needs: protoc does not know
  /// `raises` and warns that they are unused.
  func rewrite(_ text: String, neededImports: [String: Set<String>]) -> [String] {
    let lines = text.split(separator: "\n").map(String.init)
    return lines.compactMap { line in
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

  private func rewrite(_ message: String) -> String {
    if message.hasPrefix("warning: ") { return message }
    if let match = message.wholeMatch(of: /Import "(.+)" was not found or had errors\./),
      path(String(match.1)) == match.1
    {
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
  /// The imports through which each generated file, by its path, reaches the errors that its methods raise.
  package func importsForErrors() -> [String: Set<String>] {
    let byPath = Dictionary(files.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    var result: [String: Set<String>] = [:]
    for file in generatedFiles {
      for error in file.services.flatMap(\.methods).flatMap(\.errors) where error.file !== file {
        let direct = file.dependencies.filter { $0 == error.file.path }
        let leading = direct.isEmpty ? file.dependencies.filter { reaches(error.file, from: $0, byPath) } : direct
        result[file.path, default: []].formUnion(leading)
      }
    }
    return result
  }

  private func reaches(_ file: SchemaFile, from path: String, _ byPath: [String: SchemaFile]) -> Bool {
    var waiting = [path]
    var seen: Set<String> = []
    while let path = waiting.popLast() {
      if path == file.path { return true }
      if seen.insert(path).inserted { waiting += byPath[path]?.dependencies ?? [] }
    }
    return false
  }
}
