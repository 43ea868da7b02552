// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// What a server does with the calls of one method. The stream calls the methods on the connection's event loop.
package protocol ServerMethod: AnyObject, Sendable {
  /// True when the request has any number of messages, false when it has one.
  var takesManyMessages: Bool { get }
  /// The call for a stream whose head is there; nil when it begins with its message.
  func begin(_ stream: ServerStream) -> (any ServerCall)?
  /// The call for a stream whose message is there, when it did not begin with the head; the pointer is good during the
  /// call. An error ends the call.
  ///
  /// - Returns: The call, and what its `receive` would return.
  func begin(
    _ stream: ServerStream, with message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
  ) throws(RPCError) -> (call: any ServerCall, kept: KeptBytes)
}

/// What a server does with one call. The stream calls the methods on the connection's event loop.
package protocol ServerCall: AnyObject {
  /// A message of the request; the pointer is good during the call. An error ends the call.
  ///
  /// - Parameter size: Bytes on the wire, the prefix included.
  /// - Returns: What the message keeps until it has been read.
  func receive(
    _ message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
  ) throws(RPCError) -> KeptBytes
  /// The request is complete.
  func receiveEnd()
  /// The peer is gone, has given up, or the deadline has passed: what the call would answer is no longer wanted.
  func cancel(_ error: RPCError)
  /// The exchange takes more of what the call has to send.
  func becameWritable()
}

/// The one who knows the methods and sees how calls end.
package protocol ServerRouter: AnyObject, Sendable {
  /// The method of a path, such as "/octollm.v1.Orchestrator/GetTask"; nil when the server has none.
  func method(_ path: String) -> (any ServerMethod)?
  /// A call failed before, or without, a handler.
  func failed(_ error: any TaxonomyError, status: WireStatus, path: String)
}

/// What a server allows one call.
public struct ServerCallLimits: Sendable {
  /// Bytes of one message of a request, as it comes and after it is decompressed.
  public var maxMessageSize = 4 * 1024 * 1024
  /// Bytes of a request's headers, each field counted with 32 on top.
  public var maxHeaderListSize = 16 * 1024
  /// Bytes of the trailers that carry an error, counted in the same way, with all that goes with them; see
  /// `WireOptions.budget`.
  public var maxTrailersSize = WireStatus.defaultBudget
  /// Which errors carry details that Taxon derives.
  public var details = WireOptions.Details.all
  /// Whether an error before any message is one frame or two.
  public var framing = WireOptions.Framing.bySchema
  /// Half of a stream's window.
  package var creditStep = 32 * 1024
  /// How replies are compressed for callers that accept it; nil: only those for which a handler asks.
  public var compression: CompressionSettings?

  /// The values above.
  public init() {}

  /// How errors are sent.
  ///
  /// - Parameters:
  ///   - trailing: What the handler sends with them.
  ///   - isSplit: The head of the reply goes before in any case, so the error need not fit one frame.
  package func errors(with trailing: [HeaderBlock.Field] = [], isSplit: Bool = false) -> WireOptions {
    var options = WireOptions(budget: maxTrailersSize)
    options.details = details
    options.framing = isSplit ? .split : framing
    if !trailing.isEmpty { options.reserved = HeaderBlock.Field.byteCount(trailing) + 32 * trailing.count }
    return options
  }
}

/// Guards what is small and short, of several owners. It has a value because the thread sanitizer takes empty ones for
/// races.
package typealias SharedLock = Locked<UInt>

/// Who is at the other end of a connection, and what the contexts of its calls share with it: one object, since to copy
/// the parts for each call costs 200 instructions.
package final class ConnectionPeer: Sendable {
  /// The address, as gRPC names peers.
  package let address: String
  /// Whether TLS is in use.
  package let isEncrypted: Bool
  /// What the peer has shown of itself.
  package let certificate: PeerCertificate?
  /// Guards the contexts of the connection's calls.
  package let lock = SharedLock(0)

  /// A peer of which all is known.
  package init(address: String, isEncrypted: Bool = false, certificate: PeerCertificate? = nil) {
    self.address = address
    self.isEncrypted = isEncrypted
    self.certificate = certificate
  }
}

