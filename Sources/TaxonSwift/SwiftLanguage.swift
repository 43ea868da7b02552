// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// Swift: structs, enums and services that use the module `Taxon`.
extension GeneratorSettings: TargetLanguage {
  /// What cannot be the name of a Swift type.
  package func mistake(inRootType name: String) -> String? { Identifier.mistake(inRootType: name) }

  /// Tells which declarations would get one name and have two, and warns of those that get none.
  package func check(_ schema: Schema, _ diagnostics: inout Diagnostics) {
    OmissionCheck(schema: schema).run(&diagnostics)
    NameCheck(names: SwiftNames(schema, settings: self)).run(&diagnostics)
  }

  /// A file for each of the schema's. Reports imports whose types no module has, or does not show.
  package func files(of schema: Schema, _ diagnostics: inout Diagnostics) -> [(name: String, content: String)] {
    let names = SwiftNames(schema, settings: self)
    let descriptors = EmbeddedDescriptors(schema, settings: self)
    let layout = Layout(schema)
    let nestedSafety = NestedSafety(schema, settings: self)
    let emitters = schema.generatedFiles.map { file in
      Emitter(file, names: names, layout: layout, nestedSafety: nestedSafety, settings: self, descriptors: descriptors)
    }
    ModuleCheck(schema: schema, settings: self).run(emitters, &diagnostics)
    return emitters.map { (name: names.outputFile($0.file), content: $0.emit()) }
  }
}
