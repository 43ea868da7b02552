// SPDX-License-Identifier: Apache-2.0
import DequeModule
import NIOCore
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// The messages of a stream that have come and that nobody has read yet. The connection puts them in on its event loop;
/// one task at a time takes them out, on any thread.
///
/// The peer is told to go on only as messages are taken: what waits here is bounded by the stream's window, and by the
/// connection's ledger for messages that are larger here than on the wire.
package final class InboundMessages<Element: Sendable, Failure: ErrorUnion>: Sendable {
  private enum End {
    case finished
    case failed(Failure)
  }

  private struct State {
    var messages: Deque<(message: Element, kept: KeptBytes)> = []
    /// The most messages that waited.
    var peak = 0
    var end: End?
    /// The reader, and the number by which its cancellation knows it.
    var reader: (continuation: UnsafeContinuation<Bool, Never>, number: Int)?
    var nextNumber = 0
    /// The reader has been told of the end.
    var isEndRead = false
    /// What has been taken and the peer has not been told of.
    var taken = KeptBytes.none
    var credit: (@Sendable (KeptBytes) -> Void)?

    mutating func takeReader() -> UnsafeContinuation<Bool, Never>? {
      defer { reader = nil }
      return reader?.continuation
    }
  }

  private let state: Locked<State>
  private let cancelled: @Sendable () -> Void
  private let creditStep: Int
  /// Places of the list that are kept when no message waits.
  private static var keptPlaces: Int { 256 }

  /// No messages yet.
  ///
  /// - Parameters:
  ///   - creditStep: Bytes that are taken before the peer is told of them.
  ///   - credit: Called, on any thread, with what the messages kept that have been taken out. Let go of when the stream is
  ///     of no more use.
  ///   - cancelled: Called, on any thread, when a task is cancelled that waits for a message.
  package init(
    creditStep: Int = 32 * 1024, credit: @escaping @Sendable (KeptBytes) -> Void,
    cancelled: @escaping @Sendable () -> Void = {}
  ) {
    self.creditStep = creditStep
    state = Locked(State(credit: credit))
    self.cancelled = cancelled
  }

  /// What a message of so many bytes keeps that took `size` bytes on the wire. An empty one takes a place in the list, too.
  package func kept(byteCount: Int, size: Int) -> KeptBytes {
    KeptBytes(window: size, memory: byteCount + 2 * MemoryLayout<(Element, KeptBytes)>.stride)
  }

  // MARK: From the connection

  /// A message has come. False: the messages have ended, and nobody wants it.
  @discardableResult
  package func append(_ message: Element, kept: KeptBytes) -> Bool {
    let (isTaken, reader) = state.withLock { state -> (Bool, UnsafeContinuation<Bool, Never>?) in
      guard state.end == nil else { return (false, nil) }
      state.messages.append((message, kept))
      state.peak = max(state.peak, state.messages.count)
      return (true, state.takeReader())
    }
    reader?.resume(returning: true)
    return isTaken
  }

  /// No more messages come; those that are there are still read.
  package func finish() { end(.finished) }

  /// The stream has failed; those messages that are there are still read.
  package func fail(_ error: Failure) { end(.failed(error)) }

  /// The stream is of no more use: what is there is thrown away, and a good end that was not read yet with it.
  package func abandon(_ error: Failure) {
    let (reader, messages) = state.withLock {
      state -> (UnsafeContinuation<Bool, Never>?, Deque<(message: Element, kept: KeptBytes)>) in
      state.end = .failed(error)
      state.credit = nil
      return (state.takeReader(), exchange(&state.messages, with: []))
    }
    // Freed outside of the lock.
    _ = messages
    reader?.resume(returning: true)
  }

  /// The reader gives up: what is there is thrown away, and `error` is the end, unless the reader knows another one.
  package func discard(_ error: Failure) {
    let (reader, messages) = state.withLock {
      state -> (UnsafeContinuation<Bool, Never>?, Deque<(message: Element, kept: KeptBytes)>) in
      guard !state.isEndRead else { return (nil, []) }
      state.end = .failed(error)
      return (state.takeReader(), exchange(&state.messages, with: []))
    }
    // Freed outside of the lock.
    _ = messages
    reader?.resume(returning: true)
  }

  private func end(_ end: End) {
    let reader = state.withLock { state -> UnsafeContinuation<Bool, Never>? in
      guard state.end == nil else { return nil }
      state.end = end
      return state.takeReader()
    }
    reader?.resume(returning: true)
  }

  // MARK: For the reader

  private enum Step {
    case message(Element, credit: (body: @Sendable (KeptBytes) -> Void, kept: KeptBytes)?)
    case end
    case failure(Failure)
    case wait
  }

  private func step(takes: Bool = true) -> Step {
    state.withLock { state in
      if let first = state.messages.first {
        guard takes else { return .message(first.message, credit: nil) }
        state.messages.removeFirst()
        if state.messages.isEmpty, state.peak > Self.keptPlaces {
          state.messages = []
          state.peak = 0
        }
        state.taken.window += first.kept.window
        state.taken.memory += first.kept.memory
        guard max(state.taken.window, state.taken.memory) >= creditStep, let credit = state.credit else {
          return .message(first.message, credit: nil)
        }
        defer { state.taken = .none }
        return .message(first.message, credit: (credit, state.taken))
      }
      state.isEndRead = takes && state.end != nil
      return switch state.end {
      case nil: .wait
      case .finished: .end
      case .failed(let error): .failure(error)
      }
    }
  }

  /// The next message, or nil at the end.
  ///
  /// - Throws: What ended the stream; CANCELLED when the task is cancelled while it waits, and FAILED_PRECONDITION when
  ///   another task waits already.
  package func next() async throws(Failure) -> Element? {
    while true {
      switch step() {
      case .message(let message, let credit):
        if let credit { credit.body(credit.kept) }
        return message
      case .end: return nil
      case .failure(let error): throw error
      case .wait: try await wait()
      }
    }
  }

  /// Returns when the first message is there, or the end.
  ///
  /// - Throws: As `next` does.
  package func first() async throws(Failure) {
    while true {
      switch step(takes: false) {
      case .message, .end: return
      case .failure(let error): throw error
      case .wait: try await wait()
      }
    }
  }

  private func wait() async throws(Failure) {
    if Task.isCancelled {
      cancelled()
      throw Failure.lift(RPCError.cancelled)
    }
    let number = state.withLock { state in
      state.nextNumber += 1
      return state.nextNumber
    }
    let isAlone = await withTaskCancellationHandler {
      await withUnsafeContinuation { (continuation: UnsafeContinuation<Bool, Never>) in
        let isAlone = state.withLock { state -> Bool? in
          if state.reader != nil { return false }
          // Something may have come since, or the cancellation.
          if !state.messages.isEmpty || state.end != nil || Task.isCancelled { return true }
          state.reader = (continuation, number)
          return nil
        }
        if let isAlone { continuation.resume(returning: isAlone) }
      }
    } onCancel: {
      state.withLock { state in state.reader?.number == number ? state.takeReader() : nil }?.resume(returning: true)
    }
    if !isAlone {
      throw Failure.lift(RPCError(.failedPrecondition, "Two tasks read the messages of one call at once"))
    }
  }
}

/// What a message keeps until it has been read.
package struct KeptBytes: Sendable, Equatable {
  /// Bytes of the stream's window: what came on the wire.
  package var window: Int
  /// Bytes of memory: the decoded message, and its place in a list.
  package var memory: Int

  /// What a message keeps that waits.
  package init(window: Int, memory: Int) {
    self.window = window
    self.memory = memory
  }

  /// Nothing: the message does not wait.
  package static let none = KeptBytes(window: 0, memory: 0)
}

/// A message that came, and how.
package struct ReceivedMessage<Content: Sendable>: Sendable {
  /// The message.
  package let content: Content
  /// True when it was compressed on the wire.
  package let isCompressed: Bool

  /// A message that came.
  package init(_ content: Content, isCompressed: Bool) {
    self.content = content
    self.isCompressed = isCompressed
  }
}
