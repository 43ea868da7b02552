// SPDX-License-Identifier: Apache-2.0
import TaxonErrors

/// The fields of a response's head or of its trailers.
struct ResponseFields {
  var httpStatus: Int?
  var isGRPC = false
  var encoding = ""
  var statusText: [UInt8]?
  var message = ""
  var details: [UInt8]?
  var pushback: String?
  var metadata = Metadata()
  /// Bytes, each field counted with 32 on top (RFC 9113 §6.5.2).
  var size = 0

  mutating func receive(
    name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>, cache: inout HeaderCache
  ) {
    func isNamed(_ expected: StaticString) -> Bool { name.equals(expected) }
    switch name.count {
    case 7 where isNamed(":status"): httpStatus = Int(String(decoding: value, as: UTF8.self))
    case 12 where isNamed("content-type"): isGRPC = RequestHead.isGRPC(value)
    case 13 where isNamed("grpc-encoding"): encoding = String(decoding: value, as: UTF8.self)
    case 11 where isNamed("grpc-status"): statusText = Array(value)
    case 12 where isNamed("grpc-message"): message = GRPCMessage.decode(value)
    case 23 where isNamed("grpc-status-details-bin"): details = Base64.decode(value)
    case 22 where isNamed("grpc-retry-pushback-ms"): pushback = String(decoding: value, as: UTF8.self)
    case 20 where isNamed("grpc-accept-encoding"): break
    case 14 where isNamed("content-length"): break
    default: metadata.receive(name: cache.string(name), value: value, cache: &cache)
    }
  }

  /// What `grpc-status` says, or nil when there is none.
  var code: StatusCode? {
    statusText.map { StatusCode(text: $0) ?? .unknown }
  }

  /// The failure of which the fields speak.
  func failure(_ code: StatusCode) -> ReceivedStatus {
    ReceivedStatus(code: code, message: message, details: details, pushback: pushback)
  }
}
