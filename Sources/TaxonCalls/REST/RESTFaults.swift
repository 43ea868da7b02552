// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

/// The errors for requests that are wrong.
enum RESTFaults {
  /// `CallError.InvalidRequest`: values that do not fit their fields.
  static func invalidRequest(_ violations: [Google_Rpc_BadRequest.FieldViolation]) -> RPCError {
    RPCError(CallError.InvalidRequest(errors: violations))
  }

  /// What is wrong with a body: `CallError.MalformedJSON`, or `CallError.InvalidRequest` with every field that does not fit, by its
  /// path through the request.
  static func body<Request: Message>(
    _ error: JSONDecodingError, _ text: UnsafeBufferPointer<UInt8>, _ type: Request.Type, _ rule: RESTRule,
    _ options: JSONDecodingOptions
  ) -> RPCError {
    guard case .field(let field) = rule.body else { return RPCError(json: error, in: text, of: type, options: options) }
    if !field.isRepeated, let type = field.type.messageType {
      return within(field, RPCError(json: error, in: text, of: type, options: options))
    }
    // No message's JSON: whether it is any is all that a second look can tell.
    let grammar = RPCError(json: error, in: text, of: Google_Protobuf_Value.self, options: options)
    guard grammar.code != CallError.MalformedJSON.declaration.code else { return grammar }
    return within(
      field,
      invalidRequest([
        .init(field: error.path, description: error.reason.expectation, reason: error.reason.violation)
      ]))
  }

  /// The same error with the violations of a field's value as those of the request.
  private static func within(_ field: Field, _ error: RPCError) -> RPCError {
    guard !error.violations.isEmpty else { return error }
    return invalidRequest(
      error.violations.map { violation in
        // The last entry may be the number of those that are not there.
        guard !violation.field.isEmpty || !violation.reason.isEmpty else { return violation }
        var violation = violation
        let joint = violation.field.isEmpty || violation.field.hasPrefix("[") ? "" : "."
        violation.field = field.name + joint + violation.field
        return violation
      })
  }

  /// A message that cannot be decoded although its parts can: a required field is missing, or messages are nested too deep.
  static func violation(_ error: MessageDecodingError) -> Google_Rpc_BadRequest.FieldViolation {
    let isMissing = error.reason == .missingRequiredField
    return .init(
      field: error.fieldName ?? "", description: isMissing ? "the field is required" : "\(error.reason)",
      reason: isMissing ? "REQUIRED" : "WRONG_TYPE")
  }

  /// A parameter of the query that names no field.
  static func violation(_ fault: FieldPath.Fault, _ name: String) -> Google_Rpc_BadRequest.FieldViolation {
    switch fault {
    case .unknown: .init(field: name, description: "there is no such field", reason: "UNKNOWN_FIELD")
    case .notMessage:
      .init(field: name, description: "the field before the last name is no single message", reason: "UNKNOWN_FIELD")
    case .tooDeep: .init(field: name, description: "\(fault)", reason: "NESTED_TOO_DEEP")
    }
  }

  /// A parameter of the query for a field that has its value from elsewhere.
  static func bound(_ name: String, _ place: String) -> Google_Rpc_BadRequest.FieldViolation {
    .init(field: name, description: "the field belongs to \(place), not to the query", reason: "NOT_A_PARAMETER")
  }
}
