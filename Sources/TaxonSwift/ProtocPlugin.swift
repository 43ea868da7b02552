// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf
import TaxonSchema

/// The conversation with protoc: an encoded CodeGeneratorRequest comes in, an encoded CodeGeneratorResponse goes out.
package struct ProtocPlugin {
  /// Gives the text of a source file, or nil where there is none.
  package var readFile: (String) -> String? = { _ in nil }
  /// Rewrites protoc's parameter before it is read. What it throws is reported as a mistake.
  package var expandParameter: (String) throws -> String = { $0 }
  /// Takes warnings, which a response has no place for.
  package var warn: (Diagnostic) -> Void = { _ in }

  /// Makes a plugin that reads no files.
  package init() {}

  /// The answer to a request. Throws when the request is none.
  package func answer(_ request: [UInt8]) throws -> [UInt8] {
    var request = try Google_Protobuf_Compiler_CodeGeneratorRequest(decoding: request)
    do {
      request.parameter = try expandParameter(request.parameter ?? "")
    } catch {
      // As with all mistakes: protoc has begun a line before the text.
      return try Google_Protobuf_Compiler_CodeGeneratorResponse(error: "\n\(error)").encoded()
    }
    return try Generator(request, readFile: readFile).run(warn: warn).encoded()
  }
}

extension Generator {
  /// The answer to protoc. Mistakes are in its `error`, each on a line of its own; warnings go to `warn`.
  package func run(warn: (Diagnostic) -> Void = { _ in }) -> Google_Protobuf_Compiler_CodeGeneratorResponse {
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
}
