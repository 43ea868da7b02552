// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonHTTP2
import TaxonProtobuf

/// The messages of an answer, as they come. One task reads them, once; what it has not read bounds what the server may
/// send.
///
/// The call is cancelled when nobody holds the stream, or an iterator of it, any more.
public struct ResponseStream<Element: Message, Failure: ErrorUnion>: AsyncSequence, Sendable {
  private let source: ResponseSource<Element, Failure>

  init(_ source: ResponseSource<Element, Failure>) { self.source = source }

  /// Messages from somewhere else, for tests that call without a server; an error comes after them.
  public init(_ messages: some Sequence<Element>, throwing error: Failure? = nil) {
    let inbound = InboundMessages<ReceivedMessage<Element>, Failure>(credit: { _ in })
    for message in messages { inbound.append(ReceivedMessage(message, isCompressed: false), kept: .none) }
    if let error { inbound.fail(error) } else { inbound.finish() }
    source = ResponseSource(running: inbound, CallHandle {})
  }

  /// Reads the messages.
  public struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let source: ResponseSource<Element, Failure>

    /// The next message, or nil when the call has ended well.
    ///
    /// - Throws: What the call ended with.
    public mutating func next() async throws(Failure) -> Element? { try await source.next() }

    /// The next message, or nil when the call has ended well.
    ///
    /// - Throws: What the call ended with.
    public mutating func next(isolation actor: isolated (any Actor)?) async throws(Failure) -> Element? {
      try await source.next()
    }
  }

  /// Begins, or goes on, to read.
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: source) }

  /// Ends the call; who reads gets CANCELLED. Nothing happens when it is over.
  public func cancel() { source.cancel() }
}

/// Cancels a call when nobody holds it any more.
final class CallHandle: Sendable {
  let cancel: @Sendable () -> Void

  init(cancel: @escaping @Sendable () -> Void) { self.cancel = cancel }

  deinit { cancel() }
}

/// Where the messages of an answer come from: a call that is there, or one that begins with the first read.
final class ResponseSource<Element: Message, Failure: ErrorUnion>: Sendable {
  typealias Messages = InboundMessages<ReceivedMessage<Element>, Failure>

  private enum Phase {
    case idle(@Sendable () async throws(Failure) -> (Messages, CallHandle))
    case beginning
    case running(Messages, CallHandle)
    case ended(Failure)
  }

  private let phase: Locked<Phase>
  private let onMessage: (@Sendable (Bool) -> Void)?

  init(
    onMessage: (@Sendable (Bool) -> Void)?,
    begin: @escaping @Sendable () async throws(Failure) -> (Messages, CallHandle)
  ) {
    phase = Locked(.idle(begin))
    self.onMessage = onMessage
  }

  init(running messages: Messages, _ handle: CallHandle, onMessage: (@Sendable (Bool) -> Void)? = nil) {
    phase = Locked(.running(messages, handle))
    self.onMessage = onMessage
  }

  func next() async throws(Failure) -> Element? {
    let messages = try await messages()
    guard let message = try await messages.next() else { return nil }
    onMessage?(message.isCompressed)
    return message.content
  }

  private func messages() async throws(Failure) -> Messages {
    let now = phase.withLock { phase in
      defer { if case .idle = phase { phase = .beginning } }
      return phase
    }
    switch now {
    case .running(let messages, _): return messages
    case .ended(let error): throw error
    case .beginning:
      throw Failure.lift(UndeclaredError(.failedPrecondition, "Two tasks read the messages of one call at once"))
    case .idle(let begin):
      do throws(Failure) {
        let (messages, handle) = try await begin()
        try phase.withLock { (phase) throws(Failure) in
          // It may have been cancelled meanwhile; the handle, let go of, cancels the call.
          if case .ended(let error) = phase { throw error }
          phase = .running(messages, handle)
        }
        return messages
      } catch {
        phase.withLock { $0 = .ended(error) }
        throw error
      }
    }
  }

  func cancel() {
    let handle = phase.withLock { phase -> CallHandle? in
      switch phase {
      case .running(_, let handle): return handle
      case .idle, .beginning:
        phase = .ended(Failure.lift(UndeclaredError.cancelled))
        return nil
      case .ended: return nil
      }
    }
    handle?.cancel()
  }
}
