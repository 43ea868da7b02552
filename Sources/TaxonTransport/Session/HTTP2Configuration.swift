// SPDX-License-Identifier: Apache-2.0

/// The limits and sizes that an end of an HTTP/2 connection announces.
public struct HTTP2Configuration: Sendable {
  /// How many streams the peer may have open at once. 1 to 2^31-1.
  public var maxConcurrentStreams = 100
  /// Bytes of a header block, each field counted with 32 bytes on top (RFC 9113 §6.5.2). Set by the limits of the calls.
  package var maxHeaderListSize = 16 * 1024
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

/// How much of what costs a peer little and this end much is taken on one connection. A peer that goes past one of the
/// budgets gets GOAWAY with ENHANCE_YOUR_CALM and the reason, and the connection is closed.
public struct FloodLimits: Sendable, Hashable {
  /// So many at once, and so many a second in the long run (a token bucket).
  public struct Budget: Sendable, Hashable {
    /// 1 to 1,000,000.
    public var burst: Int
    /// 0 to 1,000,000.
    public var perSecond: Int

    /// A budget.
    public init(burst: Int, perSecond: Int) {
      self.burst = burst
      self.perSecond = perSecond
    }
  }

  /// Streams that the peer resets (rapid reset, CVE-2023-44487).
  public var resets = Budget(burst: 1000, perSecond: 100)
  /// Streams that this end resets because the peer made a mistake or was refused (CVE-2025-8671).
  public var resetsCaused = Budget(burst: 1000, perSecond: 100)
  /// PINGs with no HEADERS and DATA, of either side, since the one before (CVE-2019-9512).
  public var pings = Budget(burst: 100, perSecond: 10)
  /// SETTINGS and PRIORITY frames (CVE-2019-9515).
  public var settings = Budget(burst: 100, perSecond: 10)
  /// DATA frames without data that do not end their stream (CVE-2019-9518). One with data gives one back: proxies put an
  /// empty frame behind each answer.
  public var emptyData = Budget(burst: 1000, perSecond: 100)
  /// DATA frames with fewer than 256 bytes that complete no message and do not end their stream: a message cut into
  /// pieces of a byte costs the receiver a thousand times what it costs in one. What comes otherwise gives some back, four
  /// for each message, so that streams of small messages never get there. gRPC's own interoperability server sends 62,832 in a
  /// row (its test data_frame_padding).
  public var smallData = Budget(burst: 100_000, perSecond: 1000)
  /// Header blocks over the limit of their size, of which HPACK can make much out of few bytes (CVE-2016-6581). On a
  /// server; a client's servers are not counted.
  public var largeHeaders = Budget(burst: 100, perSecond: 10)
  /// CONTINUATION frames after one HEADERS frame (CVE-2024-28182), 1 to 10,000; where nghttp2 has no such limit (before
  /// 1.61), the header list's size is the only one.
  public var maxContinuations = 8
  /// Answers to PINGs and SETTINGS that wait to be written, 1 to 1,000,000 (nghttp2's max_outbound_ack).
  public var maxUnsentAcks = 1000

  /// What gRPC A8 makes a server ask of the client's keepalive; nil asks nothing.
  package var pingPolicy: PingPolicy?

  /// The values above.
  public init() {}

  /// How often a client may send PINGs (gRPC A8).
  package struct PingPolicy: Sendable, Hashable {
    /// The least time from one PING to the next when there were no HEADERS and no DATA in between.
    package var minInterval: Duration
    /// False: without calls two hours take the place of the interval.
    package var permitsWithoutCalls: Bool

    package init(minInterval: Duration, permitsWithoutCalls: Bool) {
      self.minInterval = minInterval
      self.permitsWithoutCalls = permitsWithoutCalls
    }
  }
}

/// The budget that a peer has gone past.
public enum FloodLimit: String, Sendable, CaseIterable {
  /// `FloodLimits.resets`.
  case resets = "too_many_resets"
  /// `FloodLimits.resetsCaused`.
  case resetsCaused = "too_many_stream_errors"
  /// `FloodLimits.pings`, or the keepalive policy; the text is what gRPC clients look for (A8).
  case pings = "too_many_pings"
  /// `FloodLimits.settings`.
  case settings = "too_many_settings"
  /// `FloodLimits.emptyData`.
  case emptyData = "too_many_empty_frames"
  /// `FloodLimits.smallData`.
  case smallData = "too_many_small_frames"
  /// `FloodLimits.largeHeaders`.
  case largeHeaders = "too_many_large_headers"
  /// `FloodLimits.maxContinuations` or `maxUnsentAcks`, which nghttp2 counts.
  case frames = "too_many_frames"
}

extension FloodLimit: CustomStringConvertible {
  /// What there was too much of, such as "too many empty DATA frames".
  public var description: String {
    switch self {
    case .resets: "too many RST_STREAM frames"
    case .resetsCaused: "too much for which streams had to be reset"
    case .pings: "too many PING frames"
    case .settings: "too many SETTINGS and PRIORITY frames"
    case .emptyData: "too many empty DATA frames"
    case .smallData: "too many DATA frames of a few bytes"
    case .largeHeaders: "too many header blocks over the limit of their size"
    case .frames: "too many CONTINUATION frames, or PING and SETTINGS frames whose answers it does not read"
    }
  }
}
