// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

@testable import TaxonCalls

/// A protocol with one of its content types.
struct EnvelopeForm {
  enum Kind { case grpc, grpcWeb, grpcWebText, connect, connectStreaming, json }

  let kind: Kind
  let type: String
  var isJSON = false

  static let all = [
    EnvelopeForm(kind: .grpcWeb, type: "application/grpc-web+proto"),
    EnvelopeForm(kind: .grpcWebText, type: "application/grpc-web-text+proto"),
    EnvelopeForm(kind: .grpcWeb, type: "application/grpc-web+json", isJSON: true),
    EnvelopeForm(kind: .connect, type: "application/proto"),
    EnvelopeForm(kind: .connect, type: "application/json", isJSON: true),
    EnvelopeForm(kind: .json, type: "application/json", isJSON: true),
    EnvelopeForm(kind: .connectStreaming, type: "application/connect+proto"),
    EnvelopeForm(kind: .connectStreaming, type: "application/connect+json", isJSON: true),
    EnvelopeForm(kind: .grpc, type: "application/grpc"),
    EnvelopeForm(kind: .grpc, type: "application/grpc+json", isJSON: true),
  ]

  var answerType: String { type }

  var framing: BodyFraming {
    switch kind {
    case .grpc, .grpcWeb, .connectStreaming: .enveloped
    case .grpcWebText: .base64
    case .connect, .json: .whole
    }
  }

  /// Whether a method's calls come in this form.
  func suits(_ path: String) -> Bool {
    switch kind {
    case .grpc, .grpcWeb, .grpcWebText: true
    case .connect, .json: path == "/f/Unary"
    case .connectStreaming: path != "/f/Unary"
    }
  }

  /// The header that says how messages are compressed.
  var encodingName: String {
    switch kind {
    case .grpc, .grpcWeb, .grpcWebText: "grpc-encoding"
    case .connect, .json: "content-encoding"
    case .connectStreaming: "connect-content-encoding"
    }
  }

  private var acceptName: String {
    switch kind {
    case .grpc, .grpcWeb, .grpcWebText: "grpc-accept-encoding"
    case .connect, .json: "accept-encoding"
    case .connectStreaming: "connect-accept-encoding"
    }
  }

  /// The head of a request.
  func head(_ path: String, encoding: String?) -> [(String, String)] {
    var head = [
      (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "fuzz"), ("content-type", type),
      (acceptName, "gzip"),
    ]
    if kind == .connect || kind == .connectStreaming { head.append(("connect-protocol-version", "1")) }
    if let encoding { head.append((encodingName, encoding)) }
    return head
  }

  var codec: MessageCodec { isJSON ? .other(JSONCoder()) : .binary }

  /// What a `BytesValue` of the form holds.
  func decoded(_ bytes: [UInt8]) throws -> [UInt8] {
    try bytes.withUnsafeBytes { try codec.decode(Google_Protobuf_BytesValue.self, $0) }.value
  }

  /// Nil: it is not of the format, or too large.
  func decompressed(_ bytes: [UInt8], _ compression: Compression, limit: Int = .max) -> [UInt8]? {
    guard let decompressor = try? Decompressor(compression) else { return nil }
    return bytes.withUnsafeBytes { bytes in try? decompressor.decompress(bytes, limit: limit) { Array($0) } }
  }
}
