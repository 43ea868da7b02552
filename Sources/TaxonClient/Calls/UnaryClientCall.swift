// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonErrors
import TaxonHTTP2
import TaxonProtobuf
import TaxonResilience

/// A call that an endpoint can send when it has a connection, whatever its types.
protocol PendingCall: AnyObject {
  /// The call waits when no server can be reached, instead of failing at once.
  var waitsForReady: Bool { get }
  /// The call has ended, and nobody need wait for it any more.
  var isOver: Bool { get }
  /// Takes the leave of a server's circuit breaker, to be settled with the outcome. Comes before `send`, when the
  /// server that was picked has a breaker of its own.
  func admit(_ permit: consuming CircuitBreaker.Permit)
  /// Opens the stream on a session that can take it. To be called on the endpoint's loop.
  func send(on connection: ClientConnection)
  /// Ends the call without having sent it.
  func fail(_ error: any TaxonomyError)
}

/// A call that was handed to an endpoint.
protocol SubmittedCall: AnyObject, Sendable {
  /// To be called on the endpoint's loop.
  func begin(on endpoint: Endpoint)
}

/// One attempt of a unary call. Lives on the endpoint's event loop, but for its making and for `abandon`.
// Its mutable state is reached on the endpoint's loop alone.
final class UnaryClientCall<Request: Message, Response: Message, Failure: ErrorUnion>: ClientCall, PendingCall,
  SubmittedCall,
  @unchecked Sendable
{
  private let method: MethodDescriptor<Request, Response, Failure>
  private let request: Request
  private let options: CallOptions
  private let deadline: NIODeadline?
  @exclusivity(unchecked) private var continuation: CheckedContinuation<AttemptResult<Response, Failure>, Never>?
  // Written before the call is handed to the loop, and read there.
  @exclusivity(unchecked) private var caller: CheckedContinuation<AttemptResult<Response, Failure>, Never>?
  @exclusivity(unchecked) private var stream: ClientStream?
  @exclusivity(unchecked) private var initial = Metadata()
  @exclusivity(unchecked) private var response: Response?
  /// The caller's task was cancelled.
  @exclusivity(unchecked) private var isCancelled = false
  @exclusivity(unchecked) private var timer: Scheduled<Void>?
  private var permit: CircuitBreaker.Permit?

  init(
    _ method: MethodDescriptor<Request, Response, Failure>, _ request: Request, options: CallOptions,
    deadline: NIODeadline?
  ) {
    self.method = method
    self.request = request
    self.options = options
    self.deadline = deadline
  }

  /// Sends the call through the endpoint and waits for its end; a cancelled task gives the call up.
  func run(on endpoint: Endpoint) async -> AttemptResult<Response, Failure> {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        self.caller = continuation
        endpoint.submit(self)
      }
    } onCancel: {
      endpoint.execute { self.cancel() }
    }
  }

  func begin(on endpoint: Endpoint) {
    continuation = caller
    caller = nil
    if isCancelled { return fail(UndeclaredError.cancelled) }
    if let deadline {
      timer = endpoint.schedule(deadline) { self.abandon(CallError.DeadlineExceeded()) }
    }
    endpoint.start(self)
  }

  var waitsForReady: Bool { options.waitForReady }
  var isOver: Bool { continuation == nil }

  func admit(_ permit: consuming CircuitBreaker.Permit) {
    self.permit = consume permit
  }

  func send(on connection: ClientConnection) {
    guard continuation != nil else { return }
    let stream = ClientStream(
      call: self, takesManyMessages: false, maxMessageSize: connection.limits.maxMessageSize,
      maxHeaderListSize: connection.limits.maxHeaderListSize)
    do throws(UndeclaredError) {
      try stream.request(request, compression: options.compression)
    } catch {
      return fail(error)
    }
    self.stream = stream
    let timeout = deadline.map { Duration($0 - .now()) }
    connection.open(
      stream,
      head: connection.head(
        path: method.path, timeout: timeout, metadata: options.metadata, compression: options.compression?.compression))
  }

  private func cancel() {
    isCancelled = true
    abandon(UndeclaredError.cancelled)
  }

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
    self.initial = initial
  }

  func receive(
    _ message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
  ) throws(UndeclaredError) -> Int {
    response = try Response.received(message)
    options.onMessage?(isCompressed)
    return 0
  }

  func hasRoom() {}

  func receiveEnd(_ end: CallEnd) {
    switch end.outcome {
    case .success:
      // The stream has seen to it that a message came.
      if let response { finish(.success(response), end) }
    case .status(let status):
      let received = Failure.received(status)
      finish(.failure(received.error), end, notes: received.notes)
    case .failure(let error): finish(.failure(Failure.lift(error)), end)
    }
  }

  func fail(_ error: any TaxonomyError) {
    finish(.failure(Failure.lift(error)), CallEnd(outcome: .failure(error)))
  }

  private func finish(_ outcome: Result<Response, Failure>, _ end: CallEnd, notes: [WireNote] = []) {
    let continuation = continuation
    self.continuation = nil
    timer?.cancel()
    timer = nil
    stream = nil
    // The caller's own cancellation is no answer of the server's.
    let outcome = outcome.mapError { isCancelled ? $0 : $0.fromCall() }
    if let permit = permit.take() {
      switch outcome {
      case .success: permit.settle(.success)
      case .failure(let error): permit.settle(throwing: error)
      }
    }
    continuation?.resume(
      returning: AttemptResult(
        outcome: outcome, initial: initial, trailing: end.trailing, isRefused: end.isRefused, notes: notes))
  }
}
