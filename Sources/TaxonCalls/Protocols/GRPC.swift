// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// gRPC over HTTP/2: its headers (the gRPC document of that name, "Requests" and "Responses").
package enum GRPC: WireProtocol {
  package static let name = "grpc"
  package static var framing: BodyFraming { .enveloped }
  package static let acceptEncodingName = "grpc-accept-encoding"
  package static var blamesCaller: Bool { false }

  /// "application/grpc", alone or before "+proto" or ";": with the other suffixes it is for `ProtocolChoice` to find.
  static func isContentType(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
    let prefix: StaticString = "application/grpc"
    guard value.count >= prefix.utf8CodeUnitCount,
      UnsafeBufferPointer(rebasing: value.prefix(prefix.utf8CodeUnitCount)).equals(prefix)
    else { return false }
    let rest = UnsafeBufferPointer(rebasing: value.dropFirst(prefix.utf8CodeUnitCount))
    return rest.isEmpty || rest[0] == UInt8(ascii: ";") || rest.equals("+proto")
      || rest.count > 6 && UnsafeBufferPointer(rebasing: rest.prefix(7)).equals("+proto;")
  }

  // MARK: Requests

  /// Fields that the head of every request has.
  package static let requestFields: [HeaderBlock.Field] = [
    .init("te", "trailers"), .init("content-type", "application/grpc"), .init("user-agent", "taxon"),
    .init("grpc-accept-encoding", Compression.acceptedHere),
  ]

  /// Fields that say how long the caller waits, and how its messages are compressed.
  package static func requestFields(timeout: Duration?, compression: Compression?) -> [HeaderBlock.Field] {
    var fields: [HeaderBlock.Field] = []
    if let compression { fields.append(.init("grpc-encoding", compression.rawValue)) }
    if let timeout { fields.append(.init("grpc-timeout", Timeout.format(timeout), isIndexed: false)) }
    return fields
  }

  // MARK: Answers

  private static let okHead = HeaderBlock([.init(":status", "200"), .init("content-type", "application/grpc")])
  private static let okTrailers = HeaderBlock([.init("grpc-status", "0")])

  package static func head(_ answer: AnswerHead) -> HeaderBlock {
    head(answer.initial, answer.compression, answer.codec)
  }

  static func head(_ initial: Metadata, _ compression: Compression?, _ codec: MessageCodec) -> HeaderBlock {
    if initial.isEmpty, compression == nil, case .binary = codec { return okHead }
    var fields: [HeaderBlock.Field] = [
      .init(":status", "200"), .init("content-type", codec.contentType("application/grpc")),
    ]
    if let compression { fields.append(.init("grpc-encoding", compression.rawValue)) }
    return HeaderBlock(fields + HeaderBlock.Field.fields(of: initial))
  }

  package static func finish(_ exchange: any HTTPExchange, _ trailing: Metadata) {
    exchange.finish(
      trailers: trailing.isEmpty
        ? okTrailers : HeaderBlock([.init("grpc-status", "0")] + HeaderBlock.Field.fields(of: trailing)))
  }

  // MARK: Errors

  package static func failure(
    _ error: some TaxonomyError, _ request: borrowing RequestHead, _ options: WireOptions
  ) -> CallFailure {
    CallFailure(WireStatus(error, options))
  }

  /// One block that is head and trailers at once (Trailers-Only), or two. Initial metadata is the head's, which one block does
  /// not tell apart.
  package static func fail(_ exchange: any HTTPExchange, _ failure: CallFailure, _ answer: FailedAnswer) {
    guard let status = failure.status, status.isOneFrame, answer.initial.isEmpty else {
      finish(exchange, failure, answer.trailing)
      return exchange.sendHead(
        head(AnswerHead(initial: answer.initial, trailing: Metadata(), compression: nil, codec: answer.codec)))
    }
    exchange.sendHeadersOnly(headAndEnd(status, answer.trailing, answer.codec))
  }

  package static func finish(
    _ exchange: any HTTPExchange, _ failure: CallFailure, _ trailing: [HeaderBlock.Field]
  ) {
    exchange.finish(trailers: failure.status.map { end($0, trailing) })
  }

  package static func substitute(for failure: CallFailure, isHead: Bool) -> HeaderBlock? {
    failure.status.map { isHead ? headAndEnd($0, [], .binary) : end($0, []) }
  }

  private static func headAndEnd(
    _ status: WireStatus, _ trailing: [HeaderBlock.Field], _ codec: MessageCodec
  ) -> HeaderBlock {
    errorBlock(status, fieldCount: 2, byteCount: 0, trailing) { writer in
      writer.add(":status", "200")
      switch codec {
      case .binary: writer.add("content-type", "application/grpc")
      case .other: writer.add("content-type", "application/grpc+json")
      }
    }
  }

  private static func end(_ status: WireStatus, _ trailing: [HeaderBlock.Field]) -> HeaderBlock {
    errorBlock(status, fieldCount: 0, byteCount: 0, trailing) { _ in }
  }

  /// What `head` adds, the status, and the fields that go after it.
  private static func errorBlock(
    _ status: WireStatus, fieldCount: Int, byteCount: Int, _ trailing: [HeaderBlock.Field],
    head: (inout HeaderWriter) -> Void
  ) -> HeaderBlock {
    let messageSize = GRPCMessage.encodedCount(status.message)
    let detailsSize = Base64.encodedCount(status.details.count, isPadded: false)
    let fieldCount = fieldCount + 5 + trailing.count
    // 19 digits at most for each of the numbers; then names and what goes before the literals.
    let byteCount =
      byteCount + messageSize + detailsSize + 3 * 19 + HeaderBlock.Field.byteCount(trailing)
      + 12 + 23 + 2 * HeaderWriter.literalOverhead
    let isLiteral = HeaderBlock.fitsFrame(fieldCount: fieldCount, byteCount: byteCount)
    return HeaderBlock(fieldCount: fieldCount, byteCount: byteCount) { writer in
      head(&writer)
      writer.add("grpc-status", Int64(status.code.rawValue), isIndexed: true)
      if let pushback = status.retryPushback { writer.add("grpc-retry-pushback-ms", pushback, isIndexed: false) }
      if let seconds = status.retryAfter { writer.add("retry-after", seconds, isIndexed: false) }
      for field in trailing { writer.add(field) }
      if messageSize > 0 {
        writer.add("grpc-message", size: messageSize, asLiteral: isLiteral) { start in
          GRPCMessage.encode(status.message, into: UnsafeMutableBufferPointer(start: start, count: messageSize))
        }
      }
      if detailsSize > 0 {
        writer.add("grpc-status-details-bin", size: detailsSize, asLiteral: isLiteral) { start in
          status.details.withUnsafeBufferPointer { Base64.encode($0, isPadded: false, to: start) }
        }
      }
    }
  }
}
