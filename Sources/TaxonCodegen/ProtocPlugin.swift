// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// The conversation with protoc: an encoded CodeGeneratorRequest comes in, an encoded CodeGeneratorResponse goes out.
public struct ProtocPlugin {
  /// Gives the text of a source file, or nil where there is none.
  public var readFile: (String) -> String? = { _ in nil }
  /// Rewrites protoc's parameter before it is read. What it throws is reported as a mistake.
  public var expandParameter: (String) throws -> String = { $0 }
  /// Takes warnings, which a response has no place for.
  public var warn: (Diagnostic) -> Void = { _ in }

  /// Makes a plugin that reads no files.
  public init() {}

  /// The answer to a request. Throws when the request is none.
  public func answer(_ request: [UInt8]) throws -> [UInt8] {
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
