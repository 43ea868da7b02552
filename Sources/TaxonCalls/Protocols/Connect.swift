// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// Unary calls of the Connect protocol, version 1 (https://connectrpc.com/docs/protocol): the bodies are the messages, an error is
/// a status of HTTP with JSON, and trailing metadata are headers with a prefix.
package enum ConnectUnary: WireProtocol {
  package static let name = "connect"
  package static var framing: BodyFraming { .whole }
  package static let acceptEncodingName = "accept-encoding"

  private static let okHead = HeaderBlock([.init(":status", "200"), .init("content-type", "application/proto")])
  private static let okJSONHead = HeaderBlock([.init(":status", "200"), .init("content-type", "application/json")])

  package static func head(_ answer: AnswerHead) -> HeaderBlock {
    if answer.isPlain { return if case .binary = answer.codec { okHead } else { okJSONHead } }
    var fields: [HeaderBlock.Field] = [
      .init(":status", "200"), .init("content-type", Connect.contentType(answer.codec, "application/")),
    ]
    if let compression = answer.compression { fields.append(.init("content-encoding", compression.rawValue)) }
    fields += HeaderBlock.Field.fields(of: answer.initial)
    return HeaderBlock(fields + HeaderBlock.Field.fields(of: answer.trailing).map(\.asTrailer))
  }

  package static func finish(_ exchange: any HTTPExchange, _ trailing: Metadata) { exchange.finish(trailers: nil) }

  package static func failure(
    _ error: some TaxonomyError, _ request: borrowing RequestHead, _ options: WireOptions
  ) -> CallFailure {
    Connect.failure(error, options)
  }

  package static func fail(_ exchange: any HTTPExchange, _ failure: CallFailure, _ answer: FailedAnswer) {
    exchange.answer(with: failure, answer, answer.trailing.map(\.asTrailer))
  }

  /// The message is the whole answer: no error comes after it.
  package static func finish(
    _ exchange: any HTTPExchange, _ failure: CallFailure, _ trailing: [HeaderBlock.Field]
  ) {
    exchange.reset(.internalError)
  }
}

/// Streams of the Connect protocol: messages in envelopes, and a last one that says how the call has ended.
package enum ConnectStreaming: WireProtocol {
  package static let name = "connect"
  package static var framing: BodyFraming { .enveloped }
  package static let acceptEncodingName = "connect-accept-encoding"

  package static func head(_ answer: AnswerHead) -> HeaderBlock {
    var fields: [HeaderBlock.Field] = [
      .init(":status", "200"), .init("content-type", Connect.contentType(answer.codec, "application/connect+")),
    ]
    if let compression = answer.compression { fields.append(.init("connect-content-encoding", compression.rawValue)) }
    return HeaderBlock(fields + HeaderBlock.Field.fields(of: answer.initial))
  }

  package static func finish(_ exchange: any HTTPExchange, _ trailing: Metadata) {
    finish(exchange, error: nil, HeaderBlock.Field.fields(of: trailing))
  }

  package static func failure(
    _ error: some TaxonomyError, _ request: borrowing RequestHead, _ options: WireOptions
  ) -> CallFailure {
    Connect.failure(error, options)
  }

  package static func finish(
    _ exchange: any HTTPExchange, _ failure: CallFailure, _ trailing: [HeaderBlock.Field]
  ) {
    // A stream's status is 200, and its head may be out: what a unary answer has as a header is metadata.
    let pause = failure.retryAfter.map { [HeaderBlock.Field("retry-after", "\($0)")] } ?? []
    finish(exchange, error: failure.body, pause + trailing)
  }

  private static func finish(_ exchange: any HTTPExchange, error: [UInt8]?, _ trailing: [HeaderBlock.Field]) {
    var metadata: [(name: String, values: [String])] = []
    for field in trailing {
      let value = String(decoding: field.bytes, as: UTF8.self)
      if let index = metadata.firstIndex(where: { $0.name == field.name }) {
        metadata[index].values.append(value)
      } else {
        metadata.append((field.name, [value]))
      }
    }
    var frame = OutboundBuffer()
    ConnectEndOfStream.bytes(error: error, metadata: metadata).withUnsafeBytes {
      MessageFramer.put($0, flag: 2, framing, to: &frame)
    }
    exchange.send(contentsOf: &frame)
    exchange.finish(trailers: nil)
  }
}

/// What unary calls and streams have in common.
private enum Connect {
  static func contentType(_ codec: MessageCodec, _ prefix: String) -> String {
    switch codec {
    case .binary: prefix + "proto"
    case .other: prefix + "json"
    }
  }

  static func failure(_ error: some TaxonomyError, _ options: WireOptions) -> CallFailure {
    var options = options
    options.budget = max(options.budget, ConnectBody.defaultBudget)
    options.framing = .split
    let body = ConnectBody(error, options)
    // The protocol has a status for each code, but what is not there is not found, as with any path.
    let isUnknownPath = error.identity == CallError.MethodNotFound.declaration.identity
    return CallFailure(
      httpStatus: isUnknownPath ? 404 : body.httpStatus, body: body.json, contentType: "application/json",
      retryAfter: body.status.retryAfter,
      instanceID: body.status.instanceID, dropped: body.status.dropped)
  }
}

extension HeaderBlock.Field {
  /// Trailing metadata of a unary answer of Connect.
  fileprivate var asTrailer: HeaderBlock.Field { HeaderBlock.Field("trailer-" + name, Array(bytes), isIndexed: false) }
}

extension HTTPExchange {
  /// Answers with an error that a body says.
  func answer(with failure: CallFailure, _ answer: FailedAnswer, _ trailing: [HeaderBlock.Field] = []) {
    var fields: [HeaderBlock.Field] = [
      .init(":status", "\(failure.httpStatus)"), .init("content-type", failure.contentType),
      .init("content-length", "\(failure.body.count)", isIndexed: false),
    ]
    if let identity = failure.identity { fields.append(.init("taxon-error", "\(identity)")) }
    if let seconds = failure.retryAfter { fields.append(.init("retry-after", "\(seconds)", isIndexed: false)) }
    if let language = failure.contentLanguage { fields.append(.init("content-language", language, isIndexed: false)) }
    if failure.variesByLanguage { fields.append(.init("vary", "accept-language")) }
    let head = HeaderBlock(fields + HeaderBlock.Field.fields(of: answer.initial) + trailing)
    if answer.isBodiless { return sendHeadersOnly(head) }
    failure.body.withUnsafeBytes { bytes in send(bytes.count) { $0.copyMemory(from: bytes) } }
    finish(trailers: nil)
    sendHead(head)
  }
}
