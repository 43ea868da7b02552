// SPDX-License-Identifier: Apache-2.0
import Foundation
import TaxonSchema
import Testing

@testable import TaxonSwift

/// Which generated file carries which descriptors.
@Suite struct EmbeddedDescriptorTests {
  private static let service =
    "message M { string a_b = 1; } service S { rpc Get(M) returns (M); }"

  /// The names of the descriptors in each file of the outcome, with their access.
  private func embedded(_ schema: TestSchema) throws -> [String: [String]] {
    let outcome = try schema.outcome()
    #expect(outcome.diagnostics.isEmpty)
    return Dictionary(
      uniqueKeysWithValues: outcome.files.map { file in
        let lines = file.content.split(separator: "\n").filter { $0.hasSuffix(" = ProtoFileDescriptor(") }
        return (file.name, lines.map { $0.trimming.replacing(" = ProtoFileDescriptor(", with: "") })
      })
  }

  @Test func aFileThatNoServiceReachesHasNone() throws {
    let schema = TestSchema([
      "a.proto": "syntax = \"proto3\"; package a; import \"b.proto\"; message A { b.B b = 1; }",
      "b.proto": "syntax = \"proto3\"; package b; message B {}",
    ])
    #expect(try embedded(schema) == ["a.pb.swift": [], "b.pb.swift": []])
  }

  @Test func whatAServiceReachesHasOne() throws {
    let schema = TestSchema([
      "a.proto": """
      syntax = "proto3"; package a; import "b.proto"; service S { rpc Get(b.B) returns (b.B); }
      """,
      "b.proto": "syntax = \"proto3\"; package b; message B {}",
      "c.proto": "syntax = \"proto3\"; package c; message C {}",
    ])
    #expect(
      try embedded(schema) == ["a.pb.swift": ["static let a"], "b.pb.swift": ["static let b"], "c.pb.swift": []])
  }

  @Test func otherModulesReachAllThatIsNotInternal() throws {
    var schema = TestSchema(["a.proto": "syntax = \"proto3\"; package a; message A {}"])
    schema.settings.access = .package
    #expect(try embedded(schema) == ["a.pb.swift": ["package static let a"]])
  }

  @Test func theErrorsThatAServiceRaisesAreReachedWithoutAnImport() throws {
    let schema = TestSchema([
      "errors.proto": """
      syntax = "proto3"; package a; import "taxon/taxonomy.proto"; import "s.proto";
      option (taxon.taxonomy) = { domain: "a.example.com" };
      message Bad { option (taxon.error) = { code: "BAD" status: ABORTED }; M m = 1; }
      """,
      "s.proto": """
      syntax = "proto3"; package a; import "taxon/taxonomy.proto"; message M {}
      service S { option (taxon.service_raises).errors = "Bad"; rpc Get(M) returns (M); }
      """,
    ])
    let files = try schema.outcome().files
    let service = try #require(files.first { $0.name == "s.pb.swift" }).content
    #expect(service.contains("    dependencies: [.taxonTaxonomy],\n    errors: [.errors],\n"))
    let errors = try #require(files.first { $0.name == "errors.pb.swift" }).content
    #expect(errors.contains("    dependencies: [.taxonTaxonomy, .s],\n    base64: \"\"\"\n"))
  }

  @Test func aFileOfAnotherModuleIsReferredTo() throws {
    var schema = TestSchema([
      "a.proto": "syntax = \"proto3\"; package a; import \"b.proto\"; \(Self.service)",
      "b.proto": "syntax = \"proto3\"; package b; message B {}",
    ])
    schema.generating = ["a.proto"]
    schema.settings.modules = ["b.proto": "Other"]
    let file = try #require(schema.outcome().files.first).content
    #expect(file.contains("import Other\n"))
    #expect(file.contains("dependencies: [.b],"))
    #expect(try embedded(schema) == ["a.pb.swift": ["static let a"]])
  }

  @Test func whatIsGeneratedNowhereIsCopied() throws {
    var schema = TestSchema([
      "a.proto": "syntax = \"proto3\"; package a; import \"b.proto\"; \(Self.service)",
      "b.proto": """
      syntax = "proto3"; package b; import "google/protobuf/api.proto"; import "c.proto"; message B {}
      """,
      "c.proto": "syntax = \"proto3\"; package c; message C {}",
    ])
    schema.generating = ["a.proto"]
    #expect(
      try embedded(schema) == [
        "a.pb.swift": ["static let a", "fileprivate static let b", "fileprivate static let c"]
      ])
  }

  @Test func theyCanBeLeftOut() throws {
    var schema = TestSchema.plain(Self.service)
    schema.settings.descriptors = .omitted
    #expect(!(try schema.swift().contains("Descriptor: ProtoFileDescriptor")))
    #expect(try embedded(schema) == ["t.pb.swift": []])
  }

  @Test func theyCanStandAlone() throws {
    var schema = TestSchema.plain(Self.service)
    schema.settings.access = .public
    schema.settings.descriptors = .alone
    let swift = try schema.swift()
    #expect(swift.contains("import Taxon\n\nextension ProtoFileDescriptor {\n  /// t.proto\n"))
    #expect(!swift.contains("struct"))
  }

  @Test func filesDoNotShareAName() throws {
    let schema = TestSchema([
      "a/bC.proto": "syntax = \"proto3\"; package a; \(Self.service)",
      "a/b_c.proto": "syntax = \"proto3\"; package b; \(Self.service)",
    ])
    try expect(
      schema.diagnostics(),
      [
        """
        a/b_c.proto:1:1: note: file a/b_c.proto is aBC_2 in Swift, because file a/bC.proto at a/bC.proto:1:1 is aBC
        """
      ])
  }

  @Test func theRuntimesHaveTheDescriptorsThatTheGeneratorExpectsThere() throws {
    var found: Set<String> = []
    for path in ["TaxonProtobuf/Generated", "TaxonErrors/Generated", "TaxonErrors/OwnErrors/Generated"] {
      let folder = TestSchema.root.appending(path: "Sources/\(path)")
      for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
        let text = try String(contentsOf: file, encoding: .utf8)
        let name = try #require(text.firstMatch(of: /\n  public static let \w+ = ProtoFileDescriptor\(\n    "(.+)",\n/))
        found.insert(String(name.output.1))
      }
    }
    #expect(found == GeneratorSettings.descriptorsOfTaxon)
  }
}

extension Substring {
  fileprivate var trimming: String { trimmingCharacters(in: .whitespaces) }
}
