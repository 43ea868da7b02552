// SPDX-License-Identifier: Apache-2.0
import CNghttp2
import NIOCore

/// Counts what a peer sends against the budgets. No I/O: the session tells it of frames, and gives it the time.
struct FloodGuard {
  private var resets: TokenBucket
  private var resetsCaused: TokenBucket
  private var pings: TokenBucket
  private var settings: TokenBucket
  private var emptyData: TokenBucket
  private var smallData: TokenBucket
  private var largeHeaders: TokenBucket
  private let pingPolicy: FloodLimits.PingPolicy?
  private var lastPing: NIODeadline?
  private var strikes = 0
  private var hasTraffic = false
  private static let maxStrikes = 2
  /// Bytes of a DATA frame that is not small.
  static let smallSize = 256
  /// Small frames that a message pays for: its prefix may come in a frame of its own, or what was left of a window.
  private static let framesPerMessage = 4

  init(_ limits: FloodLimits, now: NIODeadline) {
    resets = TokenBucket(limits.resets, now: now)
    resetsCaused = TokenBucket(limits.resetsCaused, now: now)
    pings = TokenBucket(limits.pings, now: now)
    settings = TokenBucket(limits.settings, now: now)
    emptyData = TokenBucket(limits.emptyData, now: now)
    smallData = TokenBucket(limits.smallData, now: now)
    largeHeaders = TokenBucket(limits.largeHeaders, now: now)
    pingPolicy = limits.pingPolicy
  }

  /// HEADERS or DATA went either way: PINGs do no harm on a connection that is in use. Peers that measure the
  /// bandwidth send about one a call.
  mutating func traffic() { hasTraffic = true }

  mutating func receivedReset(now: NIODeadline) -> FloodLimit? { resets.take(now) ? nil : .resets }

  mutating func causedReset(now: NIODeadline) -> FloodLimit? { resetsCaused.take(now) ? nil : .resetsCaused }

  mutating func receivedSettings(now: NIODeadline) -> FloodLimit? { settings.take(now) ? nil : .settings }

  mutating func receivedEmptyData(now: NIODeadline) -> FloodLimit? { emptyData.take(now) ? nil : .emptyData }

  /// A small DATA frame that completes no message.
  mutating func receivedSmallData(now: NIODeadline) -> FloodLimit? { smallData.take(now) ? nil : .smallData }

  /// Any other DATA frame, with the end of so many messages in it.
  mutating func receivedData(messages: Int) {
    smallData.give(max(1, messages) * Self.framesPerMessage)
    // Apache's mod_proxy_http2 sends an empty frame behind the messages of each call.
    emptyData.give(1)
  }

  mutating func receivedLargeHeaders(now: NIODeadline) -> FloodLimit? { largeHeaders.take(now) ? nil : .largeHeaders }

  /// A PING that asks for an answer.
  mutating func receivedPing(now: NIODeadline, hasCalls: Bool) -> FloodLimit? {
    defer { lastPing = now }
    if hasTraffic {
      hasTraffic = false
      strikes = 0
      return nil
    }
    guard pings.take(now) else { return .pings }
    guard let pingPolicy, let lastPing else { return nil }
    let interval =
      hasCalls || pingPolicy.permitsWithoutCalls ? TimeAmount(saturating: pingPolicy.minInterval) : TimeAmount.hours(2)
    if now - lastPing < interval { strikes += 1 }
    return strikes > Self.maxStrikes ? .pings : nil
  }
}

/// So many at once, and so many a second in the long run.
struct TokenBucket {
  private let burst: Int64
  private let perSecond: Int64
  private var tokens: Int64
  private var filled: NIODeadline

  init(_ budget: FloodLimits.Budget, now: NIODeadline) {
    burst = Int64(budget.burst)
    perSecond = Int64(budget.perSecond)
    tokens = burst
    filled = now
  }

  /// Gives some back.
  mutating func give(_ count: Int) {
    if tokens < burst { tokens = min(burst, tokens + Int64(count)) }
  }

  /// Takes one; false when there is none left.
  mutating func take(_ now: NIODeadline) -> Bool {
    if tokens < burst, perSecond > 0 {
      // After a second of rest for each token there is of the burst it is full whatever the rate.
      let elapsed = min((now - filled).nanoseconds, burst * 1_000_000_000)
      let gained = Int64(Double(elapsed) * Double(perSecond) / 1e9)
      if gained > 0 {
        tokens = min(burst, tokens + gained)
        // What is left of a token's time counts for the next one.
        filled = tokens == burst ? now : filled + .nanoseconds(Int64(Double(gained) * 1e9 / Double(perSecond)))
      }
    } else {
      filled = now
    }
    guard tokens > 0 else { return false }
    tokens -= 1
    return true
  }
}

