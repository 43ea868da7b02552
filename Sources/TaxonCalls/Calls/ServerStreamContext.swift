// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonProtobuf
import TaxonTransport

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
  /// How calls may be written.
  let protocols: CallProtocols
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
    protocols: CallProtocols = CallProtocols(), ledger: ConnectionLedger = ConnectionLedger()
  ) {
    self.protocols = protocols
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
