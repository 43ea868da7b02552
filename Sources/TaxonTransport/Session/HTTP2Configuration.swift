// SPDX-License-Identifier: Apache-2.0

/// The limits and sizes that an end of an HTTP/2 connection announces.
public struct HTTP2Configuration: Sendable {
  /// How many streams the peer may have open at once. 1 to 2^31-1.
  public var maxConcurrentStreams = 100
  /// Bytes of a header block, each field counted with 32 bytes on top (RFC 9113 §6.5.2).
  public var maxHeaderListSize = 16 * 1024
  /// Bytes of one frame's payload. 16,384 to 16,777,215.
  public var maxFrameSize = 16 * 1024
  /// Bytes that the peer may send on one stream before they are consumed. At most 2^31-1.
  public var streamWindow = 256 * 1024
  /// Bytes up to which `streamWindow` grows when it is what limits the peer; at most 2^31-1. Also what one stream that
  /// nobody reads may take of the memory.
  public var maxStreamWindow = 4 * 1024 * 1024
  /// Bytes that the peer may send on all streams before they are consumed. 65,535 to 2^31-1.
  public var connectionWindow = 4 * 1024 * 1024
  /// How much of what costs the peer little is taken.
  public var flood = FloodLimits()

  /// The values above.
  public init() {}
}
