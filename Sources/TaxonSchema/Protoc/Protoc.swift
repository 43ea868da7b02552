// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Has protoc read schemas.
///
/// protoc is not asked to run the generator as its plugin: what it says itself is then told with the generator's
/// diagnostics, in their form, and without its warnings of imports that are in use.
package struct Protoc {
  /// The path of protoc.
  package var executable: String
  /// Where schemas and their imports are looked for; the first folder that has a file counts.
  package var folders: [String]
  /// Where a user adds a folder, such as `"importPaths" in taxon.json`.
  package var folderSetting: String

  /// Makes a way to protoc.
  package init(executable: String, folders: [String], folderSetting: String) {
    self.executable = executable
    self.folders = folders
    self.folderSetting = folderSetting
  }

  /// What comes of reading schemas.
  package struct Reading {
    /// The encoded FileDescriptorSet with all imports; nil when protoc has found mistakes.
    package var descriptorSet: [UInt8]?
    fileprivate var said: String
    fileprivate var messages: ProtocMessages

    /// What protoc said, a line each, without its warnings of `neededImports`.
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

  /// protoc names a file relative to the folder that it finds it in.
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
