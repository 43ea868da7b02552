// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Has protoc read schemas, and checks and generates them.
///
/// protoc is not asked to run the generator as its plugin: what it says itself is then told with the generator's
/// diagnostics, in their form, and without its warnings of imports that are in use.
public struct Protoc {
  /// The path of protoc.
  public var executable: String
  /// Where schemas and their imports are looked for; the first folder that has a file counts.
  public var folders: [String]
  /// Where a user adds a folder, such as `"importPaths" in taxon.json`.
  public var folderSetting: String

  /// Makes a way to protoc.
  public init(executable: String, folders: [String], folderSetting: String) {
    self.executable = executable
    self.folders = folders
    self.folderSetting = folderSetting
  }

  /// Reads the schemas, and checks and generates them. `report` takes what is to be said of them, a line at a time. Nil
  /// where there is a mistake.
  public func generate(
    _ files: [String], _ settings: GeneratorSettings, report: (String) -> Void
  ) throws -> [(name: String, content: String)]? {
    let output = FileManager.default.temporaryDirectory.appending(path: "taxon-\(UUID().uuidString).binpb")
    defer { try? FileManager.default.removeItem(at: output) }
    let (said, status) = try run(
      ["--include_imports", "--include_source_info", "--descriptor_set_out=\(output.path)"] + files)
    let messages = ProtocMessages(
      folders: folders, exists: { FileManager.default.fileExists(atPath: $0) }, folderSetting: folderSetting)
    guard status == 0 else {
      messages.rewrite(said, neededImports: [:]).forEach(report)
      return nil
    }
    var settings = settings
    settings.sourceFolders = folders
    let set = Array(try Data(contentsOf: output))
    let outcome = try Generator(descriptorSet: set, generating: files.map(name)) {
      try? String(contentsOfFile: $0, encoding: .utf8)
    }.generate(settings)
    messages.rewrite(said, neededImports: outcome.importsForErrors).forEach(report)
    outcome.diagnostics.map(\.description).forEach(report)
    return outcome.diagnostics.contains { $0.severity == .error } ? nil : outcome.files
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
  private func name(_ file: String) -> String {
    let path = URL(filePath: file).standardizedFileURL.path
    for folder in folders {
      let prefix = URL(filePath: folder, directoryHint: .isDirectory).standardizedFileURL.path
      let whole = prefix.hasSuffix("/") ? prefix : prefix + "/"
      if path.hasPrefix(whole) { return String(path.dropFirst(whole.count)) }
    }
    return file
  }
}
