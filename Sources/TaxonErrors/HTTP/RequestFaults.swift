// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

extension RPCError {
  /// The error of a request that is not a JSON form of its type: `CallError.MalformedJSON` with the place where it is not JSON at all,
  /// else `CallError.InvalidRequest` with every field that does not fit.
  ///
  /// Reads the text twice more, in time and memory that grow with its length alone. Says what is expected, and nothing of what was sent
  /// but the names of members.
  ///
  /// - Parameters:
  ///   - error: What `Request(json: text, options: options)` has thrown.
  ///   - text: The whole text, as it was given there.
  package init<Request: Message>(
    json error: JSONDecodingError, in text: UnsafeBufferPointer<UInt8>, of type: Request.Type,
    options: JSONDecodingOptions = JSONDecodingOptions()
  ) {
    let faults = Request.jsonFaults(in: text, options: options)
    if !faults.isWellFormed, let fault = faults.found.first {
      self.init(
        CallError.MalformedJSON(
          type: Request.descriptor.name, reason: fault.reason.description, line: Int64(fault.line),
          column: Int64(fault.column), path: fault.path))
      return
    }
    var violations = faults.found.map { fault in
      Google_Rpc_BadRequest.FieldViolation(
        field: fault.path, description: fault.reason.expectation, reason: fault.reason.violation)
    }
    if violations.isEmpty {
      // What only the first pass can see.
      violations = [.init(field: error.path, description: error.reason.expectation, reason: error.reason.violation)]
    }
    if faults.notKept > 0 { violations.append(.init(field: "", description: "\(faults.notKept) more violations")) }
    self.init(CallError.InvalidRequest(errors: violations))
  }
}

extension JSONDecodingError.Reason {
  /// What is expected instead, for the author of the request; repeats nothing of it.
  package var expectation: String {
    switch self {
    case .expected("'{'"): "an object is expected"
    case .expected("'['"): "a list is expected"
    // In JSON that is well formed, the text for a number is not one.
    case .invalidNumber: "a number is expected"
    case .notWhole: "a whole number is expected"
    case .outOfRange: "the number does not fit the field"
    case .invalidTimestamp: "a time between the years 1 and 9999 is expected, such as 2024-02-29T12:00:00Z"
    case .invalidDuration: "a duration within ±315576000000 s is expected, such as 1.5s"
    case .invalidBase64: "a text in base64 is expected"
    case .invalidFieldMask: "a list of paths in lowerCamelCase is expected"
    case .unknownField: "there is no such field"
    case .unknownEnumValue: "the enum has no such value"
    case .duplicateField: "the field occurs twice"
    case .duplicateKey: "the key occurs twice"
    case .secondMemberOfOneof: "another field that excludes this one is set"
    case .nullElement: "a list or a map cannot hold null"
    case .missingRequiredField: "the field is required"
    case .missingType: "the member \"@type\" is required"
    case .invalidTypeURL: "the member \"@type\" is not a type URL"
    case .unregisteredType: "the type that \"@type\" names is not known here"
    case .expected, .nestingTooDeep, .tooLarge, .unexpectedEnd, .trailingCharacters, .invalidUTF8, .controlCharacter,
      .invalidEscape:
      description
    }
  }

  /// The rule that is violated, in UPPER_SNAKE_CASE (`google.rpc.BadRequest.FieldViolation.reason`).
  package var violation: String {
    switch self {
    case .notWhole, .outOfRange, .tooLarge: "OUT_OF_RANGE"
    case .invalidTimestamp, .invalidDuration, .invalidBase64, .invalidFieldMask, .invalidTypeURL: "INVALID_FORMAT"
    case .unknownField: "UNKNOWN_FIELD"
    case .unknownEnumValue: "UNKNOWN_ENUM_VALUE"
    case .duplicateField, .duplicateKey: "DUPLICATE"
    case .secondMemberOfOneof: "MUTUALLY_EXCLUSIVE"
    case .missingRequiredField, .missingType: "REQUIRED"
    case .unregisteredType: "UNKNOWN_TYPE"
    case .nestingTooDeep: "NESTED_TOO_DEEP"
    case .expected, .invalidNumber, .nullElement, .unexpectedEnd, .trailingCharacters, .invalidUTF8, .controlCharacter,
      .invalidEscape:
      "WRONG_TYPE"
    }
  }
}
