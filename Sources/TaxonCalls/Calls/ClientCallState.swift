// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonTransport

/// Where one call stands on the client, and what is to be done when something happens. No I/O.
struct ClientCallState {
  private enum Response {
    case head
    case messages(count: Int)
    case ended
  }

  /// True for a method that answers any number of messages.
  let takesManyMessages: Bool
  private var acceptsCompressed = false
  private var response = Response.head

  init(takesManyMessages: Bool) { self.takesManyMessages = takesManyMessages }

  /// What is to be done with a head or with trailers.
  enum HeadersAction {
    /// Hand the metadata on and wait for messages.
    case deliver
    /// The call has succeeded.
    case succeed
    /// The server ended the call with this failure.
    case end(ReceivedStatus)
    /// The call is over: the peer does not speak gRPC as it should. The stream is to be reset.
    case fail(ReceivedStatus)
    /// An interim answer (1xx), or something after the end.
    case ignore
  }

  /// A header block is complete.
  ///
  /// - Parameter truncation: Where in a message the body has ended; nil: between two, as it should.
  mutating func receivedHeaders(
    _ fields: borrowing ResponseFields, endStream: Bool, truncation: @autoclosure () -> String? = nil
  ) -> HeadersAction {
    switch response {
    case .head:
      if let status = fields.httpStatus, (100..<200).contains(status) { return .ignore }
      if endStream || fields.httpStatus != 200 || !fields.isGRPC { response = .ended }
      if let code = fields.code, endStream { return ended(code, fields, messages: 0, nil) }
      guard fields.httpStatus == 200 else {
        return .fail(fields.failure(httpStatus: fields.httpStatus ?? 0))
      }
      guard fields.isGRPC else {
        let server = fields.server.map { " (\($0) answered)" } ?? ""
        return .fail(
          ReceivedStatus(code: .unknown, message: "The answer's content-type is not application/grpc\(server)"))
      }
      if endStream { return .fail(ReceivedStatus(code: .unknown, message: "The answer has no grpc-status")) }
      acceptsCompressed = !fields.encoding.isEmpty && fields.encoding != "identity"
      if acceptsCompressed, Compression(rawValue: fields.encoding) == nil {
        response = .ended
        let message = "The answer's encoding \(fields.encoding) is not supported"
        return .fail(ReceivedStatus(code: .internalError, message: message))
      }
      response = .messages(count: 0)
      return .deliver
    case .messages(let count):
      response = .ended
      guard let code = fields.code else {
        return .fail(ReceivedStatus(code: .unknown, message: "The answer's trailers have no grpc-status"))
      }
      return ended(code, fields, messages: count, code == .ok ? truncation() : nil)
    case .ended: return .ignore
    }
  }

  private func ended(
    _ code: StatusCode, _ fields: borrowing ResponseFields, messages: Int, _ truncation: String?
  ) -> HeadersAction {
    guard code == .ok else { return .end(fields.failure(code)) }
    if let truncation {
      return .fail(ReceivedStatus(code: .internalError, message: "The answer is truncated: it ended \(truncation)"))
    }
    if messages == 1 || takesManyMessages { return .succeed }
    // gRPC's document on status codes, "Response cardinality violation".
    return .fail(
      ReceivedStatus(code: .unimplemented, message: "The method answers one message, and the answer ended without one"))
  }

  /// A message is complete. Nil: hand it on. Otherwise the call is over and the stream is to be reset.
  mutating func receivedMessage(isCompressed: Bool) -> ReceivedStatus? {
    guard case .messages(let count) = response else { return nil }
    if isCompressed, !acceptsCompressed {
      return fail("A message is marked as compressed, but the answer names no grpc-encoding")
    }
    if count > 0, !takesManyMessages {
      return fail("The method answers one message, and a second one came", .unimplemented)
    }
    response = .messages(count: count + 1)
    return nil
  }

  /// True until the head of the answer has come.
  var wantsHead: Bool {
    if case .head = response { true } else { false }
  }

  /// True while messages are wanted.
  var wantsMessages: Bool {
    if case .messages = response { true } else { false }
  }

  /// The body ended where trailers should be, inside a message where the truncation says. Nil: the call was over already.
  mutating func receivedEnd(truncation: @autoclosure () -> String? = nil) -> ReceivedStatus? {
    if case .ended = response { return nil }
    response = .ended
    if let truncation = truncation() {
      return ReceivedStatus(
        code: .internalError, message: "The answer is truncated: it ended \(truncation), and without trailers")
    }
    return ReceivedStatus(code: .unknown, message: "The answer ended without trailers")
  }

  /// Why a stream was closed before its answer was complete.
  enum Closing {
    /// The server reset it.
    case reset
    /// What the server sent breaks HTTP/2, and this end has reset the stream.
    case malformed(String?)
    /// It is known that the server did not process it.
    case unprocessed
  }

  /// The stream is gone. Nil: the call was over already. The numbers are those of the gRPC protocol document,
  /// "Errors", for HTTP/2 error codes.
  mutating func closed(errorCode: UInt32, _ closing: Closing) -> ReceivedStatus? {
    if case .ended = response { return nil }
    response = .ended
    let name = HTTP2ErrorCode.name(errorCode)
    switch closing {
    case .reset: return ReceivedStatus(resetWith: errorCode)
    case .malformed(let reason):
      return ReceivedStatus(code: .internalError, message: "The answer is malformed: \(reason ?? name)")
    case .unprocessed:
      return ReceivedStatus(
        code: .unavailable, message: "The server takes no more calls on this connection, and did not process this one")
    }
  }

  /// This end gave up. False: the call was over already.
  mutating func abandon() -> Bool {
    if case .ended = response { return false }
    response = .ended
    return true
  }

  private mutating func fail(_ message: String, _ code: StatusCode = .internalError) -> ReceivedStatus {
    response = .ended
    return ReceivedStatus(code: code, message: message)
  }
}

extension ReceivedStatus {
  /// What a stream that the server has reset stands for (gRPC over HTTP/2, "Errors").
  package init(resetWith errorCode: UInt32) {
    let code: StatusCode =
      switch HTTP2ErrorCode(rawValue: errorCode) {
      case .refusedStream: .unavailable
      case .cancel: .cancelled
      case .enhanceYourCalm: .resourceExhausted
      case .inadequateSecurity: .permissionDenied
      default: .internalError
      }
    self.init(code: code, message: "The server reset the stream: \(HTTP2ErrorCode.name(errorCode))")
  }
}
