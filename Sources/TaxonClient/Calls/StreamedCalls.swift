// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf

/// A call with any number of requests and one answer.
///
/// ```swift
/// let call = client.upload()
/// for chunk in chunks { try await call.write(chunk) }
/// let summary = try await call.response()
/// ```
///
/// The call begins when it is made, before the first message is written.
///
/// It is cancelled when the task that waits for the answer is cancelled, by `cancel()`, and when nobody holds it any more.
/// Cancelling a task that waits in `write` ends that alone.
public struct ClientStreamingCall<Request: Message, Response: Message, Failure: ErrorUnion>: Sendable {
  private let requests: RequestSink<Request, Failure>
  private let responses: ResponseSource<Response, Failure>

  init(_ requests: RequestSink<Request, Failure>, _ responses: ResponseSource<Response, Failure>) {
    self.requests = requests
    self.responses = responses
  }

  /// Sends a message, and returns when there is room for another. Messages are dropped once the server has ended the
  /// call well without waiting for them.
  ///
  /// - Parameter compress: Whether this very message is compressed, if the call compresses at all; nil leaves it to
  ///   its size.
  /// - Throws: What the server ended the call with; CANCELLED.
  public func write(_ message: Request, compress: Bool? = nil) async throws(Failure) {
    try await requests.write(message, compress)
  }

  /// Sends messages in their order.
  public func write(contentsOf messages: some Sequence<Request>) async throws(Failure) {
    for message in messages { try await requests.write(message, nil) }
  }

  /// Says that all messages are sent, and waits for the answer.
  ///
  /// - Throws: What the call ended with; CANCELLED when the task is cancelled, which ends the call.
  public func response() async throws(Failure) -> Response {
    requests.finish()
    guard let response = try await responses.next() else {
      throw Failure.lift(RPCError(.failedPrecondition, "The answer has been read before"))
    }
    // The status comes after the message.
    _ = try await responses.next()
    return response
  }

  /// The metadata of the answer's head, as soon as it is there; many servers send it with the answer.
  ///
  /// - Throws: What the call ended with, if no head came; CANCELLED when the task is cancelled while it waits.
  public var initialMetadata: Metadata {
    get async throws(Failure) { try await responses.initialMetadata() }
  }

  /// The metadata of the answer's trailers; nil before the call is over.
  public var trailingMetadata: Metadata? { responses.head.trailing }

  /// Ends the call; a task that waits for it gets CANCELLED. Does nothing when all has been read.
  public func cancel() { responses.cancel() }
}

/// A call with any number of requests and of answers, which may come in any order.
///
/// ```swift
/// let call = client.chat()
/// try await call.write(hello)
/// for try await reply in call.responses { … }
/// ```
///
/// The call begins when it is made, before the first message is written.
///
/// It is cancelled when the task that reads the responses is cancelled, by `cancel()`, and when nobody holds it, or its
/// responses, any more. Cancelling a task that waits in `write` ends that alone: the answers may be another task's.
public struct BidirectionalCall<Request: Message, Response: Message, Failure: ErrorUnion>: Sendable {
  private let requests: RequestSink<Request, Failure>
  /// What the server answers.
  public let responses: ResponseStream<Response, Failure>

  init(_ requests: RequestSink<Request, Failure>, _ responses: ResponseStream<Response, Failure>) {
    self.requests = requests
    self.responses = responses
  }

  /// Sends a message, and returns when there is room for another. Messages are dropped once the server has ended the
  /// call well without waiting for them.
  ///
  /// - Parameter compress: Whether this very message is compressed, if the call compresses at all; nil leaves it to
  ///   its size.
  /// - Throws: What the server ended the call with; CANCELLED.
  public func write(_ message: Request, compress: Bool? = nil) async throws(Failure) {
    try await requests.write(message, compress)
  }

  /// Sends messages in their order.
  public func write(contentsOf messages: some Sequence<Request>) async throws(Failure) {
    for message in messages { try await requests.write(message, nil) }
  }

  /// The metadata of the answer's head, as soon as it is there: before the first message.
  ///
  /// - Throws: What the call ended with, if no head came; CANCELLED when the task is cancelled while it waits.
  public var initialMetadata: Metadata {
    get async throws(Failure) { try await responses.initialMetadata }
  }

  /// The metadata of the answer's trailers; nil before the call is over.
  public var trailingMetadata: Metadata? { responses.trailingMetadata }

  /// Says that all messages are sent; answers may still come.
  public func finish() { requests.finish() }

  /// Ends the call: no further message is handed out, and who waits gets CANCELLED. Nothing happens when all has been read.
  public func cancel() { responses.cancel() }
}

/// Where the messages of a request go.
struct RequestSink<Request: Message, Failure: ErrorUnion>: Sendable {
  let outbound: OutboundMessages
  let intercepted: InterceptedStream?

  func write(_ message: Request, _ compress: Bool?) async throws(Failure) {
    do {
      if let intercepted {
        try await outbound.write(try await intercepted.sending(message), compress: compress)
      } else {
        try await outbound.write(message, compress: compress)
      }
    } catch {
      throw Failure.lift(error)
    }
  }

  func finish() { outbound.finish() }
}
