// SPDX-License-Identifier: Apache-2.0
import Foundation
import TaxonSchema
import TaxonSwift
import Testing

/// protoc and the generator together, as `taxon` and TaxonPlugin use them.
@Suite struct ProtocTests {
  private static let errors = """
    syntax = "proto3";
    package platform;
    import "taxon/taxonomy.proto";
    option (taxon.taxonomy) = { domain: "platform.example.com" };
    message Gone { option (taxon.error) = { status: NOT_FOUND }; }
    """

  /// What is said of `t.proto`, with `FOLDER` for the folder that it is in.
  private func said(_ files: [String: String]) throws -> (lines: [String], generated: [String]?) {
    let folder = FileManager.default.temporaryDirectory.appending(path: "taxon-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (name, text) in files { try Data(text.utf8).write(to: folder.appending(path: name)) }
    let search = ProtocSearch(environment: ProcessInfo.processInfo.environment) {
      FileManager.default.isExecutableFile(atPath: $0)
    }
    let protoc = Protoc(
      executable: try search.find(), folders: [folder.path, TestSchema.root.appending(path: "Protos").path],
      folderSetting: "--proto-path")
    var lines: [String] = []
    let files = try protoc.generate([folder.appending(path: "t.proto").path], GeneratorSettings()) { lines.append($0) }
    return (lines.map { $0.replacing(folder.path, with: "FOLDER") }, files?.map(\.name))
  }

  @Test func anImportForRaisesAloneIsNoWarning() throws {
    let (lines, files) = try said([
      "errors.proto": Self.errors, "other.proto": "syntax = \"proto3\";",
      "t.proto": """
      syntax = "proto3";
      import "errors.proto";
      import "other.proto";
      import "taxon/taxonomy.proto";
      message M {}
      service S { rpc Get(M) returns (M) { option (taxon.raises).errors = "platform.Gone"; } }
      """,
    ])
    try expect(lines, ["FOLDER/t.proto:3:1: warning: Import other.proto is unused."])
    #expect(files == ["t.pb.swift"])
  }

  @Test func anImportThatLeadsToTheErrorIsNeededToo() throws {
    let (lines, files) = try said([
      "errors.proto": Self.errors, "all.proto": "syntax = \"proto3\"; import public \"errors.proto\";",
      "t.proto": """
      syntax = "proto3";
      import "all.proto";
      import "taxon/taxonomy.proto";
      message M {}
      service S { rpc Get(M) returns (M) { option (taxon.raises).errors = "platform.Gone"; } }
      """,
    ])
    try expect(lines, [])
    #expect(files == ["t.pb.swift"])
  }

  @Test func mistakesOfBothAreToldInOneForm() throws {
    let (lines, files) = try said(["t.proto": "syntax = \"proto3\";\nmessage M { Foo foo = 1; }\n"])
    try expect(lines, ["FOLDER/t.proto:2:13: error: \"Foo\" is not defined."])
    #expect(files == nil)

    let (ours, none) = try said(["t.proto": Self.errors.replacing("status: NOT_FOUND", with: "")])
    try expect(
      ours,
      ["FOLDER/t.proto:5:9: error: error Gone has no status; add status: … to it or to a category around it"])
    #expect(none == nil)
  }
}
