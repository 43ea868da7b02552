// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf

/// One error that a method declares, with fields that make sense: what a test of the method's callers goes through.
///
/// ```swift
/// @Test(arguments: Orchestrator.Methods.getTask.faults)
/// func everyErrorIsShown(_ fault: Orchestrator.GetTaskError.Fault) async throws {
///   let orchestrator = Orchestrator.Fake().failing(with: fault)
///   …
///   await #expect(throws: fault.error) { try await view.load("42") }
/// }
/// ```
///
/// Swift Testing shows the code of each, and can run a single one again.
public struct DeclaredFault<Failure: ErrorUnion>: Sendable, Identifiable, CustomStringConvertible {
  /// The error as the method's callers catch it.
  public let error: Failure
  /// The path of the one method that raises it; nil: all methods that declare it do.
  public let path: String?

  /// A fault with an error of one's own.
  public init(_ error: Failure, path: String? = nil) {
    self.error = error
    self.path = path
  }

  /// Such as "octollm.dev/TASK_NOT_FOUND".
  public var id: String { "\(error.identity)" }
  /// The error's code.
  public var description: String { error.code }
  /// The fault for a rule.
  public var fault: TaxonTesting.Fault { .error(error) }
  /// The rule by which each call of the method fails.
  public var rule: FaultRule { FaultRule(fault, scopes: path.map { [.method($0)] } ?? []) }
}

extension ErrorUnion {
  /// A fault with an error of the union.
  public typealias Fault = DeclaredFault<Self>

  /// A fault for each error in it, in the order of the schema.
  public static var faults: [DeclaredFault<Self>] { samples.map { DeclaredFault($0) } }
}

extension MethodDescriptor {
  /// A fault for each error that the method declares, in the order of the schema.
  public var faults: [DeclaredFault<Failure>] { Failure.samples.map { DeclaredFault($0, path: path) } }
}
