// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

/// What `ServerInterceptor` and `ClientInterceptor` have in common. One type can be both: its functions then take
/// `some CallContext`.
///
/// ```swift
/// struct Timing: ServerInterceptor, ClientInterceptor {
///   func intercept(_ call: some CallContext, next: () async throws -> Void) async throws { … }
/// }
/// ```
public protocol Interceptor: Sendable {
  /// Whether calls of a method are intercepted. Methods to which no interceptor applies pay nothing for interceptors.
  func applies(to path: String) -> Bool
}

extension Interceptor {
  /// True.
  public func applies(to path: String) -> Bool { true }

  // What both sides require, for interceptors that do without. As generic as what a type for both sides has: Swift would
  // choose one that takes a side's own context before it.

  /// Calls `next`.
  public func intercept(_ call: some CallContext, next: () async throws -> Void) async throws { try await next() }
  /// Leaves the message as it is.
  public func receiving(_ message: inout any Message, of call: some CallContext) throws {}
  /// Leaves the message as it is.
  public func sending(_ message: inout any Message, of call: some CallContext) throws {}
}

extension ArraySlice where Element: Sendable {
  /// Runs `innermost` inside the interceptors of the slice, the first outermost.
  ///
  /// - Parameter intercept: Calls an interceptor with its `next`.
  package func run(
    _ intercept: @escaping @Sendable (Element, _ next: () async throws -> Void) async throws -> Void,
    _ innermost: () async throws -> Void
  ) async throws {
    guard let first else { return try await innermost() }
    var isCalled = false
    try await intercept(first) {
      guard !isCalled else { throw RPCError(.internalError, "An interceptor has called next more than once") }
      isCalled = true
      try await dropFirst().run(intercept, innermost)
    }
  }
}

extension Message {
  /// The message after an interceptor, or several, may have changed it.
  ///
  /// - Throws: What `change` throws; INTERNAL when the message is then one of another type.
  package func changed(by change: (inout any Message) throws -> Void) throws -> Self {
    var message: any Message = self
    try change(&message)
    guard let changed = message as? Self else {
      let name = type(of: message).descriptor.name
      throw RPCError(
        .internalError, "An interceptor has put a message of type \(name) in place of a \(Self.descriptor.name)")
    }
    return changed
  }
}

/// Some of the methods.
public enum CallScope: Sendable, Hashable {
  /// All methods of a service, by its full name, such as "octollm.v1.Orchestrator".
  case service(String)
  /// One method, by its path, such as "/octollm.v1.Orchestrator/GetTask".
  case method(String)

  /// One method.
  public static func method<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>
  ) -> CallScope {
    .method(method.path)
  }

  /// Whether a method, by its path, is among them.
  public func contains(_ path: String) -> Bool {
    switch self {
    case .method(let own): path == own
    case .service(let name): path.hasPrefix("/\(name)/")
    }
  }
}
