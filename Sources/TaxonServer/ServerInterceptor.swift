// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonProtobuf

/// Sees the calls of a server from the outside: authentication, metrics, tracing, quotas.
///
/// The functions are called on the event loop of the call's connection, the first interceptor of the server outermost.
public protocol ServerInterceptor: Sendable {
  /// Goes around a handler of any kind. What `next` throws is the call's typed outcome; what this function throws, or
  /// throws instead of calling `next`, is what the caller gets, if it is a plain status, the method declares it or
  /// `Server.Configuration.undeclaredErrors` lets it pass; `INTERNAL_ERROR` otherwise. `next` is called once at most.
  func intercept(_ context: ServerContext, next: () async throws -> Void) async throws

  /// A message of the request is about to reach the handler. To throw refuses it, and the handler's read throws.
  func receiving(_ message: any Message, context: ServerContext) throws

  /// A message of the reply is about to be sent. To throw refuses it, and the handler's write throws.
  func sending(_ message: any Message, context: ServerContext) throws

  /// Whether calls of a method are intercepted; asked once for each method, when the server is made.
  func applies(to path: String) -> Bool
}

extension ServerInterceptor {
  /// Calls `next`.
  public func intercept(_ context: ServerContext, next: () async throws -> Void) async throws { try await next() }
  /// Lets the message through.
  public func receiving(_ message: any Message, context: ServerContext) throws {}
  /// Lets the message through.
  public func sending(_ message: any Message, context: ServerContext) throws {}
  /// True.
  public func applies(to path: String) -> Bool { true }

  /// The same interceptor for some calls alone.
  public func only(_ scopes: CallScope...) -> some ServerInterceptor {
    ScopedServerInterceptor(inner: self, scopes: scopes)
  }
}

private struct ScopedServerInterceptor<Inner: ServerInterceptor>: ServerInterceptor {
  let inner: Inner
  let scopes: [CallScope]

  func intercept(_ context: ServerContext, next: () async throws -> Void) async throws {
    try await inner.intercept(context, next: next)
  }
  func receiving(_ message: any Message, context: ServerContext) throws {
    try inner.receiving(message, context: context)
  }
  func sending(_ message: any Message, context: ServerContext) throws { try inner.sending(message, context: context) }
  func applies(to path: String) -> Bool { inner.applies(to: path) && scopes.contains { $0.contains(path) } }
}

/// The interceptors of one method.
struct ServerInterceptors: Sendable {
  let list: [any ServerInterceptor]

  /// Runs `handler` inside all of them.
  func run(_ context: ServerContext, _ handler: () async throws -> Void) async throws {
    try await run(list[...], context, handler)
  }

  private func run(
    _ rest: ArraySlice<any ServerInterceptor>, _ context: ServerContext, _ handler: () async throws -> Void
  ) async throws {
    guard let first = rest.first else { return try await handler() }
    try await first.intercept(context) { try await run(rest.dropFirst(), context, handler) }
  }

  func receiving(_ message: any Message, _ context: ServerContext) throws {
    for interceptor in list { try interceptor.receiving(message, context: context) }
  }

  func sending(_ message: any Message, _ context: ServerContext) throws {
    for interceptor in list.reversed() { try interceptor.sending(message, context: context) }
  }
}
