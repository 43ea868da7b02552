// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// Checks that no two declarations get the same name in Python.
struct PythonNameCheck {
  let schema: Schema
  let names: PythonNames

  func run(_ diagnostics: inout Diagnostics) {
    var modules = Scope()
    for file in schema.generatedFiles where file.hasPythonModule {
      modules.add(PythonIdentifier.outputFile(file.path), "file \(file.path)", Place(file: file.path), &diagnostics)
      var classes = Scope()
      if let taxonomy = file.taxonomy, file.allMessages.contains(where: { $0.error != nil || $0.category != nil }) {
        let what = taxonomy.name.map { "taxonomy name \"\($0)\"" } ?? "taxonomy \(taxonomy.domain)"
        classes.add(names.rootClass(file), what, taxonomy.namePlace, &diagnostics)
      }
      for message in file.allMessages where message.error != nil || message.category != nil {
        classes.add(names.className(message), "message \(message.fullName)", message.place, &diagnostics)
        check(message, &diagnostics)
      }
    }
  }

  private func check(_ message: SchemaMessage, _ diagnostics: inout Diagnostics) {
    var attributes = Scope()
    for field in message.fields {
      attributes.add(PythonIdentifier.attribute(field.name), "field \"\(field.name)\"", field.place, &diagnostics)
    }
    for oneof in message.oneofs where !oneof.isSynthetic {
      attributes.add(PythonIdentifier.attribute(oneof.name), "oneof \"\(oneof.name)\"", oneof.place, &diagnostics)
    }
  }

  /// Names that are taken in one scope, and by what.
  private struct Scope {
    private var taken: [String: (what: String, place: Place)] = [:]

    mutating func add(_ name: String, _ what: String, _ place: Place, _ diagnostics: inout Diagnostics) {
      guard let first = taken[name] else {
        taken[name] = (what, place)
        return
      }
      diagnostics.error(
        place,
        "\(what) becomes \(name) in Python, as \(first.what) at \(diagnostics.describe(first.place)) does; "
          + "rename one of them")
    }
  }
}
