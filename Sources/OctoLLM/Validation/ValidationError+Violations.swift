// SPDX-License-Identifier: Apache-2.0
import Taxon

extension ValidationError {
  /// The error for what is wrong with a request: `VALIDATION_ERROR` for one field, `VALIDATION_ERRORS` for several.
  public init(_ violations: [Google_Rpc_BadRequest.FieldViolation]) {
    if let violation = violations.first, violations.count == 1 {
      self = .invalidInput(field: violation.field, description: violation.description)
    } else {
      self = .validationErrors(errors: violations)
    }
  }
}
