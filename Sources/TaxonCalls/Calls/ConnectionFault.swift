// SPDX-License-Identifier: Apache-2.0
import TaxonTransport

/// Something that happens to the stream or the connection of a call, raised on purpose.
package enum ConnectionFault: Sendable, Hashable {
  /// The stream is reset (RST_STREAM, RFC 9113 §6.4). On HTTP/1.1 the connection ends without an answer.
  case reset(HTTP2ErrorCode)
  /// The connection takes no more calls (GOAWAY, RFC 9113 §6.8).
  case goAway
  /// The connection closes at once, with all calls on it.
  case close
}