extension HTTP2Session {
  /// Counts a frame of the peer. False when it is one too many.
  func admit(_ frame: UnsafePointer<nghttp2_frame>, endStream: Bool, isAck: Bool) -> Bool {
    let head = frame.pointee.hd
    let limit: FloodLimit?
    switch UInt32(head.type) {
    case NGHTTP2_DATA.rawValue where !endStream && head.length <= frame.pointee.data.padlen:
      limit = floodGuard.receivedEmptyData(now: .now())
    case NGHTTP2_DATA.rawValue:
      floodGuard.traffic()
      let messages = completedMessages
      completedMessages = 0
      let isSmall = head.length - frame.pointee.data.padlen < FloodGuard.smallSize
      guard isSmall, messages == 0, !endStream else {
        floodGuard.receivedData(messages: messages)
        return true
      }
      limit = floodGuard.receivedSmallData(now: .now())
    case NGHTTP2_HEADERS.rawValue where headersSize > maxHeadersSize && role == .server:
      limit = floodGuard.receivedLargeHeaders(now: .now())
    case NGHTTP2_HEADERS.rawValue:
      floodGuard.traffic()
      return true
    case NGHTTP2_RST_STREAM.rawValue: limit = floodGuard.receivedReset(now: .now())
    case NGHTTP2_PING.rawValue where !isAck:
      limit = floodGuard.receivedPing(now: .now(), hasCalls: !streams.isEmpty)
    case NGHTTP2_SETTINGS.rawValue where !isAck: limit = floodGuard.receivedSettings(now: .now())
    case NGHTTP2_PRIORITY.rawValue: limit = floodGuard.receivedSettings(now: .now())
    default: return true
    }
    guard let limit else { return true }
    exceed(limit)
    return false
  }

  /// Gives up a stream whose header block is far over the limit: nghttp2 decodes the rest, so that the HPACK table stays in
  /// step, and looks at none of it. Its checks of what few bytes can stand for, 50 MB in one frame, cost 20 ms.
  ///
  /// - Returns: What the callback returns to nghttp2.
  func giveUpHeaders(of id: Int32) -> Int32 {
    if role == .server, let limit = floodGuard.receivedLargeHeaders(now: .now()) {
      exceed(limit)
      return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
    }
    stream(raw, id)?.receiver?.headersTooLarge(size: headersSize)
    _ = nghttp2_submit_rst_stream(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, HTTP2ErrorCode.enhanceYourCalm.rawValue)
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
  }

  /// Counts a frame that goes out.
  func noteSent(_ frame: UnsafePointer<nghttp2_frame>) {
    switch UInt32(frame.pointee.hd.type) {
    case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue: floodGuard.traffic()
    case NGHTTP2_GOAWAY.rawValue: noteSent(frame.pointee.goaway)
    case NGHTTP2_RST_STREAM.rawValue:
      let code = frame.pointee.rst_stream.error_code
      guard code != HTTP2ErrorCode.noError.rawValue, code != HTTP2ErrorCode.cancel.rawValue else { return }
      if let limit = floodGuard.causedReset(now: .now()) { exceed(limit) }
    default: break
    }
  }

  private func noteSent(_ goAway: nghttp2_goaway) {
    guard goAway.error_code != HTTP2ErrorCode.noError.rawValue, ownEnd == nil else { return }
    let text = String(
      decoding: UnsafeBufferPointer(start: goAway.opaque_data, count: goAway.opaque_data_len), as: UTF8.self)
    let code = HTTP2ErrorCode.name(goAway.error_code)
    if let exceeded {
      ownEnd = "the peer sent \(exceeded) (GOAWAY \(code) of this end: \(text))"
    } else {
      ownEnd = "what came is malformed: \(text.isEmpty ? "" : "\(text) ")(GOAWAY \(code) of this end)"
    }
  }

  /// Ends the connection for a budget that the peer has gone past.
  func exceed(_ limit: FloodLimit) {
    guard exceeded == nil else { return }
    exceeded = limit
    submitGoAway(errorCode: .enhanceYourCalm, debugData: limit.rawValue)
  }
}
