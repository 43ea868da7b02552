// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonTransport

/// Where one call stands on the server, and what is to be done when something happens. No I/O: the stream that owns
/// the state carries out what it answers.
struct ServerCallState {
  /// The request's side.
  private enum Request {
    case head
    case messages(count: Int)
    case ended
  }

  /// The reply's side.
  private enum Reply {
    case nothing
    case headSent
    case finished
  }

  /// True for a method that takes any number of messages.
  var takesManyMessages = false
  private var acceptsCompressed = false
  private var request = Request.head
  private var reply = Reply.nothing

  /// The head of the reply is out.
  var hasSentHead: Bool { reply == .headSent }

  /// What is to be done with a head.
  enum HeadAction: Equatable {
    /// Look up the method and begin the call.
    case begin
    /// End the call with an error.
    case fail(Fault)
    /// It is the trailers, which a request does not have.
    case ignore
  }

  /// What a peer can do wrong.
  enum Fault: Equatable {
    case headersTooLarge(size: Int, limit: Int)
    case invalidTimeout(String)
    case unsupportedEncoding(String)
    case compressedWithoutEncoding
    case tooManyMessages
    case noMessage
    case truncatedMessage(String)
    case invalidBase64
    case invalidFlag(UInt8)
    case messageTooLarge(size: Int, limit: Int)
  }

  /// The request's headers are complete. The size limit counts bytes as `RequestHead.size` does.
  // Nothing of the head is changed: only so is it not copied.
  mutating func receivedHead(_ head: inout RequestHead, sizeLimit: Int) -> HeadAction {
    guard case .head = request else { return .ignore }
    request = .messages(count: 0)
    guard head.size <= sizeLimit else { return .fail(.headersTooLarge(size: head.size, limit: sizeLimit)) }
    if let text = head.invalidTimeout { return .fail(.invalidTimeout(text)) }
    acceptsCompressed = !head.encoding.isEmpty && head.encoding != "identity"
    if acceptsCompressed, head.compression == nil { return .fail(.unsupportedEncoding(head.encoding)) }
    return .begin
  }

  /// The head is complete, and the request is answered without a call.
  mutating func refuse(hasEnded: Bool) { request = hasEnded ? .ended : .messages(count: 0) }

  /// True until the head is complete.
  var wantsHead: Bool {
    if case .head = request { true } else { false }
  }

  /// What is to be done with a message.
  enum MessageAction: Equatable {
    case deliver
    case fail(Fault)
    /// The call is over on this side; what still comes is dropped.
    case ignore
  }

  /// A message is complete.
  mutating func receivedMessage(isCompressed: Bool) -> MessageAction {
    guard case .messages(let count) = request, reply != .finished else { return .ignore }
    if isCompressed, !acceptsCompressed { return .fail(.compressedWithoutEncoding) }
    if count > 0, !takesManyMessages { return .fail(.tooManyMessages) }
    request = .messages(count: count + 1)
    return .deliver
  }

  /// What is to be done when the peer has said all.
  enum EndAction: Equatable {
    case invoke
    case fail(Fault)
    case ignore
  }

  /// The request is complete; the truncation says where in a message it ended, and is nil when it ended between two.
  mutating func receivedEnd(truncation: @autoclosure () -> String?) -> EndAction {
    guard case .messages(let count) = request, reply != .finished else { return .ignore }
    request = .ended
    if let truncation = truncation() { return .fail(.truncatedMessage(truncation)) }
    return count == 0 && !takesManyMessages ? .fail(.noMessage) : .invoke
  }

  /// What the call may do next with its reply.
  enum ReplyAction: Equatable {
    /// Send a head, and then what was to be sent.
    case sendHead
    /// The head is out: go on.
    case goOn
    /// The reply is over.
    case ignore
  }

  /// The call wants to send a message.
  mutating func sendMessage() -> ReplyAction {
    switch reply {
    case .nothing:
      reply = .headSent
      return .sendHead
    case .headSent: return .goOn
    case .finished: return .ignore
    }
  }

  /// The call ends, well or with an error. `sendHead` stands for headers alone, which are head and trailers at once.
  mutating func finish() -> ReplyAction {
    defer { reply = .finished }
    switch reply {
    case .nothing: return .sendHead
    case .headSent: return .goOn
    case .finished: return .ignore
    }
  }

  /// True while the reply goes on.
  var isReplying: Bool { reply != .finished }

  /// True when the peer may still be sending after the reply is over: the stream is then to be reset with NO_ERROR, so
  /// that it stops (RFC 9113 §8.1).
  var wantsReset: Bool {
    if case .ended = request { return false }
    return reply == .finished
  }

  /// The stream is gone. True when the call was still going on and has to be cancelled.
  mutating func closed() -> Bool {
    defer {
      request = .ended
      reply = .finished
    }
    return reply != .finished
  }
}

extension ServerCallState.Fault {
  /// What the peer did wrong, for the peer.
  var reason: String {
    switch self {
    case .headersTooLarge(let size, let limit): "headers of \(size) bytes are over the limit of \(limit) bytes"
    case .invalidTimeout(let text):
      "grpc-timeout \"\(text)\" is not 1 to 8 digits and one of the units H, M, S, m, u, n"
    case .unsupportedEncoding(let encoding): "encoding \(encoding) is not supported"
    case .compressedWithoutEncoding: "a message is marked as compressed, but the call names no encoding"
    case .tooManyMessages: "the method takes one message, and a second one came"
    case .noMessage: "the method takes one message, and the request ended without one"
    case .truncatedMessage(let place): "the request is truncated: it ended \(place)"
    case .invalidBase64: "the body is not Base64"
    case .invalidFlag(let flag): "the prefix of a message begins with \(flag); it must be 0 or 1"
    case .messageTooLarge(let size, let limit): "a message of \(size) bytes is over the limit of \(limit) bytes"
    }
  }

  /// The error with which the call ends.
  var error: any TaxonomyError {
    switch self {
    case .messageTooLarge(let size, let limit): CallError.MessageTooLarge(size: Int64(size), limit: Int64(limit))
    case .unsupportedEncoding(let encoding):
      CallError.UnsupportedEncoding(
        encoding: encoding, supported: Compression.allCases.map(\.rawValue) + ["identity"])
    case .headersTooLarge(let size, let limit):
      CallError.HeadersTooLarge(what: "The request's header block", size: Int64(size), limit: Int64(limit))
    case .tooManyMessages, .noMessage: CallError.WrongMessageCount(reason: reason)
    default: CallError.ProtocolViolation(reason: reason)
    }
  }

  /// The same where a request that cannot be read is the caller's fault. A compressed message without an encoding is INTERNAL on every
  /// road (gRPC's compression document; Connect's suite asks for it, too).
  var callerError: any TaxonomyError {
    if case .compressedWithoutEncoding = self { return error }
    return RPCError.lift(error).asCallerFault
  }

  /// What goes with the error: which encodings would do (gRPC compression document; RFC 9110 §15.5.16).
  func fields(_ wire: any WireProtocol.Type) -> [(name: String, value: String)] {
    guard case .unsupportedEncoding = self else { return [] }
    return [(wire.acceptEncodingName, Compression.acceptedHere)]
  }
}
