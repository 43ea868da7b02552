// SPDX-License-Identifier: Apache-2.0
import CNghttp2

/// nghttp2 could not do what it was asked for, or the peer broke the protocol for good.
package struct HTTP2Error: Error, Hashable, CustomStringConvertible {
  /// The number that nghttp2 gives the fault; negative.
  package let code: Int32
  /// What is wrong, where this library found it.
  package let reason: String?

  init(_ code: Int32, reason: String? = nil) {
    self.code = code
    self.reason = reason
  }

  /// What is wrong, or what nghttp2 says of the fault.
  package var description: String { reason ?? String(cString: nghttp2_strerror(code)) }
}

/// The error codes of HTTP/2 (RFC 9113 §7).
package enum HTTP2ErrorCode: UInt32, Sendable {
  /// A good end.
  case noError = 0
  /// The peer broke the protocol.
  case protocolError = 1
  /// The fault is at this end.
  case internalError = 2
  /// More came than the window allowed.
  case flowControlError = 3
  /// SETTINGS were not answered in time.
  case settingsTimeout = 4
  /// A frame came after the stream's end.
  case streamClosed = 5
  /// A frame has a wrong size.
  case frameSizeError = 6
  /// The stream was not processed at all.
  case refusedStream = 7
  /// The stream is no longer wanted.
  case cancel = 8
  /// The header table is out of step.
  case compressionError = 9
  /// A connection made by CONNECT failed.
  case connectError = 10
  /// The peer asks for too much.
  case enhanceYourCalm = 11
  /// The transport is not safe enough.
  case inadequateSecurity = 12
  /// HTTP/1.1 is needed.
  case http11Required = 13
}

extension HTTP2ErrorCode {
  /// The name in RFC 9113 §7, such as ENHANCE_YOUR_CALM.
  package var name: String {
    if self == .http11Required { return "HTTP_1_1_REQUIRED" }
    return "\(self)".reduce(into: "") { $0 += $1.isUppercase ? "_\($1)" : $1.uppercased() }
  }

  /// The name of a code, or its number where it has none.
  package static func name(_ code: UInt32) -> String { HTTP2ErrorCode(rawValue: code)?.name ?? "\(code)" }
}
