// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf

/// The messages of an answer, as they come. One task reads them, once; what it has not read bounds what the server may
/// send.
///
/// The call of a method that streams its answers alone begins when the first message, or `initialMetadata`, is asked for; of
/// one that streams both ways, when it is made.
///
/// The call is cancelled when the task that reads is cancelled, by `cancel()`, and when nobody holds the stream, or an
/// iterator of it, any more. Messages that wait to be read are not handed out then: the reader gets CANCELLED.
public struct ResponseStream<Element: Message, Failure: ErrorUnion>: AsyncSequence, Sendable {
  private let source: ResponseSource<Element, Failure>

  init(_ source: ResponseSource<Element, Failure>) { self.source = source }

  /// Messages from somewhere else, for tests that call without a server; an error comes after them.
  public init(_ messages: some Sequence<Element>, throwing error: Failure? = nil) {
    let inbound = InboundMessages<ReceivedMessage<Element>, Failure>(credit: { _ in })
    for message in messages { inbound.append(ReceivedMessage(message, isCompressed: false), kept: .none) }
    if let error { inbound.fail(error) } else { inbound.finish() }
    let head = ResponseHead<Failure>()
    head.receive(Metadata())
    head.end(error, initial: Metadata(), trailing: Metadata())
    source = ResponseSource(head, running: inbound, CallHandle {})
  }

  /// Reads the messages.
  public struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let source: ResponseSource<Element, Failure>

    /// The next message, or nil when the call has ended well.
    ///
    /// - Throws: What the call ended with; CANCELLED when the task is cancelled, which ends the call.
    public mutating func next() async throws(Failure) -> Element? { try await source.next() }

    /// The next message, or nil when the call has ended well.
    ///
    /// - Throws: What the call ended with; CANCELLED when the task is cancelled, which ends the call.
    public mutating func next(isolation actor: isolated (any Actor)?) async throws(Failure) -> Element? {
      try await source.next()
    }
  }

  /// Begins, or goes on, to read.
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: source) }

  /// The metadata of the answer's head, as soon as it is there: before the first message. Asking begins the call, if
  /// nothing has been read yet, and it is not repeated any more once its head is known.
  ///
  /// - Throws: What the call ended with, if no head came; CANCELLED when the task is cancelled while it waits, which does
  ///   not end the call.
  public var initialMetadata: Metadata {
    get async throws(Failure) { try await source.initialMetadata() }
  }

  /// The metadata of the answer's trailers; nil before the call is over. The messages have all come by then, but need not
  /// have been read.
  public var trailingMetadata: Metadata? { source.head.trailing }

  /// Ends the call: no further message is handed out, and who reads gets CANCELLED. Nothing happens when all has been read.
  public func cancel() { source.cancel() }
}

/// Cancels a call when nobody holds it any more.
final class CallHandle: Sendable {
  let cancel: @Sendable () -> Void

  init(cancel: @escaping @Sendable () -> Void) { self.cancel = cancel }

  deinit { cancel() }
}

/// Where the messages of an answer come from: a call that is there, or one that begins when somebody wants to read.
final class ResponseSource<Element: Message, Failure: ErrorUnion>: Sendable {
  typealias Messages = InboundMessages<ReceivedMessage<Element>, Failure>
  typealias Running = (messages: Messages, handle: CallHandle)

  private enum Phase {
    case idle(@Sendable () async throws(Failure) -> Running)
    /// A task of its own, so that `cancel` reaches it wherever it waits.
    case beginning(Task<Result<Running, Failure>, Never>, hasReader: Bool)
    case running(Running)
    case ended(Failure)
  }

  let head: ResponseHead<Failure>
  private let phase: Locked<Phase>
  private let onMessage: (@Sendable (Bool) -> Void)?

  init(
    _ head: ResponseHead<Failure>, onMessage: (@Sendable (Bool) -> Void)?,
    begin: @escaping @Sendable () async throws(Failure) -> Running
  ) {
    self.head = head
    phase = Locked(.idle(begin))
    self.onMessage = onMessage
  }

  init(
    _ head: ResponseHead<Failure>, running messages: Messages, _ handle: CallHandle,
    onMessage: (@Sendable (Bool) -> Void)? = nil
  ) {
    self.head = head
    phase = Locked(.running((messages, handle)))
    self.onMessage = onMessage
  }

  deinit {
    if case .beginning(let task, _) = phase.withLock({ $0 }) { task.cancel() }
  }

  func next() async throws(Failure) -> Element? {
    // Messages that come faster than they are read would keep the reader from ever waiting, and from noticing.
    if Task.isCancelled { cancel() }
    let messages = try await messages()
    guard let message = try await messages.next() else { return nil }
    onMessage?(message.isCompressed)
    return message.content
  }

  func initialMetadata() async throws(Failure) -> Metadata {
    _ = begin(reads: false)
    return try await head.metadata()
  }

  /// Begins the call, if that has not happened.
  private func begin(reads: Bool) -> Phase {
    phase.withLock { phase in
      switch phase {
      case .idle(let begin):
        let task = Task(executorPreference: callersExecutor) { () -> Result<Running, Failure> in
          do throws(Failure) { return .success(try await begin()) } catch { return .failure(error) }
        }
        phase = .beginning(task, hasReader: reads)
        return .beginning(task, hasReader: false)
      case .beginning(let task, let hasReader):
        phase = .beginning(task, hasReader: hasReader || reads)
        return .beginning(task, hasReader: hasReader)
      case .running, .ended: return phase
      }
    }
  }

  private func messages() async throws(Failure) -> Messages {
    switch begin(reads: true) {
    case .running(let running): return running.messages
    case .ended(let error): throw error
    case .beginning(_, hasReader: true):
      throw Failure.lift(RPCError(.failedPrecondition, "Two tasks read the messages of one call at once"))
    case .beginning(let task, hasReader: false):
      let result = await withTaskCancellationHandler {
        await task.value
      } onCancel: {
        task.cancel()
      }
      return try phase.withLock { (phase) throws(Failure) in
        // It may have been cancelled meanwhile; releasing the handle cancels the call.
        if case .ended(let error) = phase { throw error }
        switch result {
        case .success(let running):
          phase = .running(running)
          return running.messages
        case .failure(let error):
          phase = .ended(error)
          throw error
        }
      }
    // `begin` leaves nothing idle.
    case .idle: throw Failure.lift(RPCError.cancelled)
    }
  }

  func cancel() {
    let error = Failure.lift(RPCError.cancelled)
    let before = phase.withLock { phase in
      defer {
        switch phase {
        case .idle, .beginning: phase = .ended(error)
        case .running, .ended: break
        }
      }
      return phase
    }
    switch before {
    case .idle: head.end(error, initial: Metadata(), trailing: Metadata())
    case .beginning(let task, _): task.cancel()
    case .running(let running):
      running.messages.discard(error)
      running.handle.cancel()
    case .ended: break
    }
  }
}

/// Where the task that calls prefers to run; nil where that cannot be known. A task that works for another one does not
/// inherit it, and would change threads.
var callersExecutor: (any TaskExecutor)? {
  #if compiler(>=6.3)
  if #available(macOS 26.4, *) { return withUnsafeCurrentTask { $0?.unownedTaskExecutor?.asTaskExecutor() } }
  #endif
  return nil
}