/// What the streams of one connection have in common. Lives on the connection's event loop.
package final class ServerStreamContext {
  /// Runs what calls do on the connection's loop.
  package let executor: LoopExecutor
  // Other modules reach it by way of a function: code of their own would check each access.
  @exclusivity(unchecked) private var other: ConnectionPeer
  /// Who knows the methods.
  package let router: any ServerRouter
  /// What one call may do.
  package let limits: ServerCallLimits
  /// Runs the handlers of the connection's calls.
  package let tasks: HandlerTasks
  /// What came before on the connection.
  package let headerCache: HeaderCache
  // The same, for what is done once a field.
  let unownedCache: Unmanaged<HeaderCache>
  /// When the connection's calls have to be over.
  let deadlines: DeadlineQueue
  @exclusivity(unchecked) private var last: (path: String, method: any ServerMethod)?
  /// What the connection holds for its peer.
  package let ledger: ConnectionLedger
  /// Bytes of messages that are read before the peer is told of them: with small windows and bounds it waits for that.
  package var creditStep: Int { min(32 * 1024, limits.creditStep, max(1, ledger.streamLimit / 4)) }
  /// Called when a call has to wait.
  @exclusivity(unchecked) package var isFull: (() -> Void)?
  /// Called with the name of the limit when a call is ended because all connections together hold too much.
  @exclusivity(unchecked) package var shedsCall: ((String) -> Void)?

  @exclusivity(unchecked) private var alive = 0
  @exclusivity(unchecked) private var waiting: [WaitingCall] = []

  /// What the streams of a connection share.
  package init(
    executor: LoopExecutor, peer: String, router: any ServerRouter, limits: ServerCallLimits,
    ledger: ConnectionLedger = ConnectionLedger()
  ) {
    self.ledger = ledger
    self.executor = executor
    other = ConnectionPeer(address: peer)
    self.router = router
    self.limits = limits
    tasks = HandlerTasks(executor)
    headerCache = HeaderCache()
    unownedCache = .passUnretained(headerCache)
    deadlines = DeadlineQueue(executor.eventLoop)
  }

  /// What does the calls of a path. Most calls of a connection are to the method of the one before.
  func method(_ path: String) -> (any ServerMethod)? {
    if let last, last.path == path { return last.method }
    guard let method = router.method(path) else { return nil }
    last = (path, method)
    return method
  }

  /// Who calls.
  package var peer: ConnectionPeer { other }

  /// TLS is in use, and this is what the peer has shown of itself.
  package func encrypted(_ certificate: PeerCertificate?) {
    other = ConnectionPeer(address: other.address, isEncrypted: true, certificate: certificate)
  }

  /// How many calls there are, those included whose stream is gone and whose handler still runs.
  package var aliveCalls: Int { alive }

  func streamBegan() { alive += 1 }
  func streamEnded() { alive -= 1 }

  /// True when calls wait to be started.
  package var hasWaiting: Bool { !waiting.isEmpty }

  /// Calls `start` when there is room for the reply of another call, unless the call ends before.
  func wait(_ stream: ServerStream, _ start: @escaping () -> Void) {
    isFull?()
    stream.exchange.waitsForStart = true
    waiting.append(WaitingCall(stream: stream, start: start))
    waitForOthers()
  }

  /// Starts the calls that wait, as many as there is room for. Those that came first go first.
  package func wakeWaiting() {
    guard !waiting.isEmpty else { return }
    let calls = waiting
    waiting = []
    for call in calls where call.stream.isReplying {
      if call.stream.exchange.mustWaitToStart {
        waiting.append(call)
      } else {
        call.stream.exchange.waitsForStart = false
        call.start()
      }
    }
    waitForOthers()
  }

  /// Calls that wait for other connections are woken by those. The connection's own room is told by `drained`; the others, who
  /// have room, would say so at once, again and again.
  private func waitForOthers() {
    guard let call = waiting.first, !call.stream.exchange.isConnectionFull else { return }
    ledger.waitForShared()
  }

  /// The call is over before it was started.
  func forgetWaiting(_ stream: ServerStream) {
    guard !waiting.isEmpty else { return }
    waiting.removeAll { $0.stream === stream }
    stream.exchange.waitsForStart = false
  }
}

/// A call that waits to be started. Not a tuple: a closure in a tuple is wrapped anew each time it is put into an array,
/// and calls that have waited long would have a chain of wrappers as deep as the stack.
private struct WaitingCall {
  let stream: ServerStream
  let start: () -> Void
}
