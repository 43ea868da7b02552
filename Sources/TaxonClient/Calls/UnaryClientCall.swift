// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Synchronization
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonResilience
import TaxonTransport

/// A call that a channel can send when it has a connection, whatever its types.
protocol PendingCall: AnyObject {
  /// The call waits when no server can be reached, instead of failing at once.
  var waitsForReady: Bool { get }
  /// The call has ended, and nobody need wait for it any more.
  var isOver: Bool { get }
  /// Where the call waits; for the queue alone. A call that ends leaves the queue.
  var place: WaitingCalls.Place? { get set }
  /// Takes the leave of a server's circuit breaker, to be settled with the outcome. Comes before `send`, when the
  /// server that was picked has a breaker of its own.
  func admit(_ permit: consuming CircuitBreaker.Permit)
  /// Opens the stream on a session that can take it. To be called on the channel's loop.
  func send(on connection: ClientConnection)
  /// Ends the call without having sent it.
  func fail(_ error: any TaxonomyError)
}

/// A call that was handed to a channel.
protocol SubmittedCall: AnyObject, Sendable {
  /// To be called on the channel's loop.
  func begin(on core: ChannelCore)
}

/// A unary call, which is attempted once or more. Lives on the channel's event loop while an attempt goes on, and with
/// its caller before and after.
final class UnaryClientCall<Request: Message, Response: Message, Failure: ErrorUnion>: ClientCall, AttemptedCall,
  DeadlineHolder,
  // Its mutable state is reached on the channel's loop alone while an attempt goes on, or by the caller while none does.
  @unchecked Sendable
{
  let plan: CallPlan
  private let request: Request
  // Written before the call is handed to the loop, and read there.
  @exclusivity(unchecked) var caller: UnsafeContinuation<Void, Never>?
  @exclusivity(unchecked) private var continuation: UnsafeContinuation<Void, Never>?
  @exclusivity(unchecked) private(set) var end = AttemptEnd()
  // Not an optional: the metadata of a generic one would be looked up with every use.
  /// The answer, once it has come.
  @exclusivity(unchecked) private var response: UnsafeMutablePointer<Response>?
  @exclusivity(unchecked) private var stream: ClientStream?
  /// The caller's task was cancelled.
  @exclusivity(unchecked) private var isCancelled = false
  /// Orders what the loop has written before what the caller reads. The continuation does that too, but the thread
  /// sanitizer does not see it when the continuation is resumed before the caller waits for it.
  private let hasEnded = Atomic<Bool>(false)
  @exclusivity(unchecked) var place: WaitingCalls.Place?
  @exclusivity(unchecked) var deadlineIndex = -1
  @exclusivity(unchecked) private var deadlines: DeadlineQueue?
  /// Where the attempt was made, which knows errors that the method does not declare.
  @exclusivity(unchecked) private var core: ChannelCore?
  @exclusivity(unchecked) private var permit: CircuitBreaker.Permit?
  /// The attempt before this one was refused.
  @exclusivity(unchecked) private var wasRefused = false

  init(_ plan: CallPlan, _ request: Request) {
    self.plan = plan
    self.request = request
  }

  deinit { dropResponse() }

  var error: (any TaxonomyError)? {
    _ = hasEnded.load(ordering: .acquiring)
    return end.error
  }

  /// Tells of the metadata, and hands out the answer. To be called once, when the call has succeeded.
  func takeResponse() -> Response {
    plan.options.onMetadata?(end.initial, end.trailing)
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

  func begin(on core: ChannelCore) {
    core.eventLoop.assertInEventLoop()
    if end.error != nil {
      wasRefused = end.refusal != nil
      end = AttemptEnd()
    }
    dropResponse()
    continuation = caller
    caller = nil
    self.core = core
    if isCancelled { return fail(RPCError.cancelled) }
    if let deadline = plan.deadline {
      deadlines = core.deadlines
      core.deadlines.add(self, at: deadline)
    }
    core.start(self)
  }

  func refuse(_ error: any TaxonomyError) {
    end = AttemptEnd(error: Failure.lift(error).fromCall())
  }

  var waitsForReady: Bool { plan.options.waitForReady }
  var isOver: Bool { continuation == nil }

  func admit(_ permit: consuming CircuitBreaker.Permit) {
    self.permit = consume permit
  }

  func send(on connection: ClientConnection) {
    connection.eventLoop.assertInEventLoop()
    guard continuation != nil else { return }
    let stream = ClientStream(
      call: self, takesManyMessages: false, maxMessageSize: connection.limits.maxMessageSize,
      maxHeaderListSize: connection.limits.maxHeaderListSize, cache: connection.headerCache)
    do throws(RPCError) {
      try stream.request(request, compression: plan.options.compression, for: connection.handler?.session)
    } catch {
      return fail(error)
    }
    self.stream = stream
    connection.open(
      stream,
      head: connection.heads.head(
        path: plan.path, timeout: plan.deadline.map { Duration($0 - connection.eventLoop.now) },
        metadata: plan.options.metadata,
        compression: plan.options.compression?.compression))
  }

  func cancel() {
    isCancelled = true
    abandon(RPCError.cancelled)
  }

  func deadlineExceeded() { abandon(CallError.DeadlineExceeded()) }

  /// Gives the call up, wherever it is.
  private func abandon(_ error: any TaxonomyError) {
    if let stream {
      // Ends the call, which then knows the stream no more.
      stream.abandon(error)
    } else {
      fail(error)
    }
  }

  // MARK: From the stream

  func receive(initial: Metadata) {
    end.initial = initial
    plan.options.onInitialMetadata?(initial)
  }

  func receive(
    _ message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
  ) throws(RPCError) -> KeptBytes {
    dropResponse()
    let memory = UnsafeMutablePointer<Response>.allocate(capacity: 1)
    do throws(RPCError) {
      memory.initialize(to: try Response.received(message))
    } catch {
      memory.deallocate()
      throw error
    }
    response = memory
    plan.options.onMessage?(isCompressed)
    return .none
  }

  func hasRoom() {}

  func receiveEnd(_ end: CallEnd) {
    switch end.outcome(of: plan.deadline, now: deadlines?.now ?? .now()) {
    // The stream has seen to it that a message came.
    case .success: finish(nil, end)
    case .status(let status): fail(status, end)
    case .failure(let error): finish(Failure.lift(error), end)
    }
  }

  // A function of its own, so that calls that succeed do not look its types up.
  @inline(never)
  private func fail(_ status: ReceivedStatus, _ end: CallEnd) {
    let received = Failure.received(status, registry: core?.knownErrors ?? .taxonErrors)
    finish(received.error, end, notes: received.notes)
  }

  func fail(_ error: any TaxonomyError) {
    finish(Failure.lift(error), CallEnd(outcome: .failure(error)))
  }

  private func finish(_ error: (any TaxonomyError)?, _ end: CallEnd, notes: [WireNote] = []) {
    guard let continuation else { return }
    self.continuation = nil
    if place != nil { leaveQueue() }
    deadlines?.remove(self)
    stream = nil
    self.end.trailing = end.trailing
    let permit = permit.take()
    if let error {
      // The caller's own cancellation is no answer of the server's.
      let error = isCancelled ? error : error.fromCall().with(initial: self.end.initial, trailing: end.trailing)
      permit?.settle(throwing: error, isNeutral: end.refusal != nil && !wasRefused)
      self.end.error = error
      self.end.refusal = end.refusal
      self.end.notes = notes
    } else {
      permit?.settle(.success)
    }
    hasEnded.store(true, ordering: .releasing)
    continuation.resume()
  }
}
