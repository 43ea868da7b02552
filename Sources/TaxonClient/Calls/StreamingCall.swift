// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonResilience
import TaxonTransport

/// A call that streams: what its caller writes and reads, whichever attempt carries it.
///
/// With one message in its request, it is attempted as the engine says until its first message has come. With any number
/// of them it is attempted once, and once more when the server did not process it and its messages are still at hand.
///
/// Lives on the channel's event loop, but for its making, `start`, `cancel` and `run`, and for `inbound`, `outbound` and
/// `intercepted`, which guard themselves.
final class StreamingCall<Request: Message, Response: Message, Failure: ErrorUnion>:
  // @unchecked: its mutable state is reached on the channel's loop alone.
  @unchecked Sendable
{
  let inbound: InboundMessages<ReceivedMessage<Response>, Failure>
  let outbound: OutboundMessages
  let head: ResponseHead<Failure>
  /// Nil without interceptors.
  let intercepted: InterceptedStream?
  /// True when the request has any number of messages.
  let sendsManyMessages: Bool
  /// True when the answer has any number of messages.
  let takesManyMessages: Bool
  private let engine: CallEngine
  private var dispatcher: CallDispatcher { engine.dispatcher }
  /// Called once, when the call has ended on the wire; not for an attempt of which the engine learns the end.
  private let report: @Sendable (CallEnd) -> Void
  /// The attempt that carries the call: with one message in its request, the first of those under way that is answered.
  @exclusivity(unchecked) private var attempt: StreamingAttempt<Request, Response, Failure>?
  /// The call has ended on the wire.
  @exclusivity(unchecked) private var isOver = false
  /// A message of the answer has come.
  @exclusivity(unchecked) private var hasAnswer = false

  /// The call, for closures that are made before it.
  // @unchecked: set once, before anybody reads it.
  private final class Reference: @unchecked Sendable {
    weak var call: StreamingCall?
  }

  init(
    sendsManyMessages: Bool, takesManyMessages: Bool, compression: CompressionSettings?, intercepted: InterceptedCall?,
    head: ResponseHead<Failure>, on engine: CallEngine, report: @escaping @Sendable (CallEnd) -> Void
  ) {
    self.sendsManyMessages = sendsManyMessages
    self.takesManyMessages = takesManyMessages
    self.intercepted = intercepted.map { InterceptedStream($0) }
    self.head = head
    self.engine = engine
    self.report = report
    let dispatcher = engine.dispatcher
    let reference = Reference()
    inbound = InboundMessages(
      // A small window would stay closed until more has been read than it lets through.
      creditStep: min(32 * 1024, max(1, dispatcher.configuration.http2.streamWindow / 2)),
      credit: { kept in dispatcher.execute { reference.call?.attempt?.stream?.read(kept) } },
      cancelled: { reference.call?.cancel() })
    outbound = OutboundMessages(eventLoop: dispatcher.eventLoop, mayRewind: sendsManyMessages) { compression }
    reference.call = self
  }

  /// An attempt, to be submitted.
  ///
  /// - Parameter request: The one message of the request; nil when it has any number.
  func makeAttempt(
    _ plan: CallPlan, _ request: Request?, wasRefused: Bool
  ) -> StreamingAttempt<Request, Response, Failure> {
    StreamingAttempt(self, plan, request, on: dispatcher, wasRefused: wasRefused)
  }

  /// Attempts the call, as soon as the channel has a connection.
  func start(_ plan: CallPlan) {
    dispatcher.execute { [self] in
      if !isOver { start(makeAttempt(plan, nil, wasRefused: false)) }
    }
  }

  private func start(_ attempt: StreamingAttempt<Request, Response, Failure>) {
    self.attempt = attempt
    if attempt.wasRefused {
      // Not from inside the session of the connection that refused.
      dispatcher.eventLoop.execute { attempt.begin() }
    } else {
      attempt.begin()
    }
  }

  /// Gives the call up. Nothing happens when it is over.
  func cancel() {
    if let intercepted { intercepted.cancel() } else { giveUp() }
  }

  private func giveUp() {
    dispatcher.execute { [self] in
      if let attempt { attempt.cancel() } else { finish(CallEnd(error: Failure.lift(RPCError.cancelled))) }
    }
  }

  // MARK: With interceptors

  /// Runs the interceptors around the attempts of the call, and ends it with what comes of that.
  ///
  /// - Parameter attempts: Makes them, and returns how the call has ended on the wire.
  func run(_ intercepted: InterceptedStream, _ attempts: () async throws -> CallEnd) async {
    var end = CallEnd()
    do throws(Failure) {
      try await intercepted.call.run(Failure.self) {
        intercepted.reachedNext()
        end = try await attempts()
        if let error = end.error { throw error }
      }
      end.error = nil
    } catch {
      end.error = error
    }
    intercepted.returned()
    dispatcher.execute { [self, end] in settle(end) }
  }

  /// Waits until the call has ended on the wire. A cancelled task gives the call up.
  func end(_ intercepted: InterceptedStream) async -> CallEnd {
    await withTaskCancellationHandler {
      await intercepted.end()
    } onCancel: {
      giveUp()
    }
  }

  // MARK: From the attempt

  /// An attempt has been answered well. False: another one carries the call, or the call is over.
  fileprivate func takes(_ attempt: StreamingAttempt<Request, Response, Failure>) -> Bool {
    if self.attempt === attempt { return true }
    guard self.attempt == nil, !isOver else { return false }
    self.attempt = attempt
    return true
  }

  /// An attempt has ended, and the call with it if it carries the call, unless the call repeats it itself.
  fileprivate func ended(_ attempt: StreamingAttempt<Request, Response, Failure>, _ end: CallEnd) {
    guard takes(attempt) else { return }
    if let refusal = end.refusal, repeats(attempt, after: refusal) { return }
    finish(end)
  }

  /// Begins once more, if the call may and its messages are still at hand. At most once: a second refusal is a failure.
  private func repeats(
    _ attempt: StreamingAttempt<Request, Response, Failure>, after refusal: Refusal
  ) -> Bool {
    guard sendsManyMessages, !attempt.wasRefused, !attempt.isCancelled,
      refusal == .unprocessed || engine.repeatsRefusedStreams(attempt.plan), outbound.rewind()
    else { return false }
    attempt.plan.context?.decided(attempt.number, .retry(after: .zero, .transparent))
    start(makeAttempt(attempt.plan, nil, wasRefused: true))
    return true
  }

  /// A message has come. False: nobody wants it.
  fileprivate func receive(_ message: ReceivedMessage<Response>, kept: KeptBytes) -> Bool {
    hasAnswer = true
    return inbound.append(message, kept: kept)
  }

  /// The call has ended on the wire.
  private func finish(_ end: CallEnd) {
    dispatcher.eventLoop.assertInEventLoop()
    attempt = nil
    guard !isOver else { return }
    isOver = true
    report(end)
    guard let intercepted else { return settle(end) }
    outbound.detach()
    intercepted.ended(end)
  }

  /// The call has ended for its caller.
  private func settle(_ end: CallEnd) {
    var end = end
    if end.error == nil, !hasAnswer, !takesManyMessages {
      // Without interceptors, that is not a success on the wire.
      end.error = Failure.lift(InterceptedCall.noAnswer).fromCall()
    }
    head.end(end.error.map { Failure.lift($0) }, initial: end.initial, trailing: end.trailing)
    if let error = end.error {
      inbound.fail(Failure.lift(error))
      outbound.fail(error)
    } else {
      inbound.finish()
      outbound.drop()
    }
  }
}

