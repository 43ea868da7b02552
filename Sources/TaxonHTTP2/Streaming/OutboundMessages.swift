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
    /// How the messages are compressed, once one was written.
    var settings: CompressionSettings?
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

    init(compression: @escaping @Sendable () -> CompressionSettings?) { self.compression = compression }

    /// False: what is written goes nowhere.
    func isOpen() throws -> Bool {
      if let failure { throw failure }
      if isFinished, !isDropping {
        throw UndeclaredError(.failedPrecondition, "A message was written after the end of the messages")
      }
      return !isDropping
    }
  }

  /// Where messages are encoded and compressed: that takes long, and the event loop never waits for it.
  private struct Encoding: ~Copyable {
    var framer: MessageFramer?
    var buffer = OutboundBuffer()
  }

  private let state: Locked<State>
  /// One writer at a time. Taken before the state, never inside.
  private let encoding: Locked<Encoding>
  private let eventLoop: any EventLoop
  // Reached on the loop alone, which debug builds check, and let go of when the call is over.
  nonisolated(unsafe) private var stream: HTTP2Stream?
  nonisolated(unsafe) private var willSend: ((CompressionSettings?) -> Void)?
  /// Bytes that may wait for the stream before a writer does.
  private static let highWater = 64 * 1024

  /// Messages for a stream on the loop; nothing leaves before `attach`.
  ///
  /// - Parameter compression: Asked once, on any thread, with the first message. Let go of when the call is over.
  public init(eventLoop: any EventLoop, compression: @escaping @Sendable () -> CompressionSettings?) {
    self.eventLoop = eventLoop
    state = Locked(State(compression: compression))
    encoding = Locked(Encoding())
  }

  // MARK: For the writer

  /// Sends a message, and returns when there is room for another.
  ///
  /// - Parameter compress: Whether this very message is compressed, if the call compresses at all; nil leaves it to
  ///   its size.
  /// - Throws: `CallError.MalformedMessage` when the message cannot be encoded; what ended the call, if it is over;
  ///   CANCELLED when the task is cancelled while it waits.
  public func write(_ message: some Message, compress: Bool? = nil) async throws {
    let start = try state.withLock { state in
      (isOpen: try state.isOpen(), isFull: state.gauge?.isFull ?? false)
    }
    guard start.isOpen else { return }
    // A connection that holds too much takes no message of a stream that has something waiting.
    if start.isFull { try await waitForRoom(isFull: true) }
    let waiting = try encoding.withLock { encoding -> Int? in
      if encoding.framer == nil {
        let compression = state.withLock { exchange(&$0.compression, with: nil) }
        encoding.framer = MessageFramer(compression?())
      }
      try encoding.framer?.append(message, compress: compress, to: &encoding.buffer)
      let settings = encoding.framer?.settings
      return try state.withLock { state in
        // The call may have ended meanwhile.
        guard try state.isOpen() else { return nil }
        state.settings = settings
        state.pending.append(contentsOf: &encoding.buffer)
        return state.pending.count
      }
    }
    guard let waiting else { return }
    schedulePump()
    if waiting >= Self.highWater, state.withLock({ $0.pending.count >= Self.highWater }) { try await waitForRoom() }
  }

  /// No more messages come.
  public func finish() {
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
          let hasRoom = state.pending.count < Self.highWater && !isFull
          if hasRoom || state.failure != nil || state.isDropping || Task.isCancelled { return true }
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
    eventLoop.assertInEventLoop()
    self.stream = stream
    self.willSend = willSend
    if let gauge = stream.session?.ledger.gauge { state.withLock { $0.gauge = gauge } }
    pump()
  }

  /// Hands what waits to the stream, if that has room. To be called when it has room again.
  public func pump() {
    eventLoop.assertInEventLoop()
    guard let stream, !stream.isOutboundFinished else { return }
    let (isFinished, writers, waiting) = state.withLock { state -> (Bool, [Writer], Int) in
      guard stream.hasRoom || state.isFinished else { return (false, [], state.pending.count) }
      send(&state, stream)
      return (state.isFinished, exchange(&state.writers, with: []), 0)
    }
    stream.announce(waiting)
    if isFinished { stream.finish(trailers: nil) } else if !stream.hasRoom { stream.needsRoom() }
    for writer in writers { writer.continuation.resume() }
  }

  private func send(_ state: inout State, _ stream: HTTP2Stream) {
    guard state.pending.count > 0 else { return }
    if let willSend {
      self.willSend = nil
      willSend(state.settings)
    }
    stream.send(contentsOf: &state.pending)
  }

  /// Hands all that waits to the stream, whose body the caller then ends.
  public func flushAll() {
    eventLoop.assertInEventLoop()
    guard let stream, !stream.isOutboundFinished else { return }
    state.withLock { send(&$0, stream) }
    stream.announce(0)
  }

  /// The call has ended well before all was sent: what is written from now on goes nowhere.
  public func drop() { end { $0.isDropping = true } }

  /// The call is over: who writes from now on, or waits, is told so.
  public func fail(_ error: any TaxonomyError) {
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
      state.gauge = nil
      state.compression = nil
      return exchange(&state.writers, with: [])
    }
    for writer in writers { writer.continuation.resume() }
  }
}
