// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// A method whose request or reply, or both, have any number of messages, and its handler.
final class StreamingMethod<Request: Message, Response: Message, Failure: ErrorUnion>: RegisteredMethod {
  typealias Handler =
    @Sendable (RequestStream<Request, Failure>, ResponseWriter<Response, Failure>, ServerContext)
    async throws(Failure) -> Void

  let descriptor: MethodDescriptor<Request, Response, Failure>
  let shape: MethodShape
  let handler: Handler
  let reporter: CallReporter
  let interceptors: ServerInterceptors?
  fileprivate let work: CallWork = {
    await unsafeDowncast($0, to: StreamingCall<Request, Response, Failure>.self).run()
  }

  init(
    descriptor: MethodDescriptor<Request, Response, Failure>, shape: MethodShape, handler: @escaping Handler,
    reporter: CallReporter, interceptors: ServerInterceptors? = nil
  ) {
    self.descriptor = descriptor
    self.shape = shape
    self.handler = handler
    self.reporter = reporter
    self.interceptors = interceptors
  }

  func intercepted(by interceptors: ServerInterceptors) -> any RegisteredMethod {
    StreamingMethod(
      descriptor: descriptor, shape: shape, handler: handler, reporter: reporter,
      interceptors: interceptors)
  }

  func offloaded() -> any RegisteredMethod {
    StreamingMethod(
      descriptor: descriptor, shape: shape,
      handler: { [handler] (requests, responses, context) async throws(Failure) in
        try await withTaskExecutorPreference(globalConcurrentExecutor) { () async throws(Failure) in
          try await handler(requests, responses, context)
        }
      }, reporter: reporter, interceptors: interceptors)
  }

  var path: String { descriptor.path }
  var isSafe: Bool { descriptor.idempotency == .noSideEffects }
  /// None: REST has one request and one response.
  var rules: [HTTPRule] { [] }
  var request: MessageDescriptor { Request.descriptor }
  var response: MessageDescriptor { Response.descriptor }
  var failure: any ErrorUnion.Type { Failure.self }

  func begin(_ stream: ServerStream) -> (any ServerCall)? {
    guard shape.takesMany else { return nil }
    let call = StreamingCall(method: self, stream: stream)
    call.start()
    return call
  }

  func begin(
    _ stream: ServerStream, with message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
  ) throws(RPCError) -> (call: any ServerCall, kept: KeptBytes) {
    let call = StreamingCall(method: self, stream: stream)
    return (call, try call.receive(message, size: size, isCompressed: isCompressed))
  }
}

/// One call of a method that streams.
final class StreamingCall<Request: Message, Response: Message, Failure: ErrorUnion>: ServerCall, RunnableCall,
  // @unchecked: reached on the loop of the stream's connection alone, but for `inbound` and `outbound`, which guard
  // themselves.
  @unchecked Sendable
{
  private let method: StreamingMethod<Request, Response, Failure>
  private let stream: ServerStream
  private let context: ServerContext
  private let inbound: InboundMessages<ReceivedMessage<Request>, Failure>
  private let outbound: OutboundMessages
  @exclusivity(unchecked) private var task: HandlerTask?
  @exclusivity(unchecked) private var isDone = false

  init(method: StreamingMethod<Request, Response, Failure>, stream: ServerStream) {
    let context = ServerContext(
      path: method.path, stream: stream, reporter: method.reporter, failure: Failure.self)
    self.method = method
    self.stream = stream
    self.context = context
    let eventLoop = stream.context.executor.eventLoop
    // nonisolated(unsafe): reached on the loop alone.
    nonisolated(unsafe) let stream = stream
    inbound = InboundMessages(
      creditStep: stream.context.creditStep,
      credit: { kept in
        if eventLoop.inEventLoop { stream.read(kept) } else { eventLoop.execute { stream.read(kept) } }
      })
    outbound = OutboundMessages(eventLoop: eventLoop, codec: stream.codec, framing: stream.framing) {
      stream.compression(wish: context.compressesReply)
    }
    outbound.attach(stream.exchange) { settings in
      stream.sendHead(context.takeHead(), compression: settings?.compression)
    }
  }

  func receive(
    _ message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
  ) throws(RPCError) -> KeptBytes {
    let request = ReceivedMessage(try stream.codec.decode(Request.self, message), isCompressed: isCompressed)
    let kept = inbound.kept(byteCount: message.count, size: size)
    return inbound.append(request, kept: kept) ? kept : .none
  }

  func receiveEnd() {
    inbound.finish()
    if !method.shape.takesMany { start() }
  }

  func cancel(_ error: RPCError) {
    inbound.abandon(Failure.lift(error))
    outbound.fail(error)
    task?.cancel()
  }

  func becameWritable() { outbound.pump() }

  fileprivate func start() {
    if stream.exchange.mustWaitToStart { stream.start { self.begin() } } else { begin() }
  }

  private func begin() {
    method.reporter.handlerStarted()
    stream.handlerBegan()
    let task = stream.context.tasks.run(self)
    // What ended without suspending needs no cancellation.
    if !isDone { self.task = task }
  }

  func heldLoop(for duration: Duration) { method.reporter.heldLoop(path: method.path, for: duration) }

  var work: CallWork { method.work }

  fileprivate nonisolated(nonsending) func run() async {
    do throws(Failure) {
      try await handle()
      outbound.flushAll()
      let fields = context.takeReply()
      // Nothing was written: the head has not gone yet.
      stream.sendHead(fields.initial, compression: nil)
      stream.succeed(trailing: fields.trailing)
    } catch {
      outbound.flushAll()
      let error: any TaxonomyError = Failure.self == RPCError.self ? error : error.wrapped
      method.reporter.fail(stream, error, context)
    }
    end()
    isDone = true
    task = nil
    stream.handlerEnded()
    method.reporter.handlerEnded()
  }

  /// Lets go of what came too late, and tells tasks that still read or write.
  private func end() {
    let error = RPCError(.cancelled, "The call is over: its handler has returned")
    inbound.abandon(Failure.lift(error))
    outbound.fail(error)
  }

  /// What the handler reads and writes when nothing is around it. Functions of their own, since to ask for each message
  /// whether there are interceptors costs a quarter of what is done for it.
  private var plain: (RequestStream<Request, Failure>, ResponseWriter<Response, Failure>) {
    (
      RequestStream { [inbound, context] () async throws(Failure) in
        guard let message = try await inbound.next() else { return nil }
        context.isRequestCompressed = message.isCompressed
        return message.content
      },
      ResponseWriter { [outbound] (message, compress) async throws(Failure) in
        do { try await outbound.write(message, compress: compress) } catch { throw Failure.lift(error) }
      }
    )
  }

  /// The same with interceptors, which see each message.
  private func intercepted(
    by interceptors: ServerInterceptors
  ) -> (RequestStream<Request, Failure>, ResponseWriter<Response, Failure>) {
    (
      RequestStream { [inbound, context] () async throws(Failure) in
        guard let message = try await inbound.next() else { return nil }
        context.isRequestCompressed = message.isCompressed
        return try Failure.catching { try interceptors.receiving(message.content, context) }
      },
      ResponseWriter { [outbound, context] (message, compress) async throws(Failure) in
        do {
          try await outbound.write(try interceptors.sending(message, context), compress: compress)
        } catch {
          throw Failure.lift(error)
        }
      }
    )
  }

  private func handle() async throws(Failure) {
    let (requests, responses) = method.interceptors.map { intercepted(by: $0) } ?? plain
    guard stream.deadline != nil || method.interceptors != nil else {
      return try await method.handler(requests, responses, context)
    }
    try await stream.withDeadline { () async throws(Failure) in
      guard let interceptors = self.method.interceptors else {
        return try await self.method.handler(requests, responses, self.context)
      }
      try await Failure.catching {
        try await interceptors.run(self.context) { try await self.method.handler(requests, responses, self.context) }
      }
    }
  }
}

