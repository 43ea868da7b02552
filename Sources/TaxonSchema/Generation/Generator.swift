// SPDX-License-Identifier: Apache-2.0
import Foundation
import TaxonProtobuf

/// Turns a request of protoc into files of a language, or into diagnostics when the schema has mistakes.
package struct Generator {
  private let request: Google_Protobuf_Compiler_CodeGeneratorRequest
  private let readFile: (String) -> String?

  /// Makes a generator. `readFile` gives the text of a source file, or nil when it does not exist: with the sources,
  /// diagnostics name files that editors can open and point at the exact word.
  package init(
    _ request: Google_Protobuf_Compiler_CodeGeneratorRequest, readFile: @escaping (String) -> String? = { _ in nil }
  ) {
    self.request = request
    self.readFile = readFile
  }

  /// Makes a generator for the files `generating` of an encoded FileDescriptorSet, which has all their imports too.
  package init(
    descriptorSet: [UInt8], generating: [String], readFile: @escaping (String) -> String? = { _ in nil }
  ) throws {
    let files = try Google_Protobuf_FileDescriptorSet(decoding: descriptorSet).file
    self.init(.init(fileToGenerate: generating, protoFile: files), readFile: readFile)
  }

  /// The result of a run.
  package struct Outcome {
    /// Mistakes, warnings and notes, in the order of the sources.
    package var diagnostics: [Diagnostic]
    /// Generated files; none when there is a mistake.
    package var files: [(name: String, content: String)]
    /// By the file that has them, the imports that lead to errors in its `raises`. protoc does not know `raises` and
    /// may call them unused.
    package var importsForErrors: [String: Set<String>] = [:]
    /// A name in a `raises` option stands for nothing; a file that is not imported may have it.
    var hasUnknownRaises = false
    /// A diagnostic is an error.
    package var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }
  }

  /// The schema of the request, for names that another run could import.
  func schema() -> Schema {
    var diagnostics = Diagnostics(files: [], sources: SourceFiles())
    return SchemaBuilder.build(request.protoFile, generating: [], diagnostics: &diagnostics)
  }

  /// Checks the schema, and writes its files in a language when it has no mistakes. `importable` has schemas that could be
  /// imported: mistakes in `raises` name them.
  package func generate(_ language: some TargetLanguage, importable: Schema? = nil) -> Outcome {
    let sources = SourceFiles(folders: language.sourceFolders + [""], read: readFile)
    var diagnostics = Diagnostics(files: request.protoFile.map { $0.name ?? "" }, sources: sources)
    let schema = SchemaBuilder.build(
      request.protoFile, generating: Set(request.fileToGenerate), importable: importable, diagnostics: &diagnostics)
    schema.check(&diagnostics, mistakeInName: language.mistake(inRootType:))
    language.check(schema, &diagnostics)

    var outcome = Outcome(
      diagnostics: diagnostics.sorted, files: [], importsForErrors: schema.importsForErrors(),
      hasUnknownRaises: schema.hasUnknownRaises)
    guard !outcome.hasErrors else { return outcome }
    let files = language.files(of: schema, &diagnostics)
    outcome.diagnostics = diagnostics.sorted
    if !outcome.hasErrors { outcome.files = files }
    return outcome
  }
}

/// The conversation with protoc: an encoded CodeGeneratorRequest comes in, an encoded CodeGeneratorResponse goes out.
package struct ProtocPlugin {
  /// Gives the text of a source file, or nil when it does not exist.
  package var readFile: (String) -> String? = { _ in nil }
  /// Rewrites protoc's parameter before it is read. What it throws is reported as a mistake.
  package var expandParameter: (String) throws -> String = { $0 }
  /// Takes warnings and notes, which a response has no place for.
  package var warn: (Diagnostic) -> Void = { _ in }
  private let languages: TargetLanguages

  /// Makes a plugin that reads no files.
  package init(_ languages: TargetLanguages) {
    self.languages = languages
  }

  /// The answer to a request. Throws when the request cannot be decoded.
  package func answer(_ request: [UInt8]) throws -> [UInt8] {
    var request = try Google_Protobuf_Compiler_CodeGeneratorRequest(decoding: request)
    do {
      request.parameter = try expandParameter(request.parameter ?? "")
    } catch {
      // As with all mistakes: protoc has begun a line before the text.
      return try Google_Protobuf_Compiler_CodeGeneratorResponse(error: "\n\(error)").encoded()
    }
    return try Generator(request, readFile: readFile).run(languages, warn: warn).encoded()
  }
}

