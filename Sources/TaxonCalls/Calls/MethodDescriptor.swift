// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

/// What a schema says of one method: its name, its types and what it raises. Generated code has one a method.
public struct MethodDescriptor<Request: Message, Response: Message, Failure: ErrorUnion>: Sendable {
  /// Full name of the service, such as "octollm.v1.Orchestrator".
  public let service: String
  /// Name of the method within the service, such as "GetTask".
  public let method: String
  /// The `:path` of its calls, such as "/octollm.v1.Orchestrator/GetTask".
  public let path: String
  /// What the schema's `idempotency_level` says.
  public let idempotency: Idempotency
  /// How the method is called by REST, which the schema's option `google.api.http` says; empty for not at all.
  public let http: [HTTPRule]

  /// A method of a service.
  public init(service: String, method: String, idempotency: Idempotency = .unknown, http: [HTTPRule] = []) {
    self.service = service
    self.method = method
    path = "/\(service)/\(method)"
    self.idempotency = idempotency
    self.http = http
  }
}

/// What a schema says of calling a method twice (`idempotency_level` in descriptor.proto).
public enum Idempotency: Sendable, Hashable {
  /// Nothing is said: a second call may do the work a second time.
  case unknown
  /// The method only reads.
  case noSideEffects
  /// A second call with the same request changes nothing more.
  case idempotent

  /// True when a call may be repeated without harm.
  public var isSafeToRepeat: Bool { self != .unknown }
}
