// SPDX-License-Identifier: Apache-2.0
import CNghttp2

/// Finds windows that do not hold up the peer. What arrives between a PING and its answer is what one round trip brings;
/// when it comes near the window, the window is what limits it, and it is doubled. No I/O.
struct WindowTuner {
  /// Bytes that the peer may send on one stream before they are consumed.
  private(set) var window: Int
  private let limit: Int
  /// What a PING that measures has.
  static let ping: UInt64 = 0x7461_786f_6e00_0003
  private var received = 0
  private var isMeasuring = false
  /// Bytes that come before a round trip is measured: small calls cause no PINGs to speak of.
  private var threshold: Int { window / 4 }

  init(window: Int, limit: Int) {
    self.window = window
    self.limit = limit
  }

  /// Bytes of bodies came. True: send a PING, whose answer is to be told to `measured`.
  mutating func received(_ count: Int) -> Bool {
    guard window < limit else { return false }
    received += count
    guard !isMeasuring, received >= threshold else { return false }
    isMeasuring = true
    received = 0
    return true
  }

  /// The PING was answered.
  ///
  /// - Returns: The new window, when it grows.
  mutating func measured() -> Int? {
    guard isMeasuring else { return nil }
    isMeasuring = false
    defer { received = 0 }
    guard received > window / 3 * 2 else { return nil }
    window = min(limit, window * 2)
    return window
  }
}

extension HTTP2Session {
  /// Says that bytes of a body have been dealt with, so that the peer may send as many more on the stream. The
  /// connection's own window is opened as bytes come: a stream that nobody reads must not hold up the others.
  package func consume(_ stream: HTTP2Stream, _ count: Int) {
    assertOnLoop()
    guard count > 0, stream.session === self else { return }
    if tuner.window > streamWindow { grow(stream) }
    _ = nghttp2_session_consume_stream(raw, stream.id, count)
    transport?.scheduleFlush()
  }

  /// True while the peer takes next to nothing on a stream.
  package func isClosed(to stream: HTTP2Stream) -> Bool {
    nghttp2_session_get_stream_remote_window_size(raw, stream.id) < 4096
  }

  /// Lets the peer send more on a stream than at its beginning. Each stream for itself, and no more in all than the
  /// ledger allows: a larger first window would be one of every stream that the peer may open.
  private func grow(_ stream: HTTP2Stream) {
    let more = tuner.window - streamWindow - stream.state.windowGrowth
    // A small request needs no larger window.
    guard more > 0, Int(nghttp2_session_get_stream_effective_recv_data_length(raw, stream.id)) >= streamWindow / 8,
      ledger.grow(by: more)
    else { return }
    stream.state.windowGrowth += more
    _ = nghttp2_session_set_local_window_size(
      raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, Int32(clamping: tuner.window))
  }

  /// Opens the connection's window by what came with the read.
  func consumeConnection() {
    guard unconsumed > 0 else { return }
    nghttp2_session_consume_connection(raw, unconsumed)
    if tuner.received(unconsumed) { submitPing(WindowTuner.ping) }
    unconsumed = 0
  }

  /// The peer has answered a PING. True: it was the session's own.
  func answeredPing(_ payload: UInt64) -> Bool {
    guard payload == WindowTuner.ping else { return false }
    guard let window = tuner.measured() else { return true }
    let connection = max(Int(nghttp2_session_get_local_window_size(raw)), 2 * window)
    _ = nghttp2_session_set_local_window_size(
      raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, Int32(clamping: connection))
    transport?.scheduleFlush()
    return true
  }
}
