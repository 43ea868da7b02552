// SPDX-License-Identifier: Apache-2.0

/// The headers with which a call begins.
package struct RequestHead: Sendable {
  /// `:path`, such as "/octollm.v1.Orchestrator/GetTask".
  package internal(set) var path = ""
  /// `:authority`, or empty.
  package internal(set) var authority = ""
  /// What the caller allows for the whole call, from when it arrived.
  package internal(set) var timeout: Duration?
  /// Everything that is not HTTP/2's or gRPC's own.
  package internal(set) var metadata = Metadata()
  private var builder = MetadataBuilder()

  var method = Method.none
  /// How the call is written; nil when the content type is none that is spoken here.
  var wire: (any WireProtocol.Type)?
  /// How its messages are written.
  var codec = MessageCodec.binary
  var hasContentType = false
  var encoding = ""
  /// What the caller can take apart.
  var accepted: Set<Compression> = []
  var invalidTimeout: String?
  /// Bytes, each field counted with 32 on top (RFC 9113 §6.5.2).
  var size = 0

  enum Method { case none, post, head, other }

  init() {}

  /// Takes one field.
  mutating func receive(
    name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>, cache: HeaderCache
  ) {
    func isNamed(_ expected: StaticString) -> Bool { name.equals(expected) }
    switch name.count {
    case 5 where isNamed(":path"): path = cache.path(value)
    case 7 where isNamed(":method"): method = value.equals("POST") ? .post : value.equals("HEAD") ? .head : .other
    case 7 where isNamed(":scheme"): break
    case 10 where isNamed(":authority"): authority = cache.authority(value)
    case 2 where isNamed("te"): break
    // What HTTP/2's own framing says is not metadata.
    case 14 where isNamed("content-length"): break
    case 12 where isNamed("content-type"):
      hasContentType = true
      wire = nil
      if let codec = GRPC.codec(contentType: value) { (wire, self.codec) = (GRPC.self, codec) }
    case 12 where isNamed("grpc-timeout"):
      timeout = Timeout.parse(value)
      if timeout == nil { invalidTimeout = String(decoding: value, as: UTF8.self) }
    case 13 where isNamed("grpc-encoding"): encoding = String(decoding: value, as: UTF8.self)
    case 20 where isNamed("grpc-accept-encoding"): accepted = Compression.list(value)
    default: builder.receive(name: name, value: value, cache: cache)
    }
  }

  /// All fields have come.
  mutating func finish(_ cache: HeaderCache) { metadata = builder.finish(cache) }

  /// How the caller's messages are compressed; nil when they are not, or in a way that is not known here.
  var compression: Compression? { Compression(rawValue: encoding) }
}
