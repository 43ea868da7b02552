// SPDX-License-Identifier: Apache-2.0
import Taxon

extension ListTasksRequest {
  /// The query that the request stands for.
  ///
  /// - Throws: Everything that is wrong with the request as one error.
  public func query() throws(ValidationError) -> TaskQuery {
    var violations = Violations()
    violations.check((0...1000).contains(pageSize), field: "page_size", "Page size must be between 1 and 1000")
    violations.check(
      status == .unspecified || TaskStatus.all.contains(status), field: "status", "There is no such status")
    var token: PageToken?
    if !pageToken.isEmpty {
      token = PageToken(pageToken)
      violations.check(
        token?.status == status, field: "page_token", "Page token does not come from a list with this filter")
    }
    try violations.throwIfAny(ValidationError.init)
    return TaskQuery(status: status, size: pageSize == 0 ? 100 : Int(pageSize), after: token)
  }
}

extension UpdateTaskStatusRequest {
  /// Throws what is wrong with the request.
  public func validate() throws(ValidationError) {
    var violations = Violations()
    violations.check(TaskStatus.all.contains(status), field: "status", "A task can be in any state but this")
    try violations.throwIfAny(ValidationError.init)
  }
}

extension TaskContract {
  /// The longest description, in characters (Unicode scalars, as the standard's Python counts them).
  public static let maxDescriptionLength = 10_000

  /// Notes all that is wrong with the contract.
  func check(_ violations: inout Violations) {
    if description.isEmpty {
      violations.add(field: "description", "Description is required")
    } else if description.allSatisfy(\.isWhitespace) {
      violations.add(field: "description", "Description cannot be blank")
    } else {
      violations.check(
        description.unicodeScalars.count <= Self.maxDescriptionLength, field: "description",
        "Description exceeds the maximum length of \(Self.maxDescriptionLength) characters")
    }
    violations.check((1...10).contains(priority), field: "priority", "Priority must be between 1 and 10")
    if let timeout {
      violations.check(timeout > 0, field: "timeout", "Timeout must be positive")
    }
    for (index, capability) in requiredCapabilities.enumerated() {
      violations.check(
        !capability.allSatisfy(\.isWhitespace), field: "required_capabilities[\(index)]", "Capability cannot be blank")
    }
  }
}

extension CreateTaskRequest {
  /// Throws everything that is wrong with the request as one error.
  public func validate() throws(ValidationError) {
    var violations = Violations()
    if let contract {
      violations.within("contract") { contract.check(&$0) }
    } else {
      violations.add(field: "contract", "Contract is required")
    }
    try violations.throwIfAny(ValidationError.init)
  }
}

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
