// SPDX-License-Identifier: Apache-2.0
import CNghttp2
import NIOCore

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
