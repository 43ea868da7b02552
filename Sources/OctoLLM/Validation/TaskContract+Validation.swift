// SPDX-License-Identifier: Apache-2.0
import Taxon

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
