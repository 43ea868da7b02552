// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// Decides which attempts of a channel's calls fail on purpose. Asked below retry and circuit breaker, when an attempt has its
/// permit and a connection, so that both take the failure for one of the server's.
package protocol AttemptFaults: Sendable {
  /// What happens to an attempt; nil: nothing. Called on the channel's loop; must not block.
  func fault(for attempt: AttemptDescription) -> AttemptFault?
}

/// An attempt that is about to be sent.
package struct AttemptDescription: Sendable {
  /// The method's path.
  package let path: String
  /// What travels with the request.
  package let metadata: Metadata
  /// The server, as gRPC names peers.
  package let peer: String
  /// What the method declares.
  package let declared: any ErrorUnion.Type
}

/// What happens to one attempt on purpose: a pause, a failure, or first the one and then the other.
// @unchecked: what is not `let` is reached on the channel's loop alone.
package final class AttemptFault: @unchecked Sendable {
  /// How the attempt fails.
  package enum End: Sendable {
    /// As if the server had ended it with this status.
    case status(ReceivedStatus)
    /// The stream or the connection breaks.
    case connection(ConnectionFault)
  }

  let end: End?
  let delay: Duration
  /// How many messages of the answer come before; nil: the attempt is not sent.
  private(set) var messages: Int?
  private let sleep: @Sendable (Duration) async throws -> Void
  private var finished: (@Sendable () -> Void)?
  private var pause: Task<Void, Never>?
  weak var connection: ClientConnection?

  /// A fault for one attempt.
  ///
  /// - Parameters:
  ///   - delay: How long the attempt waits before anything else happens to it.
  ///   - messages: Of an answer with any number of messages, how many come before the end; nil: the attempt is not sent.
  ///   - sleep: Waits on the injector's clock.
  ///   - finished: Called once, when the fault has had its effect or the attempt is over.
  package init(
    _ end: End?, delay: Duration, messages: Int?, sleep: @escaping @Sendable (Duration) async throws -> Void,
    finished: @escaping @Sendable () -> Void
  ) {
    self.end = end
    self.delay = delay
    self.messages = messages
    self.sleep = sleep
    self.finished = finished
  }

  /// Calls the body when the delay is over, unless the fault has finished before.
  func wait(_ body: @escaping @Sendable () -> Void) {
    pause = Task { [sleep, delay] in
      // A sleep that was cancelled belongs to an attempt that is over.
      guard (try? await sleep(delay)) != nil else { return }
      body()
    }
  }

  /// A message has come. True: the attempt breaks behind it.
  func breaksBehindMessage() -> Bool {
    guard let left = messages else { return false }
    messages = left - 1
    return left == 1
  }

  /// The fault has had its effect, or the attempt is over.
  func finish() {
    pause?.cancel()
    pause = nil
    finished.take()?()
  }
}

extension Attempt {
  /// Lets the attempt fail, or wait, as the fault says.
  ///
  /// - Returns: True: it is not sent, or not yet.
  func suffer(_ fault: AttemptFault, on connection: ClientConnection) -> Bool {
    self.fault = fault
    fault.connection = connection
    guard fault.delay > .zero else { return fail(by: fault) }
    fault.wait { [self] in
      dispatcher.execute { [self] in
        guard !isOver, let connection = fault.connection else { return loseConnection() }
        if !fail(by: fault) { transmit(on: connection) }
      }
    }
    return true
  }

  /// The connection has gone while the attempt waited: it was not sent.
  private func loseConnection() {
    guard !isOver else { return }
    finish(
      CallEnd(
        error: ConnectionError.CallRefused(
          endpoint: dispatcher.target.description, reason: "the connection to it was closed"), refusal: .unprocessed))
  }

  /// True: the attempt has failed. False: it is to be sent; the fault may wait for messages of the answer.
  private func fail(by fault: AttemptFault) -> Bool {
    guard let end = fault.end else {
      fault.finish()
      return false
    }
    if fault.messages != nil, takesManyMessages { return false }
    breakOff(end, on: fault.connection)
    return true
  }

  /// A message of the answer has been handed on, of an attempt that may break behind it.
  func breakIfDue(_ fault: AttemptFault) {
    guard let end = fault.end, fault.breaksBehindMessage() else { return }
    breakOff(end, on: fault.connection)
  }

  /// Ends the attempt as the fault says. What was sent of it is reset.
  private func breakOff(_ end: AttemptFault.End, on connection: ClientConnection?) {
    switch end {
    case .status(let status):
      let limit = dispatcher.configuration.limits.maxHeaderListSize
      // As `ClientStream` does with headers that are too large.
      let size = (status.details?.count ?? 0) * 4 / 3 + status.message.utf8.count
      if size > limit {
        let text = "Response headers of \(size) bytes are over the limit of \(limit) bytes"
        return fail(injected: CallEnd(error: RPCError(.resourceExhausted, text)))
      }
      let (error, notes) = error(for: status)
      fail(injected: CallEnd(error: error, notes: notes))
    case .connection(.reset(let code)):
      let (error, notes) = error(for: ReceivedStatus(resetWith: code.rawValue))
      let isRefused = code == .refusedStream && stream == nil
      fail(injected: CallEnd(error: error, refusal: isRefused ? .refusedStream : nil, notes: notes))
    case .connection(.goAway):
      let error = connection?.unprocessedError() ?? RPCError(.unavailable, "The server takes no more calls")
      connection?.beginShutdown()
      fail(injected: CallEnd(error: error, refusal: stream == nil ? .unprocessed : nil))
    case .connection(.close):
      let reason = "closed by an injected fault"
      let error = connection?.lost(reason) as (any TaxonomyError)? ?? RPCError(.unavailable, reason)
      fail(injected: CallEnd(error: error))
      // Not inside of what the connection is reading.
      dispatcher.eventLoop.assumeIsolated().execute { connection?.close(reason: reason) }
    }
  }

  private func fail(injected end: CallEnd) {
    var end = end
    end.error?.context.isInjected = true
    if let stream, let error = end.error { return stream.abandon(error) }
    finish(end)
  }
}
