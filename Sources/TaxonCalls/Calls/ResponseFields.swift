// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The fields of a response's head or of its trailers.
struct ResponseFields: ~Copyable {
  /// The three digits of `:status`; nil when it is missing or no number.
  private(set) var httpStatus: Int?
  private(set) var isGRPC = false
  /// What `grpc-status` says, or nil when there is none.
  private(set) var code: StatusCode?
  /// Bytes, each field counted with 32 on top (RFC 9113 §6.5.2).
  var size = 0
  private var rest: Rest?

  /// What most heads and trailers do not have.
  private final class Rest {
    @exclusivity(unchecked) var encoding = ""
    @exclusivity(unchecked) var message = ""
    /// What `grpc-status` says when that is not one of gRPC's codes.
    @exclusivity(unchecked) var oddStatus: String?
    @exclusivity(unchecked) var details: [UInt8]?
    @exclusivity(unchecked) var pushback: String?
    @exclusivity(unchecked) var retryAfter: String?
    @exclusivity(unchecked) var metadata = Metadata()
  }

  /// What `grpc-encoding` says; empty when there is none.
  var encoding: String { rest?.encoding ?? "" }
  var metadata: Metadata { rest?.metadata ?? Metadata() }

  mutating func receive(
    name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>, cache: HeaderCache
  ) {
    switch name.count {
    case 7 where name.equals(":status"): httpStatus = Self.number(value)
    case 12 where name.equals("content-type"): isGRPC = GRPC.isContentType(value)
    case 11 where name.equals("grpc-status"): receive(status: value)
    case 20 where name.equals("grpc-accept-encoding"): break
    case 14 where name.equals("content-length"): break
    default: receiveRest(name: name, value: value, cache: cache)
    }
  }

  private mutating func receiveRest(
    name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>, cache: HeaderCache
  ) {
    let rest = rest ?? Rest()
    self.rest = rest
    switch name.count {
    case 13 where name.equals("grpc-encoding"): rest.encoding = String(decoding: value, as: UTF8.self)
    case 12 where name.equals("grpc-message"): rest.message = GRPCMessage.decode(value)
    case 23 where name.equals("grpc-status-details-bin"): rest.details = Base64.decode(value)
    case 22 where name.equals("grpc-retry-pushback-ms"): rest.pushback = String(decoding: value, as: UTF8.self)
    case 11 where name.equals("retry-after"):
      rest.retryAfter = String(decoding: value, as: UTF8.self)
      rest.metadata.receive(name: cache.string(name), value: value, cache: cache)
    default: rest.metadata.receive(name: cache.string(name), value: value, cache: cache)
    }
  }

  private static func number(_ digits: UnsafeBufferPointer<UInt8>) -> Int? {
    guard (1...3).contains(digits.count) else { return nil }
    var number = 0
    for digit in digits {
      guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
      number = number * 10 + Int(digit - UInt8(ascii: "0"))
    }
    return number
  }

  private mutating func receive(status text: UnsafeBufferPointer<UInt8>) {
    // What nearly every answer says.
    if text.equals("0") { return code = .ok }
    let known = StatusCode(text: text) ?? .unknown
    code = known
    guard known == .unknown, !text.equals("2") else { return }
    let rest = rest ?? Rest()
    self.rest = rest
    rest.oddStatus = String(decoding: text.prefix(32), as: UTF8.self)
  }

  /// Who has answered, as `server` names it; nil when nothing printable does.
  var server: String? {
    guard let name = rest?.metadata["server"] else { return nil }
    let printable = name.unicodeScalars.prefix(Self.maxServerName).filter { (32...126).contains($0.value) }
    return printable.isEmpty ? nil : String(String.UnicodeScalarView(printable))
  }

  private static let maxServerName = 64

  /// What an answer amounts to that is not gRPC.
  func failure(httpStatus: Int) -> ReceivedStatus {
    let code = StatusCode(httpStatus: httpStatus)
    return ReceivedStatus(
      code: code, message: "\(server ?? "The server") answered HTTP \(httpStatus)",
      // Of the statuses that say to come again (429, 502, 503, 504).
      retryAfter: code == .unavailable ? rest?.retryAfter : nil, now: Int64(time(nil)))
  }

  /// The failure of which the fields speak.
  func failure(_ code: StatusCode) -> ReceivedStatus {
    var message = rest?.message ?? ""
    if let status = rest?.oddStatus {
      let fault = "the answer's grpc-status \"\(status)\" is no status code"
      message += message.isEmpty ? fault : " (\(fault))"
    }
    return ReceivedStatus(
      code: code, message: message, details: rest?.details, pushback: rest?.pushback, retryAfter: rest?.retryAfter,
      now: Int64(time(nil)))
  }
}
