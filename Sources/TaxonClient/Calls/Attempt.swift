// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Synchronization
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonResilience
import TaxonTransport

/// What the attempts of a call have in common.
struct CallPlan: Sendable {
  let path: String
  /// A second call does no harm even if the first had its effect.
  let isIdempotent: Bool
  let options: CallOptions
  /// How messages are written.
  var codec: MessageCodec { .binary }
  let deadline: NIODeadline?
  /// What the call's interceptors know of it; nil without interceptors.
  var context: ClientContext?
}

extension CallPlan {
  init<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, _ options: CallOptions, _ deadline: NIODeadline?,
    _ context: ClientContext? = nil
  ) {
    self.init(
      path: method.path, isIdempotent: method.idempotency.isSafeToRepeat, options: options, deadline: deadline,
      context: context)
  }
}

/// One attempt of a call: one stream, one permit of a circuit breaker, one end. What is sent and what comes back is the
/// matter of its subclasses, one for calls with one message each way and one for those that stream.
///
/// No types of the call's are in it: generic code looks them up at each use, and an async function after each suspension.
///
/// Lives on the channel's event loop once it has been submitted. The caller may read `end` when it has been resumed.
class Attempt: ClientCall, PendingCall, SubmittedCall, DeadlineHolder,
  // @unchecked: its mutable state is reached on the channel's loop alone, by its maker before it is submitted, and by the
  // caller once that has been resumed.
  @unchecked Sendable
{
  final let plan: CallPlan
  final let dispatcher: CallDispatcher
  /// The attempt before this one was refused: a second refusal in a row is a failure.
  final let wasRefused: Bool
  /// Which attempt of its call it is, from 1, for the call's interceptors; 0 without.
  final let number: Int
  let takesManyMessages: Bool
  /// Resumed with the attempt's end, or sooner. To be set before the attempt is submitted.
  @exclusivity(unchecked) final var caller: UnsafeContinuation<Void, Never>?
  /// What the caller was resumed with.
  @exclusivity(unchecked) private final var answer = CallEnd()
  @exclusivity(unchecked) private(set) final var stream: ClientStream?
  /// The metadata of the answer's head.
  @exclusivity(unchecked) private final var initial = Metadata()
  @exclusivity(unchecked) private final var hasBegun = false
  @exclusivity(unchecked) private(set) final var isOver = false
  /// The caller gave the call up.
  @exclusivity(unchecked) private(set) final var isCancelled = false
  /// Orders what the loop has written before what the caller reads. The continuation does that too, but the thread
  /// sanitizer does not see it when the continuation is resumed before the caller waits for it.
  private final let hasAnswer = Atomic<Bool>(false)
  @exclusivity(unchecked) final var place: WaitingCalls.Place?
  @exclusivity(unchecked) final var deadlineIndex = -1
  @exclusivity(unchecked) private final var permit: CircuitBreaker.Permit?
  /// What happens to it on purpose.
  @exclusivity(unchecked) final var fault: AttemptFault?

  init(_ plan: CallPlan, on dispatcher: CallDispatcher, takesManyMessages: Bool, wasRefused: Bool) {
    self.plan = plan
    self.dispatcher = dispatcher
    self.takesManyMessages = takesManyMessages
    self.wasRefused = wasRefused
    number = plan.context?.nextAttempt() ?? 0
  }

  // MARK: For the subclasses

  /// Puts what the call has to send by now on the stream, which is about to be opened.
  func write(to stream: ClientStream) throws(RPCError) {}
  /// The stream has been opened.
  func opened(_ stream: ClientStream) {}
  /// What the method declares.
  var declared: any ErrorUnion.Type { RPCError.self }
  /// The error as one that the method raises.
  func lifted(_ error: any TaxonomyError) -> any TaxonomyError { error }
  /// The error that a status of the server's stands for, and what the log should know of it.
  func received(_ status: ReceivedStatus) -> (error: any TaxonomyError, notes: [WireNote]) {
    let received = RPCError.received(status, registry: dispatcher.knownErrors)
    return (received.error, received.notes)
  }
  /// The attempt is over. Called once.
  func ended(_ end: CallEnd) { resumeCaller(end) }

  /// Lets the caller go on, with how the attempt ended or, at its first message, as one that has succeeded.
  final func resumeCaller(_ end: CallEnd) {
    guard let caller else { return }
    self.caller = nil
    answer = end
    hasAnswer.store(true, ordering: .releasing)
    caller.resume()
  }

  /// Ends the attempt, for an answer that this end does not accept, though the server has not failed.
  final func reject(_ error: any TaxonomyError) {
    permit.take()?.settle(.success)
    stream?.abandon(error)
  }

  // MARK: From the caller

  /// What the caller was resumed with; its error is nil when the attempt succeeded. To be read after that alone.
  final var end: CallEnd {
    _ = hasAnswer.load(ordering: .acquiring)
    return answer
  }

  /// What the attempt failed with; nil: it succeeded. To be read as `end` is.
  final var error: (any TaxonomyError)? {
    _ = hasAnswer.load(ordering: .acquiring)
    return answer.error
  }

  /// Gives the call up: the caller's task is cancelled. Nothing happens when the attempt is over.
  final func cancel() {
    dispatcher.eventLoop.assertInEventLoop()
    guard !isOver else { return }
    isCancelled = true
    if hasBegun { abandon(RPCError.cancelled) }
  }

  // MARK: From the channel

  final func begin() {
    dispatcher.eventLoop.assertInEventLoop()
    hasBegun = true
    if isCancelled { return fail(RPCError.cancelled) }
    if let deadline = plan.deadline { dispatcher.deadlines.add(self, at: deadline) }
    dispatcher.start(self)
  }

  final var waitsForReady: Bool { plan.options.waitForReady }

  final func admit(_ permit: consuming CircuitBreaker.Permit) { self.permit = consume permit }

  final func send(on connection: ClientConnection) {
    connection.eventLoop.assertInEventLoop()
    guard !isOver else { return }
    plan.context?.began(number, on: connection)
    if let faults = dispatcher.configuration.attemptFaults {
      let attempt = AttemptDescription(
        path: plan.path, metadata: plan.options.metadata, peer: connection.peer, declared: declared)
      if let fault = faults.fault(for: attempt), suffer(fault, on: connection) { return }
    }
    transmit(on: connection)
  }

  /// Opens the stream.
  final func transmit(on connection: ClientConnection) {
    let exchange = connection.makeExchange()
    let stream = ClientStream(
      exchange, call: self, takesManyMessages: takesManyMessages, maxMessageSize: connection.limits.maxMessageSize,
      maxHeaderListSize: connection.limits.maxHeaderListSize, cache: connection.headerCache)
    do throws(RPCError) {
      try write(to: stream)
    } catch {
      return fail(error)
    }
    self.stream = stream
    connection.open(
      stream, on: exchange,
      head: connection.heads.head(
        path: plan.path, timeout: plan.deadline.map { Duration($0 - connection.eventLoop.now) },
        metadata: plan.options.metadata,
        compression: plan.options.compression?.compression))
    if !isOver { opened(stream) }
  }

  final func fail(_ error: any TaxonomyError) { finish(CallEnd(error: error)) }

  final func deadlineExceeded() { abandon(CallError.DeadlineExceeded()) }

  /// Gives the attempt up, wherever it is.
  private func abandon(_ error: any TaxonomyError) {
    if let stream {
      // Ends the attempt, which then knows the stream no more.
      stream.abandon(error)
    } else {
      fail(error)
    }
  }

  // MARK: From the stream

  func receive(initial: Metadata) {
    self.initial = initial
    plan.context?.receive(initial: initial)
    plan.options.onInitialMetadata?(initial)
  }

  func receive(
    _ message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
  ) throws(RPCError) -> KeptBytes { .none }

  func becameWritable() {}

  /// The head has come: for the breaker, that is a success of a stream.
  final func noteAnswered() { permit?.answered() }

  /// A server, which knows the call's deadline too, may cancel the call for it before this end's own timer goes off:
  /// RST_STREAM with CANCEL, or CANCELLED, is then DEADLINE_EXCEEDED.
  final func error(for status: ReceivedStatus) -> (error: any TaxonomyError, notes: [WireNote]) {
    if status.code == .cancelled, let deadline = plan.deadline, deadline <= dispatcher.eventLoop.now {
      return (CallError.DeadlineExceeded(), [])
    }
    return received(status)
  }

  final func receiveEnd(_ end: CallEnd) { finish(end) }

  final func finish(_ end: CallEnd) {
    dispatcher.eventLoop.assertInEventLoop()
    guard !isOver else { return }
    isOver = true
    if let fault { fault.finish() }
    if place != nil { leaveQueue() }
    if plan.deadline != nil { dispatcher.deadlines.remove(self) }
    stream = nil
    let permit = permit.take()
    var end = end
    end.initial = initial
    guard let error = end.error.map(lifted) else {
      permit?.settle(.success)
      plan.context?.ended(number, end)
      return ended(end)
    }
    // The caller's own cancellation does not come from the server.
    let told = isCancelled ? error : error.fromCall().with(initial: initial, trailing: end.trailing)
    if end.refusal != nil, !wasRefused {
      // That the server did not process the call says nothing of how it works.
      permit?.settle(.neutral)
    } else {
      permit?.settle(throwing: told)
    }
    end.error = told
    plan.context?.ended(number, end)
    ended(end)
  }
}

