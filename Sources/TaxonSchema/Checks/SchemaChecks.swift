// SPDX-License-Identifier: Apache-2.0

extension Schema {
  /// Reports mistakes, apart from those that only the language of the generated code makes. `mistakeInName` says what is
  /// wrong with the name of a taxonomy's root type in that language, and how to mend it.
  package func check(_ diagnostics: inout Diagnostics, mistakeInName: @escaping (String) -> String?) {
    TaxonomyCheck(schema: self, mistakeInName: mistakeInName).run(&diagnostics)
    ErrorCheck(schema: self).run(&diagnostics)
    CategoryCheck(schema: self).run(&diagnostics)
    EjectionCheck(schema: self).run(&diagnostics)
  }
}
