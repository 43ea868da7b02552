// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonCalls
import TaxonErrors
import TaxonProtobuf

/// Goes around the calls of a channel: credentials, metrics, tracing. A call with all its attempts is one.
///
/// The first interceptor of a channel is the outermost: it sees what is sent first, and what is received last.
public protocol ClientInterceptor: Interceptor {
  /// Goes around a call of any kind: code before `next` runs before anything is sent, code after it when the call has ended
  /// on the wire. Runs in the caller's task; for a call that streams, in a task that stands for it, which is cancelled when
  /// the caller gives the call up.
  ///
  /// What `next` throws is the call's typed outcome; what this function throws, after `next` or instead of it, is what the
  /// caller gets: a member of what the method declares, or `.other`. A call that streams has ended for its caller when the
  /// interceptors have returned; messages that came are read meanwhile. `next` is called at most once: a second call throws
  /// INTERNAL and sends nothing. Without `next` nothing is sent. When this function returns though there was no `next`, or
  /// though it threw, the call has ended well, with the messages that came; it fails with INTERNAL if that is none where one
  /// is wanted.
  func intercept(_ call: ClientContext, next: () async throws -> Void) async throws

  /// A message of the request is about to be sent, and may be changed for another of its type. Called once for each message,
  /// however many attempts there are, inside of `next` and in the task that writes. Throwing refuses it: the caller's write
  /// throws; a call with one request fails.
  func sending(_ message: inout any Message, of call: ClientContext) throws

  /// A message of the answer has come, and may be changed for another of its type. Called inside of `next`; for a call that
  /// streams, on the connection's event loop. Throwing ends the call with the error.
  func receiving(_ message: inout any Message, of call: ClientContext) throws
}

extension ClientInterceptor {
  /// The same interceptor for some calls alone.
  public func only(_ scopes: CallScope...) -> some ClientInterceptor {
    ScopedClientInterceptor(inner: self, scopes: scopes)
  }
}

private struct ScopedClientInterceptor<Inner: ClientInterceptor>: ClientInterceptor {
  let inner: Inner
  let scopes: [CallScope]

  func intercept(_ call: ClientContext, next: () async throws -> Void) async throws {
    try await inner.intercept(call, next: next)
  }
  func sending(_ message: inout any Message, of call: ClientContext) throws { try inner.sending(&message, of: call) }
  func receiving(_ message: inout any Message, of call: ClientContext) throws {
    try inner.receiving(&message, of: call)
  }
  func applies(to path: String) -> Bool { inner.applies(to: path) && scopes.contains { $0.contains(path) } }
}

/// A call with the interceptors that go around it.
struct InterceptedCall: Sendable {
  let context: ClientContext
  private let interceptors: [any ClientInterceptor]

  /// Nil when no interceptor applies.
  ///
  /// - Parameter declared: What the method declares.
  init?(
    _ all: [any ClientInterceptor], path: String, declared: any ErrorUnion.Type, options: CallOptions,
    deadline: NIODeadline?
  ) {
    interceptors = all.filter { $0.applies(to: path) }
    if interceptors.isEmpty { return nil }
    context = ClientContext(path: path, metadata: options.metadata, deadline: deadline, declared: declared)
  }

  /// The plan of the call, once the interceptors have said what is sent.
  func plan<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, _ options: CallOptions, _ deadline: NIODeadline?
  ) -> CallPlan {
    var options = options
    options.metadata = context.metadata
    return CallPlan(method, options, deadline, context)
  }

  /// Runs `attempts` inside all of the interceptors.
  ///
  /// - Throws: What they throw, as an error of the method.
  func run<Failure: ErrorUnion>(_ failure: Failure.Type, _ attempts: () async throws -> Void) async throws(Failure) {
    do {
      try await interceptors[...].run({ try await $0.intercept(context, next: $1) }, attempts)
    } catch {
      let error = Failure.lift(error)
      // As for attempts: the caller's own cancellation is not an outcome of the call.
      throw Task.isCancelled ? error : error.fromCall()
    }
  }

  /// A message of the request, to be sent.
  func sending<Content: Message>(_ message: Content) throws -> Content {
    try message.changed { message in
      for interceptor in interceptors { try interceptor.sending(&message, of: context) }
    }
  }

  /// A message of the answer, for the caller.
  func receiving<Content: Message>(_ message: Content) throws -> Content {
    try message.changed { message in
      for interceptor in interceptors.reversed() { try interceptor.receiving(&message, of: context) }
    }
  }

  /// What the caller gets when the interceptors have returned well without an answer.
  static let noAnswer = RPCError(.internalError, "An interceptor ended the call without an answer")
}