extension ErrorUnion {
  /// The error as one that the method raises.
  static func raised(_ error: any TaxonomyError) -> any TaxonomyError {
    // What a status stands for is of the type already, and a cast costs more than a comparison.
    type(of: error) == Self.self ? error : lift(error)
  }
}

/// One attempt of a unary call.
// @unchecked: as every attempt, it is reached on the channel's loop until its caller is resumed, and by the caller after that.
final class UnaryAttempt<Request: Message, Response: Message, Failure: ErrorUnion>: Attempt, @unchecked Sendable {
  private let request: Request
  // Not an optional: the metadata of a generic one would be looked up with every use.
  /// The answer, once it has come.
  @exclusivity(unchecked) private var response: UnsafeMutablePointer<Response>?

  init(_ plan: CallPlan, _ request: Request, on dispatcher: CallDispatcher, wasRefused: Bool = false) {
    self.request = request
    super.init(plan, on: dispatcher, takesManyMessages: false, wasRefused: wasRefused)
  }

  deinit { dropResponse() }

  /// Tells of the metadata, and hands out the answer. To be called once, when the attempt has succeeded.
  func takeResponse() -> Response {
    if let onMetadata = plan.options.onMetadata {
      let end = end
      onMetadata(end.initial, end.trailing)
    }
    guard let response else { preconditionFailure("a call succeeds when its answer has come") }
    self.response = nil
    defer { response.deallocate() }
    return response.move()
  }

  private func dropResponse() {
    guard let response else { return }
    self.response = nil
    response.deinitialize(count: 1)
    response.deallocate()
  }

  override func write(to stream: ClientStream) throws(RPCError) {
    try stream.request(request, compression: plan.options.compression)
  }

  override func receive(
    _ message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
  ) throws(RPCError) -> KeptBytes {
    dropResponse()
    let memory = UnsafeMutablePointer<Response>.allocate(capacity: 1)
    do throws(RPCError) {
      memory.initialize(to: try plan.codec.decode(Response.self, message))
    } catch {
      memory.deallocate()
      throw error
    }
    response = memory
    plan.options.onMessage?(isCompressed)
    return .none
  }

  override var declared: any ErrorUnion.Type { Failure.self }

  override func lifted(_ error: any TaxonomyError) -> any TaxonomyError { Failure.raised(error) }

  override func received(_ status: ReceivedStatus) -> (error: any TaxonomyError, notes: [WireNote]) {
    let received = Failure.received(status, registry: dispatcher.knownErrors)
    return (received.error, received.notes)
  }
}
