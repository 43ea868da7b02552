// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonTransport

/// How a server writes the answers of calls on HTTP: what heads and ends look like, how messages lie in bodies, and how an error
/// is told. Each protocol is a type without instances, in a file of its own; `ProtocolChoice` finds it by the head of a request.
package protocol WireProtocol: SendableMetatype {
  /// The protocol's name in logs, such as "grpc" or "connect".
  static var name: String { get }
  /// How messages lie in the bodies of requests and answers.
  static var framing: BodyFraming { get }
  /// The header that names the encodings that the server can take apart.
  static var acceptEncodingName: String { get }
  /// Whether a request that cannot be read is the caller's fault, INVALID_ARGUMENT, as Connect and HTTP have it; gRPC has INTERNAL.
  static var blamesCaller: Bool { get }

  /// The head of an answer that has messages.
  static func head(_ answer: AnswerHead) -> HeaderBlock
  /// Ends the body of an answer, when the call has succeeded.
  static func finish(_ exchange: any HTTPExchange, _ trailing: Metadata)

  /// What of an error leaves.
  static func failure(_ error: some TaxonomyError, _ request: borrowing RequestHead, _ options: WireOptions)
    -> CallFailure
  /// Answers with an error, when no head is out.
  static func fail(_ exchange: any HTTPExchange, _ failure: CallFailure, _ answer: FailedAnswer)
  /// Ends the body of an answer whose head is out with an error.
  static func finish(_ exchange: any HTTPExchange, _ failure: CallFailure, _ trailing: [HeaderBlock.Field])
  /// What is sent in place of a head, or of trailers, that is larger than can be sent; nil resets the exchange.
  static func substitute(for failure: CallFailure, isHead: Bool) -> HeaderBlock?
}

extension WireProtocol {
  /// As in the middle of a body: with a head that says nothing of the error, and the body's end.
  package static func fail(_ exchange: any HTTPExchange, _ failure: CallFailure, _ answer: FailedAnswer) {
    finish(exchange, failure, answer.trailing)
    exchange.sendHead(
      head(AnswerHead(initial: answer.initial, trailing: Metadata(), compression: nil, codec: answer.codec)))
  }
}

/// What the head of an answer depends on.
package struct AnswerHead {
  /// The handler's initial metadata.
  let initial: Metadata
  /// The handler's trailing metadata, when it is known by then: of an answer with one message.
  let trailing: Metadata
  /// How messages are compressed; of a body that is the message, how that is. Nil: not at all.
  let compression: Compression?
  /// How messages are written.
  let codec: MessageCodec

  /// The head has nothing of this very answer: it can be the same for all.
  var isPlain: Bool { initial.isEmpty && trailing.isEmpty && compression == nil }
}

/// What of an error leaves, in the form of the call's protocol.
package struct CallFailure: Sendable {
  /// Names this occurrence, at the caller and in the log.
  package let instanceID: String
  /// The request's id, for the log; nil where it has none.
  package internal(set) var requestID: String?
  /// What was left out for lack of room, for the log.
  package let dropped: [String]
  /// The error as gRPC's trailers say it; nil where the body says it.
  let status: WireStatus?
  /// The status of HTTP, where the body says it.
  let httpStatus: Int
  /// The error as a body says it.
  let body: [UInt8]
  /// The media type of the body.
  let contentType: String
  /// For `retry-after`: whole seconds.
  let retryAfter: Int64?
  /// For `content-language`, where the body is not in English.
  var contentLanguage: String?
  /// Whether the body depends on `accept-language`.
  var variesByLanguage = false
  /// Domain and code, where neither body nor trailers have both.
  let identity: ErrorIdentity?

  /// An error that trailers say.
  init(_ status: WireStatus) {
    self.status = status
    instanceID = status.instanceID
    dropped = status.dropped
    retryAfter = status.retryAfter
    httpStatus = 200
    body = []
    contentType = ""
    identity = nil
  }

  /// An error that a body says.
  init(
    httpStatus: Int, body: [UInt8], contentType: String, retryAfter: Int64?, identity: ErrorIdentity? = nil,
    instanceID: String, dropped: [String] = []
  ) {
    self.identity = identity
    status = nil
    self.instanceID = instanceID
    self.dropped = dropped
    self.httpStatus = httpStatus
    self.body = body
    self.contentType = contentType
    self.retryAfter = retryAfter
  }
}

/// What goes with an error that answers a call.
package struct FailedAnswer {
  /// For the head.
  let initial: Metadata
  /// For the end.
  let trailing: [HeaderBlock.Field]
  /// How the call's messages are written.
  let codec: MessageCodec
  /// HEAD: the answer has no body.
  let isBodiless: Bool
}

extension WireProtocol {
  /// As all have it but gRPC and gRPC-Web.
  package static var blamesCaller: Bool { true }

  /// Most protocols have no trailers, and an error is in the body.
  package static func substitute(for failure: CallFailure, isHead: Bool) -> HeaderBlock? {
    isHead ? HeaderBlock([.init(":status", "\(failure.httpStatus)")]) : nil
  }
}
