// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// gRPC over HTTP/2: its headers (the gRPC document of that name, "Requests" and "Responses").
package enum GRPC: WireProtocol {
  package static func codec(contentType: UnsafeBufferPointer<UInt8>) -> MessageCodec? {
    isContentType(contentType) ? .binary : nil
  }

  /// "application/grpc", alone or before "+proto" or ";": the other suffixes name formats that are not spoken here.
  private static func isContentType(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
    let prefix: StaticString = "application/grpc"
    guard value.count >= prefix.utf8CodeUnitCount,
      UnsafeBufferPointer(rebasing: value.prefix(prefix.utf8CodeUnitCount)).equals(prefix)
    else { return false }
    let rest = UnsafeBufferPointer(rebasing: value.dropFirst(prefix.utf8CodeUnitCount))
    return rest.isEmpty || rest[0] == UInt8(ascii: ";") || rest.equals("+proto")
      || rest.count > 6 && UnsafeBufferPointer(rebasing: rest.prefix(7)).equals("+proto;")
  }

  // MARK: Requests

  package static let requestFields: [HeaderBlock.Field] = [
    .init("te", "trailers"), .init("content-type", "application/grpc"), .init("user-agent", "taxon"),
    .init("grpc-accept-encoding", Compression.acceptedHere),
  ]

  package static func requestFields(timeout: Duration?, compression: Compression?) -> [HeaderBlock.Field] {
    var fields: [HeaderBlock.Field] = []
    if let compression { fields.append(.init("grpc-encoding", compression.rawValue)) }
    if let timeout { fields.append(.init("grpc-timeout", Timeout.format(timeout), isIndexed: false)) }
    return fields
  }

  // MARK: Answers

  private static let okHead = HeaderBlock([.init(":status", "200"), .init("content-type", "application/grpc")])
  private static let okTrailers = HeaderBlock([.init("grpc-status", "0")])

  package static func head(_ metadata: Metadata, _ compression: Compression?) -> HeaderBlock {
    if metadata.isEmpty, compression == nil { return okHead }
    var fields: [HeaderBlock.Field] = [.init(":status", "200"), .init("content-type", "application/grpc")]
    if let compression { fields.append(.init("grpc-encoding", compression.rawValue)) }
    return HeaderBlock(fields + HeaderBlock.Field.fields(of: metadata))
  }

  package static func end(_ trailing: Metadata) -> HeaderBlock {
    if trailing.isEmpty { return okTrailers }
    return HeaderBlock([.init("grpc-status", "0")] + HeaderBlock.Field.fields(of: trailing))
  }

  /// Headers alone, which are the head and the trailers of an error at once (Trailers-Only).
  package static func headAndEnd(_ status: WireStatus, _ trailing: [HeaderBlock.Field]) -> HeaderBlock {
    errorBlock(status, fieldCount: 2, byteCount: 0, trailing) { writer in
      writer.add(":status", "200")
      writer.add("content-type", "application/grpc")
    }
  }

  /// The trailers of an error.
  package static func end(_ status: WireStatus, _ trailing: [HeaderBlock.Field]) -> HeaderBlock {
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
