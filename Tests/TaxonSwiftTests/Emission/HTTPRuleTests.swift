// SPDX-License-Identifier: Apache-2.0
import Foundation
import Taxon
import TaxonSchema
import TaxonSwift
import Testing

/// Rules of REST in generated code.
@Suite struct HTTPRuleTests {
  @Test func descriptorsHaveTheRulesOfTheirMethods() {
    #expect(
      Shelves.Methods.getShelf.http == [
        HTTPRule("GET", "/v1/{name=shelves/*}"), HTTPRule("GET", "/v1/{name=shelves/*}/books", responseBody: "books"),
      ])
    #expect(Shelves.Methods.updateShelf.http == [HTTPRule("PATCH", "/v1/{shelf.name=shelves/*}", body: "shelf")])
    #expect(Shelves.Methods.countShelves.http.isEmpty)
  }

  @Test func schemaKnowsTheFilesOfTheOption() {
    #expect(ProtoFileDescriptor.shopV1Rest.closure.contains { $0.name == "google/api/http.proto" })
    #expect(ProtoFileDescriptor.shopV1Rest.closure.contains { $0.name == "google/api/annotations.proto" })
  }

  private static let text = """
    syntax = "proto3";
    package t;
    import "google/api/annotations.proto";
    message M { string name = 1; }
    service S {
      rpc Get(M) returns (M) { option (google.api.http).get = "/v1/{name}"; }
      rpc Watch(M) returns (stream M) { option (google.api.http).get = "/v1/{name}:watch"; }
    }
    """

  private func code(of schema: TestSchema) throws -> String {
    let outcome = try schema.outcome()
    #expect(outcome.diagnostics.allSatisfy { $0.severity == .warning }, "\(outcome.diagnostics)")
    return try #require(outcome.files.first { $0.name == "t.pb.swift" }).content
  }

  @Test func methodsThatStreamHaveNoRules() throws {
    let code = try code(of: TestSchema(["t.proto": Self.text]))
    #expect(code.contains(#"http: [HTTPRule("GET", "/v1/{name}")])"#))
    #expect(!code.contains(":watch"))
  }

  /// Copies of googleapis: a user's own declarations of the option, generated with the schema or only imported.
  @Test(arguments: [["t.proto"], ["google/api/annotations.proto", "google/api/http.proto", "t.proto"]])
  func declarationsOfTheUsersOwnWork(generating: [String]) throws {
    func own(_ name: String) throws -> String {
      let text = try String(
        contentsOf: TestSchema.root.appending(path: "Protos/google/api/\(name).proto"), encoding: .utf8)
      return text.replacing(
        "package google.api;", with: "package google.api;\noption java_package = \"com.google.api\";")
    }
    var schema = TestSchema([
      "t.proto": Self.text, "google/api/http.proto": try own("http"),
      "google/api/annotations.proto": try own("annotations"),
    ])
    schema.generating = generating
    #expect(try code(of: schema).contains(#"http: [HTTPRule("GET", "/v1/{name}")])"#))
  }
}
