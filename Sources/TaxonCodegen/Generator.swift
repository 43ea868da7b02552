// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// Turns a request of protoc into Swift files, or into diagnostics when the schema has mistakes.
public struct Generator {
  private let request: Google_Protobuf_Compiler_CodeGeneratorRequest
  private let readFile: (String) -> String?

  /// Makes a generator. `readFile` gives the text of a source file, or nil where there is none: with the sources at
  /// hand, diagnostics name files as people know them and point at the very word.
  public init(
    _ request: Google_Protobuf_Compiler_CodeGeneratorRequest, readFile: @escaping (String) -> String? = { _ in nil }
  ) {
    self.request = request
    self.readFile = readFile
  }

  /// Makes a generator for the files `generating` of an encoded FileDescriptorSet, which has all their imports too.
  public init(
    descriptorSet: [UInt8], generating: [String], readFile: @escaping (String) -> String? = { _ in nil }
  ) throws {
    let files = try Google_Protobuf_FileDescriptorSet(decoding: descriptorSet).file
    self.init(.init(fileToGenerate: generating, protoFile: files), readFile: readFile)
  }

  /// What comes out of a run.
  public struct Outcome {
    /// Mistakes and warnings, in the order of the sources.
    public var diagnostics: [Diagnostic]
    /// Generated files; none when there is a mistake.
    public var files: [(name: String, content: String)]
    /// By the file that has them, the imports that lead to errors in its `raises`. protoc, which does not know `raises`, may
    /// say that they are unused.
    public var importsForErrors: [String: Set<String>] = [:]
  }

  /// The answer to protoc. Mistakes are in its `error`, each on a line of its own; warnings go to `warn`.
  public func run(warn: (Diagnostic) -> Void = { _ in }) -> Google_Protobuf_Compiler_CodeGeneratorResponse {
    // FEATURE_PROTO3_OPTIONAL.
    var response = Google_Protobuf_Compiler_CodeGeneratorResponse(supportedFeatures: 1)
    do {
      let outcome = generate(try GeneratorSettings(parameter: request.parameter ?? ""))
      for warning in outcome.diagnostics where warning.severity == .warning { warn(warning) }
      let errors = outcome.diagnostics.filter { $0.severity == .error }
      // protoc puts "--taxon_out: " before the text: the first diagnostic begins on the next line.
      if !errors.isEmpty { response.error = errors.map { "\n\($0)" }.joined() }
      response.file = outcome.files.map { .init(name: $0.name, content: $0.content) }
    } catch {
      response.error = "\(error)"
    }
    return response
  }

  /// Checks the schema, and writes its Swift files when it has no mistakes.
  public func generate(_ settings: GeneratorSettings) -> Outcome {
    let sources = SourceFiles(folders: settings.sourceFolders + [""], read: readFile)
    var diagnostics = Diagnostics(files: request.protoFile.map { $0.name ?? "" }, sources: sources)
    let schema = SchemaBuilder.build(
      request.protoFile, generating: Set(request.fileToGenerate), diagnostics: &diagnostics)
    RaisesResolver.resolve(schema, &diagnostics)
    let names = SwiftNames(schema, settings: settings)
    TaxonomyCheck(schema: schema).run(&diagnostics)
    ErrorCheck(schema: schema).run(&diagnostics)
    CategoryCheck(schema: schema).run(&diagnostics)
    EjectionCheck(schema: schema).run(&diagnostics)
    let descriptors = EmbeddedDescriptors(schema, settings: settings)
    NameCheck(schema: schema, names: names, embedded: descriptors).run(&diagnostics)

    let found = diagnostics.sorted
    let importsForErrors = schema.importsForErrors()
    guard !found.contains(where: { $0.severity == .error }) else {
      return Outcome(diagnostics: found, files: [], importsForErrors: importsForErrors)
    }
    let files = schema.generatedFiles.map { file in
      let emitter = Emitter(file, names: names, settings: settings, descriptors: descriptors)
      return (name: Identifier.outputFile(file.path), content: emitter.emit())
    }
    return Outcome(diagnostics: found, files: files, importsForErrors: importsForErrors)
  }
}
