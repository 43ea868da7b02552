// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// A method with one request and one reply, and its handler.
final class UnaryMethod<Request: Message, Response: Message, Failure: ErrorUnion>: RegisteredMethod {
  typealias Handler = @Sendable (Request, ServerContext) async throws(Failure) -> Response

  let descriptor: MethodDescriptor<Request, Response, Failure>
  let handler: Handler
  let reporter: CallReporter
  let interceptors: ServerInterceptors?
  // To find the type costs 300 instructions.
  private let callType = UnaryCall<Request, Response, Failure>.self

  init(
    descriptor: MethodDescriptor<Request, Response, Failure>, handler: @escaping Handler, reporter: CallReporter,
    interceptors: ServerInterceptors? = nil
  ) {
    self.descriptor = descriptor
    self.handler = handler
    self.reporter = reporter
    self.interceptors = interceptors
  }

  func intercepted(by interceptors: ServerInterceptors) -> any RegisteredMethod {
    UnaryMethod(descriptor: descriptor, handler: handler, reporter: reporter, interceptors: interceptors)
  }

  func offloaded() -> any RegisteredMethod {
    UnaryMethod(
      descriptor: descriptor,
      handler: { [handler] (request, context) async throws(Failure) in
        try await withTaskExecutorPreference(globalConcurrentExecutor) { () async throws(Failure) in
          try await handler(request, context)
        }
      }, reporter: reporter, interceptors: interceptors)
  }

  var path: String { descriptor.path }

  var takesManyMessages: Bool { false }
  func begin(_ stream: ServerStream) -> (any ServerCall)? { nil }

  func begin(
    _ stream: ServerStream, with message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
  ) throws(RPCError) -> (call: any ServerCall, kept: KeptBytes) {
    let request = try stream.wire.codec.decode(Request.self, message)
    return (callType.init(self, stream, request, byteCount: message.count, isCompressed: isCompressed), .none)
  }
}

/// One call of a unary method.
final class UnaryCall<Request: Message, Response: Message, Failure: ErrorUnion>: ServerCall, RunnableCall,
  // @unchecked: reached on the loop of the stream's connection alone: the stream calls it there, and the task runs there.
  @unchecked Sendable
{
  private let method: UnaryMethod<Request, Response, Failure>
  private let stream: ServerStream
  private let request: Request
  /// Bytes of the request.
  private let byteCount: Int
  private let isRequestCompressed: Bool
  @exclusivity(unchecked) private var isDone = false
  @exclusivity(unchecked) private var task: HandlerTask?

  required init(
    _ method: UnaryMethod<Request, Response, Failure>, _ stream: ServerStream, _ request: consuming Request,
    byteCount: Int, isCompressed: Bool
  ) {
    self.byteCount = byteCount
    self.method = method
    self.stream = stream
    self.request = request
    isRequestCompressed = isCompressed
  }

  func hasRoom() {}

  /// The stream lets one message through.
  func receive(_ message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool) -> KeptBytes { .none }

  func receiveEnd() {
    guard stream.exchange.mustWaitToStart else { return start() }
    stream.hold(request: byteCount)
    stream.start { self.start() }
  }

  private func start() {
    method.reporter.handlerStarted()
    stream.handlerBegan()
    let task = stream.context.tasks.run(self)
    // What ended without suspending needs no cancellation, and holds nothing.
    if !isDone {
      self.task = task
      stream.hold(request: byteCount)
    }
  }

  func heldLoop(for duration: Duration) { method.reporter.heldLoop(path: method.path, for: duration) }

  nonisolated(nonsending) func run() async {
    let context = ServerContext(
      path: method.path, stream: stream, reporter: method.reporter, failure: Failure.self)
    if isRequestCompressed { context.isRequestCompressed = true }
    do throws(Failure) {
      // The usual case goes to the handler straight: each function between would need memory of the task.
      if stream.deadline == nil, method.interceptors == nil {
        succeed(try await method.handler(request, context), context)
      } else {
        succeed(try await handle(request, context), context)
      }
    } catch {
      // What is in a union is taken out once, not by each question that is asked of it. An error of no union knows itself
      // as what it may be sent.
      fail(Failure.self == RPCError.self ? error : error.wrapped, context)
    }
    isDone = true
    task = nil
    stream.handlerEnded()
    method.reporter.handlerEnded()
  }

  func cancel(_ error: RPCError) {
    task?.cancel()
  }

  private func handle(_ request: Request, _ context: ServerContext) async throws(Failure) -> Response {
    return try await stream.withDeadline { () async throws(Failure) in
      guard let interceptors = self.method.interceptors else { return try await self.method.handler(request, context) }
      var response: Response?
      try await Failure.catching {
        try await interceptors.run(context) {
          let request = try interceptors.receiving(request, context)
          response = try interceptors.sending(try await self.method.handler(request, context), context)
        }
      }
      guard let response else {
        throw Failure.lift(RPCError(.internalError, "An interceptor ended the call without a reply"))
      }
      return response
    }
  }

  private func succeed(_ response: Response, _ context: ServerContext) {
    let fields = context.takeReply()
    do throws(RPCError) {
      try stream.reply(response, compress: fields.compresses, initial: fields.initial, trailing: fields.trailing)
    } catch {
      fail(error, context)
    }
  }

  private func fail(_ error: any TaxonomyError, _ context: ServerContext) {
    method.reporter.fail(stream, error, context)
  }
}
