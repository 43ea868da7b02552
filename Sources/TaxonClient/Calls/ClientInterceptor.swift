// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf

/// What a call begins with.
public struct ClientCallStart: Sendable {
  /// The method's path, such as "/octollm.v1.Orchestrator/GetTask".
  public let path: String
  /// Sent with each attempt.
  public var metadata: Metadata
}

/// What became of a call.
public struct ClientCallOutcome: Sendable {
  /// The method's path, such as "/octollm.v1.Orchestrator/GetTask".
  public let path: String
  /// The typed error with which the call ended; nil when it ended well.
  public let error: (any TaxonomyError)?
  /// The metadata of the answer's head.
  public let initial: Metadata
  /// The metadata of the answer's trailers.
  public let trailing: Metadata
  /// From the call's beginning to its end, all attempts together.
  public let duration: Duration
}

/// Sees the calls of a channel from the outside: credentials, metrics, tracing. A call with all its attempts is one.
public protocol ClientInterceptor: Interceptor {
  /// A call is about to begin. To throw refuses it, and interceptors further in learn nothing of it. Called in the caller's task, or in one that stands for it.
  func starting(_ call: inout ClientCallStart) async throws
  /// A message of the request is about to be sent.
  func sending(_ message: any Message, path: String)
  /// A message of the answer has come. Called on the connection's event loop.
  func receiving(_ message: any Message, path: String)
  /// The call is over. Called on any thread, once for each call that `starting` saw.
  func ended(_ outcome: ClientCallOutcome)
}

extension ClientInterceptor {
  /// Does nothing.
  public func starting(_ call: inout ClientCallStart) async throws {}
  /// Does nothing.
  public func sending(_ message: any Message, path: String) {}
  /// Does nothing.
  public func receiving(_ message: any Message, path: String) {}
  /// Does nothing.
  public func ended(_ outcome: ClientCallOutcome) {}

  /// The same interceptor for some calls alone.
  public func only(_ scopes: CallScope...) -> some ClientInterceptor {
    ScopedClientInterceptor(inner: self, scopes: scopes)
  }
}

private struct ScopedClientInterceptor<Inner: ClientInterceptor>: ClientInterceptor {
  let inner: Inner
  let scopes: [CallScope]

  func starting(_ call: inout ClientCallStart) async throws { try await inner.starting(&call) }
  func sending(_ message: any Message, path: String) { inner.sending(message, path: path) }
  func receiving(_ message: any Message, path: String) { inner.receiving(message, path: path) }
  func ended(_ outcome: ClientCallOutcome) { inner.ended(outcome) }
  func applies(to path: String) -> Bool { inner.applies(to: path) && scopes.contains { $0.contains(path) } }
}

/// The interceptors of one call.
struct ClientInterceptors: Sendable {
  private let list: [any ClientInterceptor]
  private let began: ContinuousClock.Instant
  /// How many of them know of the call.
  private let started: Started

  private final class Started: Sendable {
    let count = Locked(0)
  }

  /// Nil when none applies.
  init?(_ all: [any ClientInterceptor], path: String) {
    // The usual case, which should cost nothing.
    if all.isEmpty { return nil }
    list = all.filter { $0.applies(to: path) }
    if list.isEmpty { return nil }
    began = .now
    started = Started()
  }

  func starting(_ path: String, _ options: CallOptions) async throws -> CallOptions {
    var start = ClientCallStart(path: path, metadata: options.metadata)
    for interceptor in list {
      started.count.withLock { $0 += 1 }
      try await interceptor.starting(&start)
    }
    var options = options
    options.metadata = start.metadata
    return options
  }

  func sending(_ message: any Message, _ path: String) {
    for interceptor in list { interceptor.sending(message, path: path) }
  }

  func receiving(_ message: any Message, _ path: String) {
    for interceptor in list.reversed() { interceptor.receiving(message, path: path) }
  }

  func ended(_ path: String, _ error: (any TaxonomyError)?, initial: Metadata, trailing: Metadata) {
    let outcome = ClientCallOutcome(
      path: path, error: error, initial: initial, trailing: trailing, duration: .now - began)
    for interceptor in list.prefix(started.count.withLock { $0 }).reversed() { interceptor.ended(outcome) }
  }
}
