// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// gRPC for those that cannot read trailers, browsers above all: they are the last frame of the body (gRPC's document
/// PROTOCOL-WEB).
package enum GRPCWeb: GRPCWebProtocol {
  package static let name = "grpc-web"
  package static var framing: BodyFraming { .enveloped }
  package static let contentType = "application/grpc-web"
}

/// The same with the body as text, in Base64, for those that cannot read binary bodies as they come.
package enum GRPCWebText: GRPCWebProtocol {
  package static let name = "grpc-web-text"
  package static var framing: BodyFraming { .base64 }
  package static let contentType = "application/grpc-web-text"
}

/// What the two forms have in common.
package protocol GRPCWebProtocol: WireProtocol {
  /// The media type without the suffix of the codec.
  static var contentType: String { get }
}

extension GRPCWebProtocol {
  package static var acceptEncodingName: String { GRPC.acceptEncodingName }
  package static var blamesCaller: Bool { GRPC.blamesCaller }

  package static func head(_ answer: AnswerHead) -> HeaderBlock {
    let suffix =
      switch answer.codec {
      case .binary: "+proto"
      case .other: "+json"
      }
    var fields: [HeaderBlock.Field] = [.init(":status", "200"), .init("content-type", contentType + suffix)]
    if let compression = answer.compression { fields.append(.init("grpc-encoding", compression.rawValue)) }
    return HeaderBlock(fields + HeaderBlock.Field.fields(of: answer.initial))
  }

  package static func finish(_ exchange: any HTTPExchange, _ trailing: Metadata) {
    finish(exchange, [.init("grpc-status", "0")] + HeaderBlock.Field.fields(of: trailing))
  }

  package static func failure(
    _ error: some TaxonomyError, _ request: borrowing RequestHead, _ options: WireOptions
  ) -> CallFailure {
    var options = options
    // No proxy's frame of headers has to hold it.
    options.framing = .split
    return CallFailure(WireStatus(error, options))
  }

  package static func finish(
    _ exchange: any HTTPExchange, _ failure: CallFailure, _ trailing: [HeaderBlock.Field]
  ) {
    guard let status = failure.status else { return }
    var fields: [HeaderBlock.Field] = [.init("grpc-status", "\(status.code.rawValue)")]
    if !status.message.isEmpty { fields.append(.init("grpc-message", GRPCMessage.encode(status.message))) }
    if !status.details.isEmpty {
      fields.append(.init("grpc-status-details-bin", Base64.encode(status.details, isPadded: false)))
    }
    if let pushback = status.retryPushback { fields.append(.init("grpc-retry-pushback-ms", "\(pushback)")) }
    if let seconds = status.retryAfter { fields.append(.init("retry-after", "\(seconds)")) }
    finish(exchange, fields + trailing)
  }

  /// Ends the body with a frame of trailers: a flag of its highest bit, and lines as HTTP/1.1 has them.
  private static func finish(_ exchange: any HTTPExchange, _ trailers: [HeaderBlock.Field]) {
    var lines: [UInt8] = []
    for field in trailers {
      lines.append(contentsOf: field.name.utf8)
      lines.append(contentsOf: ": ".utf8)
      lines.append(contentsOf: field.bytes)
      lines.append(contentsOf: "\r\n".utf8)
    }
    var frame = OutboundBuffer()
    lines.withUnsafeBytes { MessageFramer.put($0, flag: 0x80, framing, to: &frame) }
    exchange.send(contentsOf: &frame)
    exchange.finish(trailers: nil)
  }
}
