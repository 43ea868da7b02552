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
/// Lives on the channel's event loop, but for its making, `start`, `cancel` and `refuse`, and for `inbound` and
/// `outbound`, which guard themselves.
final class StreamingCall<Request: Message, Response: Message, Failure: ErrorUnion>:
  // @unchecked: its mutable state is reached on the channel's loop alone.
  @unchecked Sendable
{
  let inbound: InboundMessages<ReceivedMessage<Response>, Failure>
  let outbound: OutboundMessages
  let head: ResponseHead<Failure>
  let interceptors: ClientInterceptors?
  /// The one message of the request; nil when it has any number.
  let request: Request?
  /// True when the answer has any number of messages.
  let takesManyMessages: Bool
  private let engine: CallEngine
  private var dispatcher: CallDispatcher { engine.dispatcher }
  /// Called once, before a reader learns of the end; not for an attempt of which the engine learns the end.
  private let report: @Sendable (CallEnd) -> Void
  /// The attempt that goes on.
  @exclusivity(unchecked) private var attempt: StreamingAttempt<Request, Response, Failure>?
  @exclusivity(unchecked) private var isOver = false

  /// The call, for closures that are made before it.
  // @unchecked: set once, before anybody reads it.
  private final class Reference: @unchecked Sendable {
    weak var call: StreamingCall?
  }

  init(
    request: Request?, takesManyMessages: Bool, compression: CompressionSettings?, interceptors: ClientInterceptors?,
    head: ResponseHead<Failure>, on engine: CallEngine, report: @escaping @Sendable (CallEnd) -> Void
  ) {
    self.request = request
    self.takesManyMessages = takesManyMessages
    self.interceptors = interceptors
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
    outbound = OutboundMessages(eventLoop: dispatcher.eventLoop, mayRewind: request == nil) { compression }
    reference.call = self
  }

  /// An attempt, to be submitted.
  func makeAttempt(_ plan: CallPlan, wasRefused: Bool) -> StreamingAttempt<Request, Response, Failure> {
    StreamingAttempt(self, plan, on: dispatcher, wasRefused: wasRefused)
  }

  /// Attempts the call, as soon as the channel has a connection.
  func start(_ plan: CallPlan) {
    dispatcher.execute { [self] in
      if !isOver { start(makeAttempt(plan, wasRefused: false)) }
    }
  }

  private func start(_ attempt: StreamingAttempt<Request, Response, Failure>) {
    do throws(ConnectionError.CircuitOpen) {
      if let permit = try engine.permit() { attempt.admit(permit) }
    } catch {
      return finish(CallEnd(error: Failure.lift(error).fromCall()))
    }
    began(attempt)
    if attempt.wasRefused {
      // Not from inside the session of the connection that refused.
      dispatcher.eventLoop.execute { attempt.begin() }
    } else {
      attempt.begin()
    }
  }

  /// Gives the call up. Nothing happens when it is over.
  func cancel() {
    dispatcher.execute { [self] in
      if let attempt { attempt.cancel() } else { finish(CallEnd(error: Failure.lift(RPCError.cancelled))) }
    }
  }

  /// Ends a call that was not sent, with what kept it from being sent.
  func refuse(_ error: any TaxonomyError) {
    dispatcher.execute { [self] in finish(CallEnd(error: Failure.lift(error).fromCall())) }
  }

  // MARK: From the attempt

  /// An attempt has begun.
  fileprivate func began(_ attempt: StreamingAttempt<Request, Response, Failure>) { self.attempt = attempt }

  /// An attempt has failed, and the engine decides what follows.
  fileprivate func letGo() { attempt = nil }

  /// The attempt that goes on has ended, and the call with it, unless the call repeats it itself.
  fileprivate func ended(_ attempt: StreamingAttempt<Request, Response, Failure>, _ end: CallEnd) {
    if let refusal = end.refusal, repeats(attempt, after: refusal) { return }
    finish(end)
  }

  /// Begins once more, if the call may and its messages are still at hand. At most once: a second refusal is a failure.
  private func repeats(
    _ attempt: StreamingAttempt<Request, Response, Failure>, after refusal: Refusal
  ) -> Bool {
    guard request == nil, !attempt.wasRefused, !attempt.isCancelled,
      refusal == .unprocessed || engine.repeatsRefusedStreams(attempt.plan), outbound.rewind()
    else { return false }
    start(makeAttempt(attempt.plan, wasRefused: true))
    return true
  }

  private func finish(_ end: CallEnd) {
    dispatcher.eventLoop.assertInEventLoop()
    attempt = nil
    guard !isOver else { return }
    isOver = true
    report(end)
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

  fileprivate init(
    _ call: StreamingCall<Request, Response, Failure>, _ plan: CallPlan, on dispatcher: CallDispatcher, wasRefused: Bool
  ) {
    self.call = call
    super.init(plan, on: dispatcher, takesManyMessages: call.takesManyMessages, wasRefused: wasRefused)
  }

  override func write(to stream: ClientStream) throws(RPCError) {
    call.began(self)
    guard let request = call.request else { return }
    call.interceptors?.sending(request, plan.path)
    try stream.request(request, compression: plan.options.compression)
  }

  override func opened(_ stream: ClientStream) {
    if call.request == nil { call.outbound.attach(stream.exchange) }
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
    let response = try plan.wire.codec.decode(Response.self, message)
    call.interceptors?.receiving(response, plan.path)
    let kept = call.inbound.kept(byteCount: message.count, size: size)
    let isTaken = call.inbound.append(ReceivedMessage(response, isCompressed: isCompressed), kept: kept)
    // What has been handed out is not attempted again.
    resumeCaller(CallEnd())
    return isTaken ? kept : .none
  }

  override func hasRoom() { call.outbound.pump() }

  override func lifted(_ error: any TaxonomyError) -> any TaxonomyError { Failure.raised(error) }

  override func received(_ status: ReceivedStatus) -> (error: any TaxonomyError, notes: [WireNote]) {
    let received = Failure.received(status, registry: dispatcher.knownErrors)
    return (received.error, received.notes)
  }

  override func ended(_ end: CallEnd) {
    // While the engine waits, nobody has seen any message of the attempt.
    if caller == nil || end.error == nil { call.ended(self, end) } else { call.letGo() }
    resumeCaller(end)
  }
}
