// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// Python: a module of exception classes for each schema that declares errors or services, and the runtime that they share.
package struct PythonSettings: Hashable, Sendable {
  /// Whether the runtime, `taxon/runtime`, is written beside the modules; true by default.
  package var runtime = true
  /// Folders in which diagnostics look for the source files that they name.
  package var sourceFolders: [String] = []

  /// The default settings.
  package init() {}

  private mutating func set(_ name: String, _ value: String) throws(ParameterMistake) {
    switch name {
    case "runtime": runtime = try GeneratorParameter.flag(name, value)
    case "source": sourceFolders.append(GeneratorParameter.folder(value))
    default:
      throw ParameterMistake(
        description: "\"\(name)\" is not a parameter of lang=python; the parameters are lang, runtime and source")
    }
  }
}

extension PythonSettings: TargetLanguage {
  /// Reads protoc's parameter: `runtime=false,source=/folder`.
  package init(parameter: String) throws(ParameterMistake) {
    for (name, value) in try GeneratorParameter.settings(parameter) { try set(name, value) }
  }

  /// What cannot be the name of a class of a generated module.
  package func mistake(inRootType name: String) -> String? { PythonIdentifier.mistake(inRootClass: name) }

  /// Reports declarations that get one name.
  package func check(_ schema: Schema, _ diagnostics: inout Diagnostics) {
    PythonNameCheck(schema: schema, names: PythonNames(schema)).run(&diagnostics)
  }

  /// A module for each schema that has something to say, and the runtime.
  package func files(of schema: Schema, _: inout Diagnostics) -> [(name: String, content: String)] {
    let names = PythonNames(schema)
    let modules = schema.generatedFiles.filter(\.hasPythonModule).map { file in
      (name: PythonIdentifier.outputFile(file.path), content: ModuleEmitter(file, names: names).emit())
    }
    return modules + (runtime && !modules.isEmpty ? PythonRuntime.files : [])
  }
}

extension SchemaFile {
  /// Whether the file has errors, categories or methods.
  var hasPythonModule: Bool {
    services.contains { !$0.methods.isEmpty } || allMessages.contains { $0.error != nil || $0.category != nil }
  }
}
