// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// Which modules the generated code of a file imports.
extension Emitter {
  /// The imported files whose types the declarations name; those of this run, and Taxon's, included.
  var filesInDeclarations: [SchemaFile] {
    let extensions = file.extensions.map(\.field)
    var files = (file.allMessages.flatMap(\.fields) + extensions).compactMap(\.typeFile)
    files += extensions.map(\.message.file)
    for method in file.services.flatMap(\.methods) {
      files += [method.input.file, method.output.file] + method.errors.map(\.file)
      // A method's enum has a function for each error, with its fields as parameters.
      files += method.errors.flatMap(\.fields).compactMap(\.typeFile)
    }
    return files
  }

  /// The files whose types or descriptors only the bodies of functions name.
  private var filesInBodies: [SchemaFile] {
    file.errors.flatMap { typesInAny(of: $0) { $0 != .safe } }.map(\.file)
      + descriptors.embedded(in: file).flatMap(descriptors.dependencies)
  }

  /// Public imports are needed where a target enables `InternalImportsByDefault`, and go with plain ones elsewhere. The
  /// compiler warns of one that no public declaration needs.
  func emitImports() {
    let own = settings.ownModule.map { [$0] } ?? []
    let always = Set(settings.imports)
    let shown = Set(filesInDeclarations.compactMap(settings.otherModule))
    let hidden = Set(filesInBodies.compactMap(settings.otherModule))
    var named = settings.descriptors == .alone ? hidden : shown
    // Of several modules that every file imports, only some are in its declarations.
    if always.count == 1, hasDeclarations { named.formUnion(always) }
    for module in always.union(shown).union(hidden).subtracting(own).sorted() {
      let access = settings.access(of: file) == .public && named.contains(module) ? "public " : ""
      writer.line("\(access)import \(module)")
    }
  }

  private var hasDeclarations: Bool {
    let types = [file.messages.isEmpty, file.enums.isEmpty, file.services.isEmpty, file.extensions.isEmpty]
    return types.contains(false) && settings.descriptors != .alone || file.taxonomy?.name != nil
      || !descriptors.embedded(in: file).isEmpty
  }
}

extension SchemaField {
  /// The file that declares the type of the field, or of a map's values; nil for a scalar.
  fileprivate var typeFile: SchemaFile? {
    switch mapTypes?.value ?? type {
    case .scalar: nil
    case .enumeration(let enumeration): enumeration.file
    case .message(let message): message.file
    }
  }
}
