// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// How calls are written on HTTP: which content types are theirs, and what heads and ends look like. A value, which a request's
/// content type chooses; each case has its blocks of headers in a file of its own.
package enum WireProtocol: Sendable, Hashable {
  /// gRPC over HTTP/2 (the gRPC document of that name).
  case gRPC(MessageCodec)

  /// The protocol of a content type; nil when it is none that is spoken here.
  init?(contentType: UnsafeBufferPointer<UInt8>) {
    guard GRPC.isContentType(contentType) else { return nil }
    self = .gRPC(.binary)
  }

  /// How messages are written.
  package var codec: MessageCodec {
    switch self {
    case .gRPC(let codec): codec
    }
  }

  // MARK: What a server answers

  /// The head of an answer that has messages.
  func head(_ initial: Metadata, _ compression: Compression?) -> HeaderBlock {
    switch self {
    case .gRPC: GRPC.head(initial, compression)
    }
  }

  /// The end of an answer, when the call has succeeded.
  func end(_ trailing: Metadata) -> HeaderBlock {
    switch self {
    case .gRPC: GRPC.trailers(trailing)
    }
  }

  /// The end of an answer whose head is out, when the call has failed.
  func end(_ status: WireStatus, _ trailing: [HeaderBlock.Field]) -> HeaderBlock {
    switch self {
    case .gRPC: GRPC.trailers(status, trailing)
    }
  }

  /// Head and end at once, when the call has failed before its first message.
  func headAndEnd(_ status: WireStatus, _ trailing: [HeaderBlock.Field]) -> HeaderBlock {
    switch self {
    case .gRPC: GRPC.headersOnly(status, trailing)
    }
  }

  // MARK: What a client asks

  /// Fields that the head of every request has.
  package var requestFields: [HeaderBlock.Field] {
    switch self {
    case .gRPC: GRPC.requestFields
    }
  }

  /// Fields that say how long the caller waits, and how its messages are compressed.
  package func requestFields(timeout: Duration?, compression: Compression?) -> [HeaderBlock.Field] {
    switch self {
    case .gRPC: GRPC.requestFields(timeout: timeout, compression: compression)
    }
  }
}
