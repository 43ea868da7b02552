// SPDX-License-Identifier: Apache-2.0

// The plugin of protoc: a CodeGeneratorRequest comes in on standard input, a CodeGeneratorResponse goes out.
import Foundation
import TaxonCodegen

func report(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

var plugin = ProtocPlugin()
plugin.readFile = { try? String(contentsOfFile: $0, encoding: .utf8) }
plugin.expandParameter = SettingsFile.expand
plugin.warn = { report("\($0)") }

do {
  let request = FileHandle.standardInput.readDataToEndOfFile()
  FileHandle.standardOutput.write(Data(try plugin.answer(Array(request))))
} catch {
  report("protoc-gen-taxon: \(error)")
  exit(1)
}
