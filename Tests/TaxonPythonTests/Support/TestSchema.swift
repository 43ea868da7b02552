// SPDX-License-Identifier: Apache-2.0
import TaxonPython
import TaxonSchema
import Testing

/// Schemas of a test: protoc reads them, and the generator writes Python or says what is wrong with them.
struct TestSchema: SchemaTexts {
  var files: [String: String]
  var settings = PythonSettings()

  init(_ files: [String: String]) {
    self.files = files
    settings.runtime = false
  }

  func outcome() throws -> Generator.Outcome {
    let names = files.keys.sorted()
    return try Generator(descriptorSet: try descriptorSet(names), generating: names).generate(settings)
  }

  /// What the generator reports, line by line.
  func diagnostics() throws -> [String] { try outcome().diagnostics.map(\.description) }

  /// The text of one module, by default the only one.
  func python(_ name: String? = nil) throws -> String {
    let outcome = try outcome()
    #expect(outcome.diagnostics.isEmpty)
    return try #require(outcome.files.first { name == nil || $0.name == name }).content
  }
}
