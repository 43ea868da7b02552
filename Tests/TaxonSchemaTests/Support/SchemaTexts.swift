// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Texts of schemas, which protoc reads. TaxonSwiftTests has this file too, by a symbolic link.
protocol SchemaTexts {
  /// Texts by path.
  var files: [String: String] { get }

  init(_ files: [String: String])
}

extension SchemaTexts {
  /// One file, `t.proto`, whose errors have a taxonomy. The text begins on line 5.
  static func errors(_ text: String) -> Self {
    Self([
      "t.proto": """
      syntax = "proto3";
      package t;
      import "taxon/taxonomy.proto";
      option (taxon.taxonomy) = { domain: "t.example.com" };
      \(text)
      """
    ])
  }

  /// One file, `t.proto`, without a taxonomy. The text begins on line 4.
  static func plain(_ text: String) -> Self {
    Self(["t.proto": "syntax = \"proto3\";\npackage t;\nimport \"taxon/taxonomy.proto\";\n\(text)\n"])
  }

  /// One file, `t.proto`, in proto2, where protoc lets names pass that it refuses in proto3. The text begins on line 3.
  static func proto2(_ text: String) -> Self {
    Self(["t.proto": "syntax = \"proto2\";\npackage t;\n\(text)\n"])
  }

  /// The folder of this package.
  static var root: URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
  }

  func descriptorSet(_ names: [String]) throws -> [UInt8] {
    let folder = FileManager.default.temporaryDirectory.appending(path: "taxon-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    for (name, text) in files {
      let file = folder.appending(path: name)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    return try Self.descriptorSet(names, in: folder)
  }

  /// Has protoc read the files in a folder.
  static func descriptorSet(_ names: [String], in folder: URL) throws -> [UInt8] {
    let output = FileManager.default.temporaryDirectory.appending(path: "taxon-\(UUID().uuidString).binpb")
    defer { try? FileManager.default.removeItem(at: output) }
    let protoc = Process()
    protoc.executableURL = URL(filePath: "/usr/bin/env")
    protoc.arguments =
      [
        ProcessInfo.processInfo.environment["PROTOC_PATH"] ?? "protoc", "-I\(folder.path)",
        "-I\(root.appending(path: "Protos").path)", "--include_imports", "--include_source_info",
        "--descriptor_set_out=\(output.path)",
      ] + names
    let messages = Pipe()
    protoc.standardError = messages
    try protoc.run()
    let text = String(decoding: messages.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    protoc.waitUntilExit()
    try #require(protoc.terminationStatus == 0, "protoc refuses the schema of the test: \(text)")
    return Array(try Data(contentsOf: output))
  }
}

/// Fails with both texts when what was reported is not what was expected.
func expect(
  _ found: [String], _ expected: [String], sourceLocation: Testing.SourceLocation = #_sourceLocation
) throws {
  #expect(found == expected, sourceLocation: sourceLocation)
}
