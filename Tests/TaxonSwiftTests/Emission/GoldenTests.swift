// SPDX-License-Identifier: Apache-2.0
import Foundation
import TaxonSchema
import TaxonSwift
import Testing

/// The committed output for the schemas in Schemas/, which is also compiled into these tests. Scripts/generate updates it.
@Suite struct GoldenTests {
  private static let folder = TestSchema.root.appending(path: "Tests/TaxonSwiftTests")
  private static let schemas = ["errors", "legacy", "messages", "names", "nested", "plain", "services", "streams"]

  private func outcome() throws -> Generator.Outcome {
    let names = Self.schemas.map { "shop/v1/\($0).proto" }
    let set = try TestSchema.descriptorSet(names, in: Self.folder.appending(path: "Schemas"))
    var settings = GeneratorSettings()
    settings.ownModule = "TaxonSwiftTests"
    return try Generator(descriptorSet: set, generating: names).generate(settings)
  }

  @Test(arguments: schemas)
  func theOutputIsTheCommittedOne(schema: String) throws {
    let name = "shop_v1_\(schema).pb.swift"
    let golden = try String(contentsOf: Self.folder.appending(path: "Generated/\(name)"), encoding: .utf8)
    let generated = try outcome().files.first { $0.name == name }?.content
    #expect(generated == golden, "run Scripts/generate when this is meant")
  }

  @Test func theOutputIsTheSameEveryTime() throws {
    #expect(try outcome().files.map(\.content) == outcome().files.map(\.content))
  }
}
