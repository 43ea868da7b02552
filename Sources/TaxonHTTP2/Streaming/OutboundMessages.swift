// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonErrors
import TaxonProtobuf

/// The messages that a call sends one after the other, from any thread. What cannot be handed to the stream at once waits
/// here, and a writer suspends while much is waiting: a slow reader at the other end bounds the memory at this one.
public final class OutboundMessages: Sendable {
  private typealias Writer = (continuation: UnsafeContinuation<Void, Never>, number: Int)

  private struct State: ~Copyable {
    /// Framed messages that have not reached the stream.
    var pending = OutboundBuffer()
    /// What has reached the stream, as long as it may have to be sent once more; see `rewind`.
    var sent = OutboundBuffer()
    var keepsSent: Bool
    var framer: MessageFramer?
    var isPumpScheduled = false
    var isFinished = false
    /// What is written goes nowhere: the peer wants no more.
    var isDropping = false
    var failure: (any TaxonomyError)?
    var writers: [Writer] = []
    var nextNumber = 0

    init(keepsSent: Bool) { self.keepsSent = keepsSent }
  }

  private let state: Locked<State>
  private let eventLoop: any EventLoop
  // Reached on the loop alone, and let go of when the call is over.
  nonisolated(unsafe) private var stream: HTTP2Stream?
  nonisolated(unsafe) private var willSend: ((CompressionSettings?) -> Void)?
  private let compression: @Sendable () -> CompressionSettings?
  /// Bytes that may wait for the stream before a writer does.
  private static let highWater = 64 * 1024
  /// Bytes that are kept to be sent once more.
  private static let maxSent = 64 * 1024

  /// Messages for a stream on the loop; nothing leaves before `attach`.
  ///
  /// - Parameters:
  ///   - mayRewind: What is sent is kept, up to 64 KiB, until `keepNothing` is called.
  ///   - compression: Asked once, on any thread, with the first message.
  public init(
    eventLoop: any EventLoop, mayRewind: Bool = false, compression: @escaping @Sendable () -> CompressionSettings?
  ) {
    self.eventLoop = eventLoop
    self.compression = compression
    state = Locked(State(keepsSent: mayRewind))
  }

  // MARK: For the writer

  /// Sends a message, and returns when there is room for another.
  ///
  /// - Parameter compress: Whether this very message is compressed, if the call compresses at all; nil leaves it to
  ///   its size.
  /// - Throws: `CallError.MalformedMessage` when the message cannot be encoded; what ended the call, if it is over;
  ///   CANCELLED when the task is cancelled while it waits.
  public func write(_ message: some Message, compress: Bool? = nil) async throws {
    try state.withLock { state in
      if let failure = state.failure { throw failure }
      if state.isFinished, !state.isDropping {
        throw UndeclaredError(.failedPrecondition, "A message was written after the end of the messages")
      }
      if state.isDropping { return }
      if state.framer == nil { state.framer = MessageFramer(compression()) }
      try state.framer?.append(message, compress: compress, to: &state.pending)
    }
    schedulePump()
    if state.withLock({ $0.pending.count >= Self.highWater }) { try await waitForRoom() }
  }

  /// No more messages come.
  public func finish() {
    state.withLock { $0.isFinished = true }
    schedulePump()
  }

  private func waitForRoom() async throws {
    let number = state.withLock { state in
      state.nextNumber += 1
      return state.nextNumber
    }
    await withTaskCancellationHandler {
      await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
        let isReady = state.withLock { state in
          if state.pending.count < Self.highWater || state.failure != nil || Task.isCancelled { return true }
          state.writers.append((continuation, number))
          return false
        }
        if isReady { continuation.resume() }
      }
    } onCancel: {
      let continuation = state.withLock { state -> UnsafeContinuation<Void, Never>? in
        guard let index = state.writers.firstIndex(where: { $0.number == number }) else { return nil }
        return state.writers.remove(at: index).continuation
      }
      continuation?.resume()
    }
    if let failure = state.withLock({ $0.failure }) { throw failure }
    if Task.isCancelled { throw UndeclaredError.cancelled }
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
  public func attach(_ stream: HTTP2Stream, willSend: ((CompressionSettings?) -> Void)? = nil) {
    self.stream = stream
    self.willSend = willSend
    pump()
  }

  /// Hands what waits to the stream, if that has room. To be called when it has room again.
  public func pump() {
    guard let stream, !stream.isOutboundFinished else { return }
    let (isFinished, writers) = state.withLock { state -> (Bool, [Writer]) in
      guard stream.hasRoom || state.isFinished else { return (false, []) }
      send(&state, stream)
      defer { state.writers = [] }
      return (state.isFinished, state.writers)
    }
    if isFinished { stream.finish(trailers: nil) } else if !stream.hasRoom { stream.needsRoom() }
    for writer in writers { writer.continuation.resume() }
  }

  private func send(_ state: inout State, _ stream: HTTP2Stream) {
    guard state.pending.count > 0 else { return }
    if let willSend {
      self.willSend = nil
      willSend(state.framer?.settings)
    }
    if state.keepsSent {
      state.keepsSent = state.sent.count + state.pending.count <= Self.maxSent
      if state.keepsSent { state.sent.append(copying: state.pending) } else { state.sent = OutboundBuffer() }
    }
    stream.send(contentsOf: &state.pending)
  }

  /// The peer has answered: nothing is going to be sent once more.
  public func keepNothing() {
    state.withLock { state in
      state.keepsSent = false
      state.sent = OutboundBuffer()
    }
  }

  /// Lets go of a stream that the peer did not process, and takes back what was handed to it, for the next one.
  ///
  /// - Returns: False when some of it is gone: it is more than is kept, and has begun to leave.
  public func rewind() -> Bool {
    guard let stream else { return true }
    let isWhole = state.withLock { state in
      guard state.keepsSent || !stream.hasSentBody else { return false }
      var all = OutboundBuffer()
      if state.keepsSent { all.append(contentsOf: &state.sent) } else { all.append(contentsOf: &stream.outbound) }
      all.append(contentsOf: &state.pending)
      state.pending = all
      return true
    }
    if isWhole { self.stream = nil }
    return isWhole
  }

  /// Hands all that waits to the stream, whose body the caller then ends.
  public func flushAll() {
    guard let stream, !stream.isOutboundFinished else { return }
    state.withLock { send(&$0, stream) }
  }

  /// The call has ended well before all was sent: what is written from now on goes nowhere.
  public func drop() {
    stream = nil
    let writers = state.withLock { state in
      state.isDropping = true
      state.pending = OutboundBuffer()
      defer { state.writers = [] }
      return state.writers
    }
    for writer in writers { writer.continuation.resume() }
  }

  /// The call is over: who writes from now on, or waits, is told so.
  public func fail(_ error: any TaxonomyError) {
    stream = nil
    let writers = state.withLock { state in
      if state.failure == nil { state.failure = error }
      state.pending = OutboundBuffer()
      defer { state.writers = [] }
      return state.writers
    }
    for writer in writers { writer.continuation.resume() }
  }
}