/// The messages of a request, as they come. One task reads them, once.
///
/// What has not been read bounds what the caller may send: a slow handler slows its caller.
public struct RequestStream<Element: Message, Failure: ErrorUnion>: AsyncSequence, Sendable {
  private let read: @Sendable () async throws(Failure) -> Element?

  /// Messages from somewhere else, for tests that call a handler without a server.
  public init(_ messages: some Sequence<Element> & Sendable) {
    let rest = Locked(Array(messages)[...])
    read = { () async throws(Failure) in rest.withLock { $0.popFirst() } }
  }

  init(read: @escaping @Sendable () async throws(Failure) -> Element?) { self.read = read }

  /// The first message, when no other is wanted.
  func first() async throws(Failure) -> Element? { try await read() }

  /// Reads the messages.
  public struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let read: @Sendable () async throws(Failure) -> Element?

    /// The next message, or nil when the caller has sent all.
    ///
    /// - Throws: CANCELLED or `DeadlineExceeded` when the call is over before its end; CANCELLED when the handler has
    ///   returned.
    public mutating func next() async throws(Failure) -> Element? { try await read() }

    /// The next message, or nil when the caller has sent all.
    ///
    /// - Throws: CANCELLED or `DeadlineExceeded` when the call is over before its end; CANCELLED when the handler has
    ///   returned.
    public mutating func next(isolation actor: isolated (any Actor)?) async throws(Failure) -> Element? {
      try await read()
    }
  }

  /// Begins, or goes on, to read.
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(read: read) }
}

/// Sends the messages of a reply, one after the other.
public struct ResponseWriter<Element: Message, Failure: ErrorUnion>: Sendable {
  private let send: @Sendable (Element, Bool?) async throws(Failure) -> Void

  /// A writer to somewhere else, for tests that call a handler without a server.
  public init(_ write: @escaping @Sendable (Element) async throws(Failure) -> Void) {
    send = { (message, _) async throws(Failure) in try await write(message) }
  }

  init(send: @escaping @Sendable (Element, Bool?) async throws(Failure) -> Void) { self.send = send }

  /// Sends a message, and returns when there is room for another: a slow caller slows the handler.
  ///
  /// - Parameter compress: Whether this very message is compressed, if the reply may be; nil leaves it to its size.
  /// - Throws: CANCELLED or `DeadlineExceeded` when the call is over; CANCELLED when the handler has returned.
  public func write(_ message: Element, compress: Bool? = nil) async throws(Failure) {
    try await send(message, compress)
  }

  /// Sends messages in their order.
  ///
  /// - Throws: CANCELLED or `DeadlineExceeded` when the call is over; CANCELLED when the handler has returned.
  public func write(contentsOf messages: some Sequence<Element>) async throws(Failure) {
    for message in messages { try await send(message, nil) }
  }
}
