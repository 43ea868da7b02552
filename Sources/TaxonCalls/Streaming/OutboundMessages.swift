// SPDX-License-Identifier: Apache-2.0
import DequeModule
import NIOCore
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// The messages that a call sends one after the other, from any thread. What cannot be handed to the stream at once waits
/// here, and a writer suspends while much is waiting: a slow reader at the other end bounds the memory at this one.
package final class OutboundMessages: Sendable {
  private typealias Writer = (continuation: UnsafeContinuation<Void, Never>, number: Int)

  private struct State: ~Copyable {
    /// Framed messages that have not reached the stream.
    var pending = OutboundBuffer()
    /// What has reached the stream, as long as it may have to be sent once more; see `rewind`.
    var sent = OutboundBuffer()
    var keepsSent: Bool
    /// How the messages are compressed, once one was written.
    var settings: CompressionSettings?
    /// A writer has the encoder; the others wait for their turn, in their order.
    var isEncoding = false
    var turns: Deque<UnsafeContinuation<Void, Never>> = []
    var isPumpScheduled = false
    var isFinished = false
    /// What is written goes nowhere: the peer wants no more.
    var isDropping = false
    var failure: (any TaxonomyError)?
    var writers: [Writer] = []
    var nextNumber = 0
    /// What the connection has to send, while there is a stream.
    var gauge: OutputGauge?
    /// Asked once, with the first message; nil when the call is over.
    var compression: (@Sendable () -> CompressionSettings?)?

    init(keepsSent: Bool, compression: @escaping @Sendable () -> CompressionSettings?) {
      self.keepsSent = keepsSent
      self.compression = compression
    }

    /// False: what is written goes nowhere.
    func isOpen() throws -> Bool {
      if let failure { throw failure }
      if isFinished, !isDropping {
        throw RPCError(.failedPrecondition, "A message was written after the end of the messages")
      }
      return !isDropping
    }

    /// True: the caller has the encoder until `endTurn`.
    mutating func takeTurn() -> Bool {
      defer { isEncoding = true }
      return !isEncoding
    }

    /// Returns who has the encoder next.
    mutating func endTurn() -> UnsafeContinuation<Void, Never>? {
      isEncoding = !turns.isEmpty
      return turns.popFirst()
    }
  }

  /// Encodes and compresses messages: that takes long, so it happens outside of the lock, which the event loop takes.
  // @unchecked: reached by the writer whose turn it is, or under the lock when it is nobody's.
  private final class Encoder: @unchecked Sendable {
    let codec: MessageCodec
    let framing: BodyFraming
    @exclusivity(unchecked) var framer: MessageFramer?
    @exclusivity(unchecked) var buffer = OutboundBuffer()

    init(codec: MessageCodec, framing: BodyFraming) {
      self.codec = codec
      self.framing = framing
    }

    func clear() {
      framer = nil
      buffer = OutboundBuffer()
    }
  }

  private let state: Locked<State>
  private let encoder: Encoder
  private let eventLoop: any EventLoop
  // nonisolated(unsafe), both: reached on the loop alone, which debug builds check, and let go of when the call is over.
  nonisolated(unsafe) private var stream: (any HTTPExchange)?
  nonisolated(unsafe) private var willSend: ((CompressionSettings?) -> Void)?
  /// Bytes that may wait for the stream before a writer does.
  private static let highWater = 64 * 1024
  /// Bytes that are kept to be sent once more.
  private static let maxSent = 64 * 1024

  /// Messages for a stream on the loop; nothing leaves before `attach`.
  ///
  /// - Parameters:
  ///   - codec: How messages are written.
  ///   - framing: How they lie in the body.
  ///   - mayRewind: What is sent is kept, up to 64 KiB, until `keepNothing` is called.
  ///   - compression: Asked once, on any thread, with the first message. Let go of when the call is over.
  package init(
    eventLoop: any EventLoop, codec: MessageCodec = .binary, framing: BodyFraming = .enveloped, mayRewind: Bool = false,
    compression: @escaping @Sendable () -> CompressionSettings?
  ) {
    encoder = Encoder(codec: codec, framing: framing)
    self.eventLoop = eventLoop
    state = Locked(State(keepsSent: mayRewind, compression: compression))
  }

  // MARK: For the writer

  /// Sends a message, and returns when there is room for another. Messages of several writers go in the order in which
  /// they were written.
  ///
  /// - Parameter compress: Whether this very message is compressed, if the call compresses at all; nil leaves it to
  ///   its size.
  /// - Throws: `CallError.MalformedMessage` when the message cannot be encoded; what ended the call, if it is over;
  ///   CANCELLED when the task is cancelled while it waits.
  package func write(_ message: some Message, compress: Bool? = nil) async throws {
    var isFull = false
    var hasTurn = false
    let isOpen = try state.withLock { state in
      guard try state.isOpen() else { return false }
      isFull = state.gauge?.isFull ?? false
      hasTurn = !isFull && state.takeTurn()
      return true
    }
    guard isOpen else { return }
    // A connection that holds too much takes no message of a stream that has something waiting.
    if isFull { try await waitForRoom(isFull: true) }
    if !hasTurn { await waitForTurn() }
    guard let waiting = try encode(message, compress) else { return }
    schedulePump()
    if waiting >= Self.highWater, state.withLock({ $0.pending.count >= Self.highWater }) { try await waitForRoom() }
  }

  private func waitForTurn() async {
    await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
      let hasTurn = state.withLock { state in
        if state.takeTurn() { return true }
        state.turns.append(continuation)
        return false
      }
      if hasTurn { continuation.resume() }
    }
  }

  /// Puts a message behind those that wait, and ends the turn.
  ///
  /// - Returns: How many bytes wait; nil: the message goes nowhere.
  private func encode(_ message: some Message, _ compress: Bool?) throws -> Int? {
    var next: UnsafeContinuation<Void, Never>?
    defer { next?.resume() }
    do {
      if encoder.framer == nil {
        let compression = state.withLock { exchange(&$0.compression, with: nil) }
        encoder.framer = MessageFramer(compression?(), codec: encoder.codec, framing: encoder.framing)
      }
      try encoder.framer?.append(message, compress: compress, to: &encoder.buffer)
    } catch {
      next = state.withLock { $0.endTurn() }
      throw error
    }
    return try state.withLock { state in
      next = state.endTurn()
      // The call may have ended meanwhile.
      do {
        guard try state.isOpen() else {
          encoder.clear()
          return nil
        }
      } catch {
        encoder.clear()
        throw error
      }
      state.settings = encoder.framer?.settings
      state.pending.append(contentsOf: &encoder.buffer)
      return state.pending.count
    }
  }

  /// No more messages come.
  package func finish() {
    state.withLock { $0.isFinished = true }
    schedulePump()
  }

  /// Waits until the stream has room.
  ///
  /// - Parameter isFull: Whether to wait for that though little waits here, because the connection holds too much.
  private func waitForRoom(isFull: Bool = false) async throws {
    let number = state.withLock { state in
      state.nextNumber += 1
      return state.nextNumber
    }
    await withTaskCancellationHandler {
      await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
        let isReady = state.withLock { state in
          let isWritable = state.pending.count < Self.highWater && !isFull
          if isWritable || state.failure != nil || state.isDropping || Task.isCancelled { return true }
          state.writers.append((continuation, number))
          return false
        }
        if isReady { continuation.resume() } else if isFull { schedulePump() }
      }
    } onCancel: {
      let continuation = state.withLock { state -> UnsafeContinuation<Void, Never>? in
        guard let index = state.writers.firstIndex(where: { $0.number == number }) else { return nil }
        return state.writers.remove(at: index).continuation
      }
      continuation?.resume()
    }
    if let failure = state.withLock({ $0.failure }) { throw failure }
    if Task.isCancelled { throw RPCError.cancelled }
  }

  private func schedulePump() {
    if eventLoop.inEventLoop { return pump() }
    let isFirst = state.withLock { state in
      defer { state.isPumpScheduled = true }
      return !state.isPumpScheduled
    }
    guard isFirst else { return }
    eventLoop.execute { [self] in
      state.withLock { $0.isPumpScheduled = false }
      pump()
    }
  }

  // MARK: On the loop

  /// There is a stream now: what waits goes there.
  ///
  /// - Parameter willSend: Called once, before the first message is handed to the stream.
  package func attach(_ stream: any HTTPExchange, willSend: ((CompressionSettings?) -> Void)? = nil) {
    eventLoop.assertInEventLoop()
    self.stream = stream
    self.willSend = willSend
    if let gauge = stream.ledger?.gauge { state.withLock { $0.gauge = gauge } }
    pump()
  }

  /// Hands what waits to the stream, if that has room. To be called when it has room again.
  package func pump() {
    eventLoop.assertInEventLoop()
    guard let stream, !stream.isFinished else { return }
    let (isFinished, writers, waiting) = state.withLock { state -> (Bool, [Writer], Int) in
      guard stream.isWritable || state.isFinished else { return (false, [], state.pending.count) }
      send(&state, stream)
      return (state.isFinished, exchange(&state.writers, with: []), 0)
    }
    stream.announce(waiting)
    if isFinished { stream.finish(trailers: nil) } else if !stream.isWritable { stream.notifyWhenWritable() }
    for writer in writers { writer.continuation.resume() }
  }

  private func send(_ state: inout State, _ stream: any HTTPExchange) {
    guard state.pending.count > 0 else { return }
    if let willSend {
      self.willSend = nil
      willSend(state.settings)
    }
    if state.keepsSent {
      state.keepsSent = state.sent.count + state.pending.count <= Self.maxSent
      if state.keepsSent { state.sent.append(copying: state.pending) } else { state.sent = OutboundBuffer() }
    }
    stream.send(contentsOf: &state.pending)
  }

  /// The peer has answered: nothing is going to be sent once more.
  package func keepNothing() {
    state.withLock { state in
      state.keepsSent = false
      state.sent = OutboundBuffer()
    }
  }

  /// Lets go of a stream that the peer did not process, and takes back what was handed to it, for the next one.
  ///
  /// - Returns: False when some of it is gone: it is more than is kept, and has begun to leave.
  package func rewind() -> Bool {
    eventLoop.assertInEventLoop()
    guard let stream else { return true }
    let isWhole = state.withLock { state in
      guard state.keepsSent || !stream.hasSentBody else { return false }
      var all = OutboundBuffer()
      if state.keepsSent { all.append(contentsOf: &state.sent) } else { stream.takeBack(into: &all) }
      all.append(contentsOf: &state.pending)
      state.pending = all
      state.gauge = nil
      return true
    }
    if isWhole {
      stream.announce(0)
      self.stream = nil
    }
    return isWhole
  }

  /// Hands all that waits to the stream, whose body the caller then ends.
  package func flushAll() {
    eventLoop.assertInEventLoop()
    guard let stream, !stream.isFinished else { return }
    state.withLock { send(&$0, stream) }
    stream.announce(0)
  }

  /// Lets go of a stream that has ended. What is written waits, until `drop` or `fail` says how the call ended.
  package func detach() {
    eventLoop.assertInEventLoop()
    stream?.announce(0)
    stream = nil
    state.withLock { $0.gauge = nil }
  }

  /// The call has ended well before all was sent: what is written from now on goes nowhere.
  package func drop() { end { $0.isDropping = true } }

  /// The call is over: who writes from now on, or waits, is told so.
  package func fail(_ error: any TaxonomyError) {
    end { if $0.failure == nil { $0.failure = error } }
  }

  /// Lets go of the stream and of what waits for it. A writer may be kept for long after its call.
  private func end(_ change: (inout State) -> Void) {
    eventLoop.assertInEventLoop()
    stream?.announce(0)
    stream = nil
    willSend = nil
    let writers = state.withLock { state in
      change(&state)
      state.pending = OutboundBuffer()
      state.sent = OutboundBuffer()
      state.keepsSent = false
      state.gauge = nil
      state.compression = nil
      if !state.isEncoding { encoder.clear() }
      return exchange(&state.writers, with: [])
    }
    for writer in writers { writer.continuation.resume() }
  }
}
