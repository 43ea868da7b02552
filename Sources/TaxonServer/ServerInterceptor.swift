// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf

/// Goes around the handlers of a server: authentication, metrics, tracing, quotas.
///
/// The functions are called on the event loop of the call's connection, the first interceptor of the server outermost.
public protocol ServerInterceptor: Interceptor {
  /// The server is about to start with these methods, of those that the interceptor applies to: what is wrong with its settings
  /// for them is to be said now. Called once a server, before it listens; does nothing by default.
  ///
  /// - Throws: `SetupError.invalidSetting`, with which the server does not start.
  func prepare(for methods: [ServedMethod]) throws(SetupError)

  /// Goes around a handler of any kind: code before `next` runs before the handler, code after it when the handler has
  /// returned or thrown.
  ///
  /// What `next` throws is the call's typed outcome; what this function throws, after `next` or instead of it, is what the
  /// caller gets, if it is a plain status, the method declares it or `Server.Configuration.undeclaredErrors` lets it pass;
  /// `INTERNAL_ERROR` otherwise. `next` is called at most once: a second call throws INTERNAL and runs nothing. Without
  /// `next` no handler runs. When this function returns though there was no `next`, or though it threw, a unary call fails
  /// with INTERNAL, and one that streams ends well, with the messages that were written.
  func intercept(_ call: ServerContext, next: () async throws -> Void) async throws

  /// A message of the request is about to reach the handler, and may be changed for another of its type. Throwing refuses
  /// it: the handler's read throws; of a unary method the handler is not called.
  func receiving(_ message: inout any Message, of call: ServerContext) throws

  /// A message of the reply is about to be sent, and may be changed for another of its type. Throwing refuses it: the
  /// handler's write throws; of a unary method the call fails.
  func sending(_ message: inout any Message, of call: ServerContext) throws
}

/// A method of a server, for interceptors that have to know what there is.
public struct ServedMethod: Sendable {
  /// The method's path, such as "/octollm.v1.Orchestrator/GetTask".
  public let path: String
  /// The errors that the method declares.
  public let errors: [any DeclaredError.Type]

  /// A method, for tests of interceptors without a server.
  public init(path: String, errors: [any DeclaredError.Type] = []) {
    self.path = path
    self.errors = errors
  }
}

extension ServerInterceptor {
  /// Does nothing.
  public func prepare(for methods: [ServedMethod]) throws(SetupError) {}

  /// The same interceptor for some calls alone.
  public func only(_ scopes: CallScope...) -> some ServerInterceptor {
    ScopedServerInterceptor(inner: self, scopes: scopes)
  }
}

private struct ScopedServerInterceptor<Inner: ServerInterceptor>: ServerInterceptor {
  let inner: Inner
  let scopes: [CallScope]

  func prepare(for methods: [ServedMethod]) throws(SetupError) { try inner.prepare(for: methods) }
  func intercept(_ call: ServerContext, next: () async throws -> Void) async throws {
    try await inner.intercept(call, next: next)
  }
  func receiving(_ message: inout any Message, of call: ServerContext) throws {
    try inner.receiving(&message, of: call)
  }
  func sending(_ message: inout any Message, of call: ServerContext) throws { try inner.sending(&message, of: call) }
  func applies(to path: String) -> Bool { inner.applies(to: path) && scopes.contains { $0.contains(path) } }
}

/// The interceptors of one method.
struct ServerInterceptors: Sendable {
  let list: [any ServerInterceptor]

  /// Runs `handler` inside all of them.
  func run(_ call: ServerContext, _ handler: () async throws -> Void) async throws {
    try await list[...].run({ try await $0.intercept(call, next: $1) }, handler)
  }

  /// A message of the request, for the handler.
  func receiving<Content: Message>(_ message: Content, _ call: ServerContext) throws -> Content {
    try message.changed { message in
      for interceptor in list { try interceptor.receiving(&message, of: call) }
    }
  }

  /// A message of the reply, to be sent.
  func sending<Content: Message>(_ message: Content, _ call: ServerContext) throws -> Content {
    try message.changed { message in
      for interceptor in list.reversed() { try interceptor.sending(&message, of: call) }
    }
  }
}
