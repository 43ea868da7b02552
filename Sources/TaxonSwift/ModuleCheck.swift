// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// Checks that generated code can name the types of what it imports: that one module has them, and shows them.
struct ModuleCheck {
  let schema: Schema
  let settings: GeneratorSettings

  func run(_ emitters: [Emitter], _ diagnostics: inout Diagnostics) {
    for file in schema.files where !file.isGenerated { checkPlace(of: file, &diagnostics) }
    if hasMessagesAlone {
      for file in schema.generatedFiles {
        for service in file.services { needsTaxon(service.place, "services need", &diagnostics) }
        for error in file.errors { needsTaxon(error.place, "errors need", &diagnostics) }
      }
    }
    for emitter in emitters {
      var seen: Set<String> = []
      for named in emitter.filesInDeclarations where seen.insert(named.path).inserted {
        if named.isGenerated {
          checkAccess(of: named, namedBy: emitter.file, &diagnostics)
        } else {
          check(named, namedBy: emitter.file, &diagnostics)
        }
      }
    }
  }

  /// Reports a file that two modules have, for then an import could mean either.
  private func checkPlace(of file: SchemaFile, _ diagnostics: inout Diagnostics) {
    guard let candidates = settings.shared[file.path], candidates.count > 1, settings.modules[file.path] == nil,
      let importer = schema.generatedFiles.first(where: { !schema.imports(of: $0, leadingTo: file.path).isEmpty })
    else { return }
    let places = candidates.map { "\($0.module) (\($0.file))" }.listed("and")
    diagnostics.error(
      place(in: importer, leadingTo: file),
      "\"\(file.path)\" is a schema of \(places); rename one of them, depend on one of these targets alone, or say which "
        + "with \"modules\" in taxon.json")
  }

  /// Reports a file of this run that shows the types of another, which says itself that they are seen by fewer.
  private func checkAccess(of named: SchemaFile, namedBy file: SchemaFile, _ diagnostics: inout Diagnostics) {
    let levels = GeneratorSettings.Access.allCases
    let (own, other) = (settings.access(of: file), settings.access(of: named))
    guard let ownLevel = levels.firstIndex(of: own), let otherLevel = levels.firstIndex(of: other),
      ownLevel < otherLevel
    else { return }
    diagnostics.error(
      place(in: file, leadingTo: named),
      "the generated code is \(own) and needs the types of \"\(named.path)\", which are \(other); say the same "
        + "features.(taxon.swift).access in both files")
  }

  /// True when the target that the code is for depends on Taxon's messages and on nothing else of it.
  private var hasMessagesAlone: Bool { settings.modulesAreKnown == .plugin && settings.imports == ["TaxonProtobuf"] }

  private func needsTaxon(_ place: Place, _ what: String, _ diagnostics: inout Diagnostics) {
    diagnostics.error(
      place,
      "\(what) the product Taxon, and the target depends on TaxonProtobuf alone; add .product(name: \"Taxon\", package: "
        + "\"taxon\") to its dependencies")
  }

  private func check(_ named: SchemaFile, namedBy file: SchemaFile, _ diagnostics: inout Diagnostics) {
    guard settings.modules[named.path] == nil else { return }
    let place = place(in: file, leadingTo: named)
    guard !GeneratorSettings.comesWithTaxon(named.path) else {
      if hasMessagesAlone, !named.path.hasPrefix("google/protobuf/") {
        needsTaxon(place, "the types of \"\(named.path)\" need", &diagnostics)
      }
      return
    }
    guard let schema = settings.sharedSchema(named) else {
      guard settings.shared[named.path] == nil, let mend = mend(of: named.path) else { return }
      return diagnostics.error(place, "the generated code needs the types of \"\(named.path)\", and \(mend)")
    }
    if !schema.isVisible {
      diagnostics.error(
        place,
        "the generated code needs the types of \"\(named.path)\", which are \(schema.access) in \(schema.module); say "
          + "\"access\": \"public\" in \(schema.settingsFile)")
    } else if settings.access(of: file) == .public, schema.access != .public {
      diagnostics.error(
        place,
        "the generated code is public and needs the types of \"\(named.path)\", which are \(schema.access) in "
          + "\(schema.module); say \"access\": \"public\" in \(schema.settingsFile), or \"access\": "
          + "\"\(schema.access)\" for this target")
    }
  }

  /// That nobody generates a file, and how to mend it; nil where another run may do so.
  private func mend(of path: String) -> String? {
    switch settings.modulesAreKnown {
    case .unknown:
      nil
    case .plugin:
      "no target that this one depends on generates them; generate the schema with TaxonPlugin in one of them, or name the "
        + "module that has them with \"modules\" in taxon.json"
    case .command:
      "nothing generates them; name the file behind the others, or say which module has its types with "
        + "--module \(path):Module or --dependency Module=folder"
    }
  }

  /// The import statement of a generated file that leads to another file.
  private func place(in file: SchemaFile, leadingTo other: SchemaFile) -> Place {
    file.place(ofImport: schema.imports(of: file, leadingTo: other.path).first ?? other.path)
  }
}
