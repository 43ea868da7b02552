// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// JSON as any client of HTTP speaks it: a message in, a message out, and the declared status of HTTP with OctoLLM's standard body,
/// or `application/problem+json` (RFC 9457), for an error. What no protocol takes is answered in this form, too, but to clients
/// that would take it for their own protocol's.
package enum PlainJSON: WireProtocol {
  package static let name = "json"
  package static var framing: BodyFraming { .whole }
  package static let acceptEncodingName = "accept-encoding"

  private static let okHead = HeaderBlock([.init(":status", "200"), .init("content-type", "application/json")])

  package static func head(_ answer: AnswerHead) -> HeaderBlock {
    if answer.isPlain { return okHead }
    var fields: [HeaderBlock.Field] = [.init(":status", "200"), .init("content-type", "application/json")]
    if let compression = answer.compression { fields.append(.init("content-encoding", compression.rawValue)) }
    fields += HeaderBlock.Field.fields(of: answer.initial)
    // Nothing can follow the one message; names that meet are values of one field.
    return HeaderBlock(fields + HeaderBlock.Field.fields(of: answer.trailing))
  }

  package static func finish(_ exchange: any HTTPExchange, _ trailing: Metadata) { exchange.finish(trailers: nil) }

  package static func failure(
    _ error: some TaxonomyError, _ request: borrowing RequestHead, _ options: WireOptions
  ) -> CallFailure {
    let body = ErrorBody(error, as: ErrorBody.Form(accept: request.metadata.list("accept")), options)
    var failure = CallFailure(
      httpStatus: body.httpStatus, body: body.json, contentType: body.contentType, retryAfter: body.retryAfter,
      identity: body.identity, instanceID: body.instanceID)
    failure.contentLanguage = body.contentLanguage
    failure.variesByLanguage = body.variesByLanguage
    return failure
  }

  package static func fail(_ exchange: any HTTPExchange, _ failure: CallFailure, _ answer: FailedAnswer) {
    exchange.answer(with: failure, answer, answer.trailing)
  }

  /// The message is the whole answer: no error comes after it.
  package static func finish(
    _ exchange: any HTTPExchange, _ failure: CallFailure, _ trailing: [HeaderBlock.Field]
  ) {
    exchange.reset(.internalError)
  }
}

/// An error as text, for clients of gRPC and Connect whose requests are no calls: they go by the status, and JSON would be to them
/// what their own protocol says.
enum PlainText: WireProtocol {
  static let name = "text"
  static var framing: BodyFraming { .whole }
  static let acceptEncodingName = "accept-encoding"

  /// Whether a request shows that it is meant for one of these protocols, or the server speaks none but them.
  static func suits(_ request: borrowing RequestHead, _ served: ServedProtocols) -> Bool {
    if served.isDisjoint(with: [.json, .rest]) { return true }
    if let wire = request.wire { return wire != PlainJSON.self }
    let type = request.contentType
    return type.hasPrefix("application/grpc") || type.hasPrefix("application/connect")
      || type.hasPrefix("application/proto")
      || request.metadata.first("connect-protocol-version") != nil
  }

  static func head(_ answer: AnswerHead) -> HeaderBlock { HeaderBlock([.init(":status", "200")]) }

  static func finish(_ exchange: any HTTPExchange, _ trailing: Metadata) { exchange.finish(trailers: nil) }

  static func failure(
    _ error: some TaxonomyError, _ request: borrowing RequestHead, _ options: WireOptions
  ) -> CallFailure {
    let body = ErrorBody(error)
    return CallFailure(
      httpStatus: body.httpStatus, body: Array("\(error.message)\n".utf8), contentType: "text/plain; charset=utf-8",
      retryAfter: body.retryAfter, identity: body.identity, instanceID: body.instanceID)
  }

  static func fail(_ exchange: any HTTPExchange, _ failure: CallFailure, _ answer: FailedAnswer) {
    exchange.answer(with: failure, answer)
  }

  static func finish(_ exchange: any HTTPExchange, _ failure: CallFailure, _ trailing: [HeaderBlock.Field]) {
    exchange.reset(.internalError)
  }
}
