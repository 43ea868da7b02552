// SPDX-License-Identifier: Apache-2.0

// The plugin of protoc: a CodeGeneratorRequest comes in on standard input, a CodeGeneratorResponse goes out.
import Foundation
import TaxonCodegen
import TaxonProtobuf

let input = FileHandle.standardInput.readDataToEndOfFile()
do {
  let request = try Google_Protobuf_Compiler_CodeGeneratorRequest(decoding: Array(input))
  let generator = Generator(request) { try? String(contentsOfFile: $0, encoding: .utf8) }
  let response = generator.run { FileHandle.standardError.write(Data("\($0)\n".utf8)) }
  FileHandle.standardOutput.write(Data(try response.encoded()))
} catch {
  FileHandle.standardError.write(Data("protoc-gen-taxon: \(error)\n".utf8))
  exit(1)
}
