// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonErrors

extension ServerStream {
  static let okHead = HeaderBlock([.init(":status", "200"), .init("content-type", "application/grpc")])
  static let okTrailers = HeaderBlock([.init("grpc-status", "0")])

  static func okHead(_ metadata: Metadata, _ compression: Compression?) -> HeaderBlock {
    if metadata.isEmpty, compression == nil { return okHead }
    var fields: [HeaderBlock.Field] = [.init(":status", "200"), .init("content-type", "application/grpc")]
    if let compression { fields.append(.init("grpc-encoding", compression.rawValue)) }
    return HeaderBlock(fields + HeaderBlock.Field.fields(of: metadata))
  }

  static func trailers(_ metadata: Metadata) -> HeaderBlock {
    if metadata.isEmpty { return okTrailers }
    return HeaderBlock([.init("grpc-status", "0")] + HeaderBlock.Field.fields(of: metadata))
  }

  /// Headers alone, which are the head and the trailers of an error at once (Trailers-Only).
  static func errorHead(_ status: WireStatus, initial: Metadata, trailing: [HeaderBlock.Field]) -> HeaderBlock {
    var list: [HeaderBlock.Field] = []
    list.reserveCapacity(8 + trailing.count)
    list.append(.init(":status", "200"))
    list.append(.init("content-type", "application/grpc"))
    if !initial.isEmpty { list += HeaderBlock.Field.fields(of: initial) }
    add(status, to: &list)
    list += trailing
    return HeaderBlock(list)
  }

  /// The trailers of an error.
  static func errorTrailers(_ status: WireStatus, trailing: [HeaderBlock.Field]) -> HeaderBlock {
    var list: [HeaderBlock.Field] = []
    list.reserveCapacity(4 + trailing.count)
    add(status, to: &list)
    list += trailing
    return HeaderBlock(list)
  }

  private static func add(_ status: WireStatus, to fields: inout [HeaderBlock.Field]) {
    fields.append(.init("grpc-status", String(status.code.rawValue)))
    if !status.message.isEmpty {
      fields.append(.init("grpc-message", GRPCMessage.encode(status.message), isIndexed: false))
    }
    if !status.details.isEmpty {
      fields.append(.init("grpc-status-details-bin", Base64.encode(status.details), isIndexed: false))
    }
    if let pushback = status.retryPushback {
      fields.append(.init("grpc-retry-pushback-ms", String(pushback), isIndexed: false))
    }
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
    case .compressedWithoutEncoding: "a message is marked as compressed, but the call names no grpc-encoding"
    case .tooManyMessages: "the method takes one message, and a second one came"
    case .noMessage: "the method takes one message, and the request ended without one"
    case .truncatedMessage: "the request ended inside a message"
    case .invalidFlag(let flag): "the prefix of a message begins with \(flag); it must be 0 or 1"
    case .messageTooLarge(let size, let limit): "a message of \(size) bytes is over the limit of \(limit) bytes"
    }
  }
}