extension Generator {
  /// The answer to protoc. Mistakes are in its `error`, each on a line of its own; warnings and notes go to `warn`.
  package func run(
    _ languages: TargetLanguages, warn: (Diagnostic) -> Void = { _ in }
  ) -> Google_Protobuf_Compiler_CodeGeneratorResponse {
    let features: [Google_Protobuf_Compiler_CodeGeneratorResponse.Feature] = [.proto3Optional, .supportsEditions]
    var response = Google_Protobuf_Compiler_CodeGeneratorResponse(
      supportedFeatures: features.reduce(0) { $0 | UInt64($1.rawValue) }, minimumEdition: Editions.first.rawValue,
      maximumEdition: Editions.last.rawValue)
    do {
      let outcome = generate(try languages.language(parameter: request.parameter ?? ""))
      for diagnostic in outcome.diagnostics where diagnostic.severity != .error { warn(diagnostic) }
      let errors = outcome.diagnostics.filter { $0.severity == .error }
      // protoc puts "--taxon_out: " before the text: the first diagnostic begins on the next line.
      if !errors.isEmpty { response.error = errors.map { "\n\($0)" }.joined() }
      response.file = outcome.files.map { .init(name: $0.name, content: $0.content) }
    } catch {
      response.error = "\(error)"
    }
    return response
  }
}

extension Protoc {
  /// Runs protoc, checks the schemas and generates their code. `report` gets the diagnostics, a line at a time. Nil
  /// when there is an error. `importable` gives schemas that could be imported, by the names that imports have; they are
  /// read when a name in `raises` is unknown.
  package func generate(
    _ files: [String], _ language: some TargetLanguage, importable: () -> [String] = { [] }, report: (String) -> Void
  ) throws -> [(name: String, content: String)]? {
    let reading = try read(files)
    guard let set = reading.descriptorSet else {
      reading.lines().forEach(report)
      return nil
    }
    var language = language
    language.sourceFolders = folders
    let generator = try Generator(descriptorSet: set, generating: files.map(name)) {
      try? String(contentsOfFile: $0, encoding: .utf8)
    }
    var outcome = generator.generate(language)
    if outcome.hasUnknownRaises, let others = try importableSchema(importable()) {
      outcome = generator.generate(language, importable: others)
    }
    reading.lines(neededImports: outcome.importsForErrors).forEach(report)
    outcome.diagnostics.map(\.description).forEach(report)
    return outcome.hasErrors ? nil : outcome.files
  }

  /// The schema of those files that declare errors; nil where there are none. Mistakes in them are for those who generate
  /// them: such files are left out.
  private func importableSchema(_ files: [String]) throws -> Schema? {
    let declaring = files.filter { name in
      folders.lazy.compactMap { try? String(contentsOfFile: "\($0)/\(name)", encoding: .utf8) }
        .first?.contains("taxon.error") ?? false
    }
    guard !declaring.isEmpty else { return nil }
    if let set = try read(declaring).descriptorSet {
      return try Generator(descriptorSet: set, generating: []).schema()
    }
    // One by one, within bounds: each is a run of protoc.
    var found: [Google_Protobuf_FileDescriptorProto] = []
    for file in declaring.prefix(50) {
      guard let set = try read([file]).descriptorSet else { continue }
      let more = try Google_Protobuf_FileDescriptorSet(decoding: set).file
      found += more.filter { file in !found.contains { $0.name == file.name } }
    }
    return Generator(.init(protoFile: found)).schema()
  }
}

/// Writes generated files into a folder, and makes the folders that they need.
package func write(_ files: [(name: String, content: String)], to folder: URL) throws {
  for file in files {
    let url = folder.appending(path: file.name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(file.content.utf8).write(to: url)
  }
}
