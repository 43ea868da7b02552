// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// Gathers everything that is wrong with a request, so that its author hears it at once: the first 100 violations, and how
/// many more there are. A request of 4 MB can have millions, which would cost the server gigabytes to tell.
///
/// ```swift
/// var violations = Violations()
/// violations.check(!task.description.isEmpty, field: "description", "Description is required")
/// violations.check((1...10).contains(task.priority), field: "priority", "Priority must be between 1 and 10")
/// try violations.throwIfAny { .validationErrors(errors: $0) }
/// ```
public struct Violations: Hashable, Sendable {
  /// What was found, in the order it was found.
  public private(set) var found: [Google_Rpc_BadRequest.FieldViolation] = []
  /// How many violations were found beyond those in `found`.
  public private(set) var notKept = 0
  /// How many violations are kept.
  public static let maxFound = 100
  private var path = ""

  /// Nothing found yet.
  public init() {}

  /// True when nothing is wrong.
  public var isEmpty: Bool { found.isEmpty }

  /// Notes a violation unless a condition holds. Returns whether it does, for checks that make sense only then.
  @discardableResult
  public mutating func check(
    _ isFine: Bool, field: @autoclosure () -> String, _ description: @autoclosure () -> String
  ) -> Bool {
    if !isFine { add(field: field(), description()) }
    return isFine
  }

  /// Notes a violation of a field, named by its path such as "task.priority".
  public mutating func add(field: @autoclosure () -> String, _ description: @autoclosure () -> String) {
    add(.init(field: field(), description: description()))
  }

  /// Notes a violation with all that it says.
  package mutating func add(_ violation: @autoclosure () -> Google_Rpc_BadRequest.FieldViolation) {
    guard found.count < Self.maxFound else {
      notKept += 1
      return
    }
    var violation = violation()
    violation.field = path + violation.field
    found.append(violation)
  }

  /// Checks a message inside: its fields are named from there, "priority" within "task" is "task.priority".
  public mutating func within<Value, Failure: Error>(
    _ field: String, _ body: (inout Violations) throws(Failure) -> Value
  ) throws(Failure) -> Value {
    let outer = path
    path += field + "."
    defer { path = outer }
    return try body(&self)
  }

  /// Runs a check that throws, and notes the violations of what it throws; nil then. An error that has none is thrown
  /// on.
  @discardableResult
  public mutating func collect<Value, Failure: TaxonomyError>(
    _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value? {
    do {
      return try body()
    } catch {
      let violations = error.violations
      guard !violations.isEmpty else { throw error }
      for violation in violations { add(field: violation.field, violation.description) }
      return nil
    }
  }

  /// What was found, and behind it an entry without a field that says how many more there are, if there are.
  public var summary: [Google_Rpc_BadRequest.FieldViolation] {
    notKept == 0 ? found : found + [.init(field: "", description: "\(notKept) more violations")]
  }

  /// Throws one error made of `summary`, if anything was found.
  public func throwIfAny<Failure: Error>(
    _ makeError: ([Google_Rpc_BadRequest.FieldViolation]) -> Failure
  ) throws(Failure) {
    if !found.isEmpty { throw makeError(summary) }
  }
}
