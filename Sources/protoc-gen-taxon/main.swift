// SPDX-License-Identifier: Apache-2.0

// The plugin of protoc: a CodeGeneratorRequest comes in on standard input, a CodeGeneratorResponse goes out. With arguments,
// which protoc never gives, it runs protoc itself.
import Foundation
import TaxonPython
import TaxonSchema
import TaxonSwift

func report(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

/// By the names that the parameter `lang` gives them.
let languages = TargetLanguages([("swift", GeneratorSettings.self), ("python", PythonSettings.self)])

let arguments = Array(CommandLine.arguments.dropFirst())
if !arguments.isEmpty {
  do {
    exit(try Driver(arguments).run(languages, report: report) ? 0 : 1)
  } catch let mistake as SettingsFile.Mistake {
    report("\(mistake)")
  } catch {
    report("error: \(error)")
  }
  exit(1)
}

var plugin = ProtocPlugin(languages)
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
