// SPDX-License-Identifier: Apache-2.0

/// A language that code is generated in: its settings, its own checks, and what it writes of a schema.
package protocol TargetLanguage {
  /// Reads the settings from protoc's parameter, `lang` taken away.
  init(parameter: String) throws(ParameterMistake)

  /// Folders in which diagnostics look for the source files that they name.
  var sourceFolders: [String] { get set }

  /// What is wrong with the name of a taxonomy's root type and how to mend it; nil when all is well.
  func mistake(inRootType name: String) -> String?

  /// Reports what a schema without other mistakes has that this language cannot say: two declarations of one name, say.
  func check(_ schema: Schema, _ diagnostics: inout Diagnostics)

  /// The files of a schema that has no mistakes so far, by their names in the output folder. Mistakes that only show when code is
  /// written are reported too; there are no files then.
  func files(of schema: Schema, _ diagnostics: inout Diagnostics) -> [(name: String, content: String)]
}

/// The languages that a program can generate, by the names that `lang` gives them; the first is the default.
package struct TargetLanguages {
  private let types: [(name: String, type: any TargetLanguage.Type)]

  /// These languages.
  package init(_ types: [(name: String, type: any TargetLanguage.Type)]) {
    self.types = types
  }

  /// The language that a parameter of protoc names, with its settings.
  package func language(parameter: String) throws(ParameterMistake) -> any TargetLanguage {
    var name = types.first?.name ?? ""
    var rest: [Substring] = []
    for setting in parameter.split(separator: ",") {
      if setting == "lang" || setting.hasPrefix("lang=") {
        name = String(setting.dropFirst("lang=".count))
      } else {
        rest.append(setting)
      }
    }
    guard let type = types.first(where: { $0.name == name })?.type else {
      throw ParameterMistake(
        description: "parameter lang=\(name) is not a language; write \(types.map { "lang=\($0.name)" }.listed("or"))")
    }
    return try type.init(parameter: rest.joined(separator: ","))
  }
}

/// A mistake in protoc's parameter.
package struct ParameterMistake: Error, Hashable, CustomStringConvertible {
  /// What is wrong and how to mend it.
  package var description: String

  /// A mistake.
  package init(description: String) { self.description = description }
}

/// Protoc's parameter, taken apart: `name=value,name=value`.
package enum GeneratorParameter {
  /// The settings in their order. Throws where one has no value; an empty value counts for those of `mayBeEmpty`.
  package static func settings(
    _ parameter: String, mayBeEmpty: Set<String> = []
  ) throws(ParameterMistake) -> [(name: String, value: String)] {
    var settings: [(name: String, value: String)] = []
    for setting in parameter.split(separator: ",") {
      let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let name = parts[0]
      guard parts.count == 2, !parts[1].isEmpty || mayBeEmpty.contains(name) else {
        throw ParameterMistake(description: "parameter \"\(setting)\" has no value; write \(name)=…")
      }
      settings.append((name, parts[1]))
    }
    return settings
  }

  /// A truth value.
  package static func flag(_ name: String, _ value: String) throws(ParameterMistake) -> Bool {
    guard let flag = Bool(value) else {
      throw ParameterMistake(description: "parameter \(name)=\(value) is neither true nor false")
    }
    return flag
  }

  /// A folder, in which commas are escaped because they come between the settings.
  package static func folder(_ value: String) -> String {
    replace("%25", with: "%", in: replace("%2C", with: ",", in: value))
  }

  private static func replace(_ part: String, with other: String, in text: String) -> String {
    text.split(separator: part, omittingEmptySubsequences: false).joined(separator: other)
  }
}
