// SPDX-License-Identifier: Apache-2.0

extension Schema {
  /// Reports mistakes that do not depend on the language of the generated code. `mistakeInName` says what that language
  /// finds wrong with the name of a taxonomy's root type, and how to mend it.
  package func check(_ diagnostics: inout Diagnostics, mistakeInName: @escaping (String) -> String?) {
    TaxonomyCheck(schema: self, mistakeInName: mistakeInName).run(&diagnostics)
    ErrorCheck(schema: self).run(&diagnostics)
    DetailCheck(schema: self).run(&diagnostics)
    CategoryCheck(schema: self).run(&diagnostics)
    EjectionCheck(schema: self).run(&diagnostics)
    HTTPRuleCheck(schema: self).run(&diagnostics)
  }
}
