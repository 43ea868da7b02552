// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

extension SchemaFile {
  /// The access that the file itself says its Swift types have: `features.(taxon.swift).access`.
  var ownAccess: GeneratorSettings.Access? {
    switch features.swift?.access {
    case .public: .public
    case .package: .package
    case .internal: .internal
    case .unspecified, nil: nil
    }
  }
}
