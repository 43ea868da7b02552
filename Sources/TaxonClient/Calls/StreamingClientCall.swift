// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonResilience
import TaxonTransport

/// How a streaming call ended.
struct StreamEnd<Failure: ErrorUnion>: Sendable {
  /// Nil when it ended well.
  let error: Failure?
  let initial: Metadata
  let trailing: Metadata
  /// Set when the server did not process the call: says how that is known.
  let refusal: Refusal?
  /// What the log should know of the answer.
  let notes: [WireNote]
}

/// One attempt of a call that streams. Lives on the channel's event loop, but for its making, `start` and `cancel`, and
/// for `inbound` and `outbound`, which guard themselves.
final class StreamingClientCall<Request: Message, Response: Message, Failure: ErrorUnion>: ClientCall, PendingCall,
  DeadlineHolder,
  // Its mutable state is reached on the channel's loop alone, and before `start` by who makes it.
  @unchecked Sendable
{
  /// What the call needs to know.
  struct Plan: Sendable {
    let path: String
    var options: CallOptions
    let deadline: NIODeadline?
    /// The one message of the request; nil when it has any number.
    let request: Request?
    /// True when the answer has any number of messages.
    let takesManyMessages: Bool
    let interceptors: ClientInterceptors?
    let head: ResponseHead<Failure>
    /// The attempt before this one was refused.
    var wasRefused = false
    /// The call repeats itself when it was refused and its messages are at hand, also after REFUSED_STREAM; nil: it is not
    /// to repeat itself.
    var repeatsRefusedStreams: Bool?
    /// Called once, on the loop, before a reader learns of the end.
    let ended: @Sendable (StreamEnd<Failure>) -> Void
  }

  let inbound: InboundMessages<ReceivedMessage<Response>, Failure>
  let outbound: OutboundMessages
  @exclusivity(unchecked) private var plan: Plan
  private let engine: CallEngine
  private var core: ChannelCore { engine.core }
  private let reference: Reference
  @exclusivity(unchecked) private var stream: ClientStream?
  @exclusivity(unchecked) private var initial = Metadata()
  @exclusivity(unchecked) var place: WaitingCalls.Place?
  @exclusivity(unchecked) var deadlineIndex = -1
  @exclusivity(unchecked) private(set) var isOver = false
  @exclusivity(unchecked) private var permit: CircuitBreaker.Permit?
  /// The caller gave the call up.
  @exclusivity(unchecked) private var isCancelled = false

  /// The call, for closures that are made before it.
  // Set once, before anybody reads it.
  private final class Reference: @unchecked Sendable {
    weak var call: StreamingClientCall?
  }

  init(_ plan: Plan, on engine: CallEngine) {
    let core = engine.core
    let reference = Reference()
    self.plan = plan
    self.engine = engine
    self.reference = reference
    inbound = InboundMessages(
      // A small window would stay closed until more has been read than it lets through.
      creditStep: min(32 * 1024, max(1, core.configuration.http2.streamWindow / 2)),
      credit: { kept in core.execute { reference.call?.stream?.read(kept) } },
      cancelled: { reference.call?.cancel() })
    outbound = OutboundMessages(eventLoop: core.eventLoop, mayRewind: plan.repeatsRefusedStreams != nil) {
      [compression = plan.options.compression] in compression
    }
    reference.call = self
  }

  /// Sends the call as soon as the channel has a connection, with other options than it was made with if there are any.
  func start(with options: CallOptions? = nil) {
    core.execute { [self] in
      guard !isOver else { return }
      if let options { plan.options = options }
      if let deadline = plan.deadline {
        core.deadlines.add(self, at: deadline)
      }
      core.start(self)
    }
  }

  /// Gives the call up. Nothing happens when it is over.
  func cancel() {
    core.execute { [self] in
      guard !isOver else { return }
      isCancelled = true
      abandon(RPCError.cancelled)
    }
  }

  /// Ends a call that was not sent, with what kept it from being sent.
  func refuse(_ error: any TaxonomyError) {
    core.execute { self.fail(error) }
  }

  // MARK: From the channel

  var waitsForReady: Bool { plan.options.waitForReady }

  func admit(_ permit: consuming CircuitBreaker.Permit) {
    self.permit = consume permit
  }

  func send(on connection: ClientConnection) {
    connection.eventLoop.assertInEventLoop()
    guard !isOver else { return }
    let stream = ClientStream(
      call: self, takesManyMessages: plan.takesManyMessages, maxMessageSize: connection.limits.maxMessageSize,
      maxHeaderListSize: connection.limits.maxHeaderListSize, cache: connection.headerCache)
    if let request = plan.request {
      plan.interceptors?.sending(request, plan.path)
      do throws(RPCError) {
        try stream.request(
          request, compression: plan.options.compression, for: connection.handler?.session)
      } catch {
        return fail(error)
      }
    }
    self.stream = stream
    connection.open(
      stream,
      head: connection.heads.head(
        path: plan.path, timeout: plan.deadline.map { Duration($0 - connection.eventLoop.now) },
        metadata: plan.options.metadata,
        compression: plan.options.compression?.compression))
    if plan.request == nil, !isOver { outbound.attach(stream) }
  }

  func fail(_ error: any TaxonomyError) {
    finish(Failure.lift(error), CallEnd(outcome: .failure(error)))
  }

  func deadlineExceeded() { abandon(CallError.DeadlineExceeded()) }

  private func abandon(_ error: any TaxonomyError) {
    core.eventLoop.assertInEventLoop()
    if let stream {
      // Ends the call, which then knows the stream no more.
      stream.abandon(error)
    } else {
      fail(error)
    }
  }

  // MARK: From the stream

  func receive(initial: Metadata) {
    self.initial = initial
    plan.head.receive(initial)
    plan.options.onInitialMetadata?(initial)
    permit?.answered()
    outbound.keepNothing()
  }

  func receive(
    _ message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
  ) throws(RPCError) -> KeptBytes {
    let response = try Response.received(message)
    plan.interceptors?.receiving(response, plan.path)
    let kept = inbound.kept(byteCount: message.count, size: size)
    return inbound.append(ReceivedMessage(response, isCompressed: isCompressed), kept: kept) ? kept : .none
  }

  func receiveEnd(_ end: CallEnd) {
    core.eventLoop.assertInEventLoop()
    if let refusal = end.refusal, repeats(after: refusal) { return }
    switch end.outcome(of: plan.deadline, now: core.eventLoop.now) {
    case .success: finish(nil, end)
    case .status(let status):
      let received = Failure.received(status, registry: core.knownErrors)
      finish(received.error, end, notes: received.notes)
    case .failure(let error): finish(Failure.lift(error), end)
    }
  }

  /// Begins once more, if the call may and its messages are still at hand. At most once: a second refusal is a failure.
  private func repeats(after refusal: Refusal) -> Bool {
    guard let repeatsRefusedStreams = plan.repeatsRefusedStreams, !plan.wasRefused, !isCancelled,
      refusal == .unprocessed || repeatsRefusedStreams, outbound.rewind()
    else { return false }
    plan.wasRefused = true
    stream = nil
    permit.take()?.settle(.neutral)
    do throws(ConnectionError.CircuitOpen) {
      permit = try engine.permit()
    } catch {
      fail(error)
      return true
    }
    // Not from inside the session of the connection that refused.
    core.eventLoop.execute { [self] in
      if !isOver { core.start(self) }
    }
    return true
  }

  func hasRoom() { outbound.pump() }

  private func finish(_ error: Failure?, _ end: CallEnd, notes: [WireNote] = []) {
    core.eventLoop.assertInEventLoop()
    guard !isOver else { return }
    isOver = true
    if place != nil { leaveQueue() }
    core.deadlines.remove(self)
    stream = nil
    // The caller's own cancellation is no answer of the server's.
    let error = isCancelled ? error : error.map { $0.fromCall().with(initial: initial, trailing: end.trailing) }
    if let permit = permit.take() {
      if let error {
        permit.settle(throwing: error, isNeutral: end.refusal != nil && !plan.wasRefused)
      } else {
        permit.settle(.success)
      }
    }
    plan.ended(
      StreamEnd(error: error, initial: initial, trailing: end.trailing, refusal: end.refusal, notes: notes))
    if let error {
      inbound.fail(error)
      outbound.fail(error)
    } else {
      inbound.finish()
      outbound.drop()
    }
  }
}

extension Message {
  /// Decodes a message of an answer.
  static func received(_ bytes: UnsafeRawBufferPointer) throws(RPCError) -> Self {
    do throws(MessageDecodingError) {
      return try Self(decoding: bytes)
    } catch {
      throw RPCError(CallError.MalformedMessage(type: Self.descriptor.name, reason: "\(error)"))
    }
  }
}
