// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf
import TaxonSchema

/// Schemas of a test: protoc reads them, and the checks say what is wrong with them.
struct TestSchema: SchemaTexts {
  var files: [String: String]
  /// Whether the checks can see the sources and point at the very word.
  var hasSources = false
  /// Which files to generate; all when nil.
  var generating: [String]?

  init(_ files: [String: String]) { self.files = files }

  /// The model, and what is wrong with it. Any name is good for a root type.
  func checked() throws -> (schema: Schema, diagnostics: [Diagnostic]) {
    let names = files.keys.sorted()
    let descriptors = try Google_Protobuf_FileDescriptorSet(decoding: try descriptorSet(names)).file
    let sources = SourceFiles(folders: [""]) { hasSources ? files[$0] : nil }
    var diagnostics = Diagnostics(files: descriptors.map { $0.name ?? "" }, sources: sources)
    let schema = SchemaBuilder.build(descriptors, generating: Set(generating ?? names), diagnostics: &diagnostics)
    schema.check(&diagnostics) { _ in nil }
    return (schema, diagnostics.sorted)
  }

  /// What the checks report, line by line.
  func diagnostics() throws -> [String] { try checked().diagnostics.map(\.description) }
}
