// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// A method with one request and one reply, and its handler.
final class UnaryMethod<Request: Message, Response: Message, Failure: ErrorUnion>: RegisteredMethod {
  typealias Handler = @Sendable (Request, ServerContext) async throws(Failure) -> Response
  let descriptor: MethodDescriptor<Request, Response, Failure>
  private let handler: Handler
  /// Gives a call's request to the handler, and its outcome to the call, without a deadline and interceptors.
  /// `ServiceRegistry.add` makes it, in the module that knows the types: where they are parameters, each value and each
  /// function of the way takes memory of the task.
  fileprivate let work: CallWork
  /// The same with deadline and interceptors.
  fileprivate let guardedWork: CallWork
  fileprivate let reporter: CallReporter
  fileprivate let interceptors: ServerInterceptors?
  // To find the type costs 300 instructions.
  private let callType = UnaryCall<Request, Response, Failure>.self

  init(
    descriptor: MethodDescriptor<Request, Response, Failure>, handler: @escaping Handler, work: @escaping CallWork,
    reporter: CallReporter, interceptors: ServerInterceptors? = nil
  ) {
    self.descriptor = descriptor
    self.handler = handler
    self.work = work
    guardedWork = { await UnaryCall<Request, Response, Failure>.of($0).runGuarded() }
    self.reporter = reporter
    self.interceptors = interceptors
  }

  func intercepted(by interceptors: ServerInterceptors) -> any RegisteredMethod {
    UnaryMethod(descriptor: descriptor, handler: handler, work: work, reporter: reporter, interceptors: interceptors)
  }

  func offloaded() -> any RegisteredMethod {
    let offloaded: Handler = { [handler] (request, context) async throws(Failure) in
      try await withTaskExecutorPreference(globalConcurrentExecutor) { () async throws(Failure) in
        try await handler(request, context)
      }
    }
    return UnaryMethod(
      descriptor: descriptor, handler: offloaded,
      work: { await UnaryCall<Request, Response, Failure>.of($0).run(offloaded) }, reporter: reporter,
      interceptors: interceptors)
  }

  var path: String { descriptor.path }
  var rules: [HTTPRule] { descriptor.http }
  var request: MessageDescriptor { Request.descriptor }
  var response: MessageDescriptor { Response.descriptor }
  var failure: any ErrorUnion.Type { Failure.self }

  var shape: MethodShape { .unary }
  var isSafe: Bool { descriptor.idempotency == .noSideEffects }
  func begin(_ stream: ServerStream) -> (any ServerCall)? { nil }

  func begin(
    _ stream: ServerStream, with message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
  ) throws(RPCError) -> (call: any ServerCall, kept: KeptBytes) {
    let request = try stream.codec.decode(Request.self, message)
    return (callType.init(self, stream, request, byteCount: message.count, isCompressed: isCompressed), .none)
  }

  /// The handler with the call's deadline and the method's interceptors around it.
  fileprivate func handle(
    _ request: Request, _ context: ServerContext, _ stream: ServerStream
  ) async throws(Failure) -> Response {
    return try await stream.withDeadline { () async throws(Failure) in
      guard let interceptors = self.interceptors else { return try await self.handler(request, context) }
      var response: Response?
      try await Failure.catching {
        try await interceptors.run(context) {
          let request = try interceptors.receiving(request, context)
          response = try interceptors.sending(try await self.handler(request, context), context)
        }
      }
      guard let response else {
        throw Failure.lift(RPCError(.internalError, "An interceptor ended the call without a reply"))
      }
      return response
    }
  }
}

/// One call of a unary method.
@usableFromInline
final class UnaryCall<Request: Message, Response: Message, Failure: ErrorUnion>: ServerCall, RunnableCall,
  // @unchecked: reached on the loop of the stream's connection alone: the stream calls it there, and the task runs there.
  @unchecked Sendable
{
  private let method: UnaryMethod<Request, Response, Failure>
  private let stream: ServerStream
  @usableFromInline let request: Request
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

  func becameWritable() {}

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

  func heldLoop(for duration: Duration) {
    method.reporter.heldLoop(path: method.path, for: duration)
  }

  var work: CallWork { stream.deadline == nil && method.interceptors == nil ? method.work : method.guardedWork }

  /// The call of which work was given.
  @usableFromInline static func of(_ call: AnyObject) -> UnaryCall { unsafeDowncast(call, to: UnaryCall.self) }

  fileprivate nonisolated(nonsending) func runGuarded() async {
    await run { (request, context) async throws(Failure) in
      try await self.method.handle(request, context, self.stream)
    }
  }

  fileprivate nonisolated(nonsending) func run(
    _ handler: (Request, ServerContext) async throws(Failure) -> Response
  ) async {
    let context = begin()
    do throws(Failure) {
      succeed(try await handler(request, context), context)
    } catch {
      fail(error, context)
    }
  }

  /// The handler is about to be called.
  @usableFromInline func begin() -> ServerContext {
    let context = ServerContext(path: method.path, stream: stream, reporter: method.reporter, failure: Failure.self)
    if isRequestCompressed { context.isRequestCompressed = true }
    return context
  }

  func cancel(_ error: RPCError) { task?.cancel() }

  /// The handler has returned its reply.
  @usableFromInline func succeed(_ response: Response, _ context: ServerContext) {
    let fields = context.takeReply()
    do throws(RPCError) {
      try stream.reply(response, compress: fields.compresses, initial: fields.initial, trailing: fields.trailing)
    } catch {
      method.reporter.fail(stream, error, context)
    }
    ended()
  }

  /// The handler has thrown.
  @usableFromInline func fail(_ error: Failure, _ context: ServerContext) {
    // What is in a union is taken out once, not by each question that is asked of it. An error of no union knows itself
    // as what it may be sent.
    let error: any TaxonomyError = Failure.self == RPCError.self ? error : error.wrapped
    method.reporter.fail(stream, error, context)
    ended()
  }

  private func ended() {
    isDone = true
    task = nil
    stream.handlerEnded()
    method.reporter.handlerEnded()
  }
}
