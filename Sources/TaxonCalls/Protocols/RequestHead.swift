// SPDX-License-Identifier: Apache-2.0
import TaxonTransport

/// The headers with which a call begins.
package struct RequestHead {
  /// `:path`, such as "/octollm.v1.Orchestrator/GetTask".
  package internal(set) var path = ""
  /// `:authority`, or empty.
  package internal(set) var authority = ""
  /// What the caller allows for the whole call, from when it arrived.
  package internal(set) var timeout: Duration?
  /// Everything that is not HTTP's or the protocol's own.
  package internal(set) var metadata = Metadata()
  private var builder = MetadataBuilder()

  /// `:method`; POST is what gRPC has.
  var isPost = false
  /// Any other.
  package internal(set) var verb = "POST"
  /// How the call is written; nil until the content type says gRPC, or `ProtocolChoice` what else it is.
  var wire: (any WireProtocol.Type)?
  /// How its messages are written.
  var codec = MessageCodec.binary
  /// Of a request that is not plain gRPC; empty without one.
  var contentType = ""
  /// Bytes of the body, where the request says so and is not plain gRPC.
  var contentLength: Int?
  /// What only requests have that are not plain gRPC.
  var other: OtherRequest?
  var encoding = ""
  /// What the caller can take apart.
  var accepted: Set<Compression> = []
  var invalidTimeout: String?
  /// Bytes, each field counted with 32 on top (RFC 9113 §6.5.2).
  var size = 0

  init() {}

  /// Takes one field.
  mutating func receive(
    name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>, cache: HeaderCache
  ) {
    func isNamed(_ expected: StaticString) -> Bool { name.equals(expected) }
    switch name.count {
    case 5 where isNamed(":path"): path = cache.path(value)
    case 7 where isNamed(":method"):
      isPost = value.equals("POST")
      if !isPost { verb = String(decoding: value, as: UTF8.self) }
    case 7 where isNamed(":scheme"): break
    case 10 where isNamed(":authority"): authority = cache.authority(value)
    case 2 where isNamed("te"): break
    // What HTTP/2's own framing says is not metadata.
    case 14 where isNamed("content-length"): contentLength = Self.number(value)
    case 12 where isNamed("content-type"):
      wire = GRPC.isContentType(value) ? GRPC.self : nil
      contentType = wire == nil ? cache.string(value) : ""
    case 12 where isNamed("grpc-timeout"):
      timeout = Timeout.parse(value)
      if timeout == nil { invalidTimeout = String(decoding: value, as: UTF8.self) }
    case 13 where isNamed("grpc-encoding"): encoding = String(decoding: value, as: UTF8.self)
    case 20 where isNamed("grpc-accept-encoding"): accepted = Compression.list(value)
    default: builder.receive(name: name, value: value, cache: cache)
    }
  }

  /// The value of `content-length` (RFC 9110 §8.6); nil when it is no number, or too large for one.
  private static func number(_ digits: UnsafeBufferPointer<UInt8>) -> Int? {
    guard !digits.isEmpty, digits.count <= 18 else { return nil }
    var number = 0
    for digit in digits {
      guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
      number = number * 10 + Int(digit - UInt8(ascii: "0"))
    }
    return number
  }

  /// All fields have come.
  mutating func finish(_ cache: HeaderCache) { metadata = builder.finish(cache) }

  /// How the caller's messages are compressed; nil when they are not, or in a way that is not known here.
  var compression: Compression? { Compression(rawValue: encoding) }
}

/// What a request has that is not plain gRPC.
final class OtherRequest {
  /// What was asked for; the head's path is that of the method.
  let line: HTTPRequestLine
  /// The message, where the head has it (Connect's GET).
  var message: [UInt8]?
  /// Goes with every answer's head (CORS).
  var answerFields = Metadata()
  /// HEAD: the answer has no body.
  var isBodiless = false
  /// The answer depends on nothing but the request, so that what the caller has of it may do (GET, HEAD).
  var isConditional = false

  init(_ line: HTTPRequestLine) { self.line = line }

  /// The answer without its body: to HEAD, and to a request for what the caller has already (RFC 9110 §13.1.2); nil: the
  /// answer has one.
  func bodiless(_ head: HeaderBlock, _ initial: Metadata, _ request: Metadata, byteCount: Int) -> HeaderBlock? {
    guard isConditional else { return nil }
    if let tag = initial.first("etag"), let list = request.list("if-none-match"), Self.matches(tag, list) {
      return HeaderBlock([.init(":status", "304")] + HeaderBlock.Field.fields(of: initial))
    }
    return isBodiless ? HeaderBlock([.init("content-length", "\(byteCount)", isIndexed: false)], after: head) : nil
  }

  /// Whether a tag is in a list of them, weak or strong.
  private static func matches(_ tag: String, _ list: String) -> Bool {
    func opaque(_ tag: some StringProtocol) -> String { String(tag.hasPrefix("W/") ? tag.dropFirst(2)[...] : tag[...]) }
    if list == "*" { return true }
    let tag = opaque(tag)
    return list.split(separator: ",").contains { opaque($0.trimming) == tag }
  }
}