/// One attempt of a call that streams.
// @unchecked: as every attempt, it is reached on the channel's loop alone once it has been submitted.
final class StreamingAttempt<Request: Message, Response: Message, Failure: ErrorUnion>: Attempt, @unchecked Sendable {
  private let call: StreamingCall<Request, Response, Failure>
  /// The one message of the request; nil when it has any number.
  private let request: Request?

  fileprivate init(
    _ call: StreamingCall<Request, Response, Failure>, _ plan: CallPlan, _ request: Request?,
    on dispatcher: CallDispatcher, wasRefused: Bool
  ) {
    self.call = call
    self.request = request
    super.init(plan, on: dispatcher, takesManyMessages: call.takesManyMessages, wasRefused: wasRefused)
  }

  override func write(to stream: ClientStream) throws(RPCError) {
    guard let request else { return }
    try stream.request(request, compression: plan.options.compression)
  }

  override func opened(_ stream: ClientStream) {
    if call.sendsManyMessages { call.outbound.attach(stream.exchange) }
  }

  override func receive(initial: Metadata) {
    call.head.receive(initial)
    super.receive(initial: initial)
    noteAnswered()
    call.outbound.keepNothing()
  }

  override func receive(
    _ message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
  ) throws(RPCError) -> KeptBytes {
    var response = try plan.codec.decode(Response.self, message)
    guard call.takes(self) else { throw RPCError(.cancelled, "Another attempt of the call was answered first") }
    if let intercepted = call.intercepted {
      do {
        response = try intercepted.call.receiving(response)
      } catch {
        // The server's answer is there: the call is not attempted again.
        resumeCaller(CallEnd())
        reject(Failure.lift(error))
        return .none
      }
    }
    let kept = call.inbound.kept(byteCount: message.count, size: size)
    let isTaken = call.receive(ReceivedMessage(response, isCompressed: isCompressed), kept: kept)
    // What has been handed out is not attempted again.
    resumeCaller(CallEnd())
    if let fault { breakIfDue(fault) }
    return isTaken ? kept : .none
  }

  override func becameWritable() { call.outbound.pump() }

  override var declared: any ErrorUnion.Type { Failure.self }

  override func lifted(_ error: any TaxonomyError) -> any TaxonomyError { Failure.raised(error) }

  override func received(_ status: ReceivedStatus) -> (error: any TaxonomyError, notes: [WireNote]) {
    let received = Failure.received(status, registry: dispatcher.knownErrors)
    return (received.error, received.notes)
  }

  override func ended(_ end: CallEnd) {
    // While the engine waits, nobody has seen any message of the attempt, and a failure is for the engine to decide on.
    if caller == nil || end.error == nil { call.ended(self, end) }
    resumeCaller(end)
  }
}
