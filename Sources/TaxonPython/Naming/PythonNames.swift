// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// The names of the classes in generated modules. A module is flat, as the standard's is: categories and errors of any depth
/// stand beside each other in it.
struct PythonNames {
  private var classes: [ObjectIdentifier: String] = [:]
  private let files: [String: SchemaFile]

  init(_ schema: Schema) {
    files = Dictionary(schema.files.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    for file in schema.files { name(file) }
  }

  /// The class of a category or an error.
  func className(_ message: SchemaMessage) -> String {
    classes[ObjectIdentifier(message)] ?? PythonIdentifier.className(message.name)
  }

  /// The root class of a file's errors.
  func rootClass(_ file: SchemaFile) -> String {
    guard let taxonomy = file.taxonomy else { return "DeclaredError" }
    return taxonomy.name ?? PythonIdentifier.rootClass(ofDomain: taxonomy.domain)
  }

  /// The file whose module has the root class of a file's errors: itself, or one that it imports, of the same taxonomy.
  func rootFile(_ file: SchemaFile) -> SchemaFile {
    let imported = file.dependencies.compactMap { files[$0] }
      .first { other in
        other.taxonomy?.domain == file.taxonomy?.domain && rootClass(other) == rootClass(file)
          && other.allMessages.contains { $0.category != nil || $0.error != nil }
      }
    guard let imported, file.taxonomy != nil else { return file }
    return rootFile(imported)
  }

  /// Where names meet, those of the categories around come in front, from the innermost outward, without their "Error".
  private mutating func name(_ file: SchemaFile) {
    let messages = file.allMessages.filter { $0.category != nil || $0.error != nil }
    var names = messages.map { PythonIdentifier.className($0.name) }
    for depth in stride(from: 1, through: messages.map(\.categories.count).max() ?? 0, by: 1) {
      let twice = Dictionary(grouping: names + [rootClass(file)], by: \.self).filter { $0.value.count > 1 }.keys
      for (index, message) in messages.enumerated() where twice.contains(names[index]) {
        let around = message.categories.suffix(depth).map { category in
          let name = PythonIdentifier.className(category.name)
          return String(name.dropLast(name.hasSuffix("Errors") ? 6 : 5))
        }
        names[index] = around.joined() + PythonIdentifier.className(message.name)
      }
    }
    for (message, name) in zip(messages, names) { classes[ObjectIdentifier(message)] = name }
  }
}
