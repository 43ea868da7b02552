// SPDX-License-Identifier: Apache-2.0
import TaxonSchema
import TaxonSwift
import Testing

/// Schemas of a test: protoc reads them, and the generator writes Swift or says what is wrong with them.
struct TestSchema: SchemaTexts {
  var files: [String: String]
  var settings = GeneratorSettings()
  /// Whether the generator can see the sources and point at the very word.
  var hasSources = false
  /// Which files to generate; all when nil.
  var generating: [String]?

  init(_ files: [String: String]) { self.files = files }

  func outcome() throws -> Generator.Outcome {
    let names = files.keys.sorted()
    let generator = try Generator(
      descriptorSet: try descriptorSet(names), generating: generating ?? names
    ) { hasSources ? files[$0] : nil }
    return generator.generate(settings)
  }

  /// What the generator reports, line by line.
  func diagnostics() throws -> [String] { try outcome().diagnostics.map(\.description) }

  /// The Swift text of the only file.
  func swift() throws -> String {
    let outcome = try outcome()
    #expect(outcome.diagnostics.isEmpty)
    return try #require(outcome.files.first).content
  }
}
