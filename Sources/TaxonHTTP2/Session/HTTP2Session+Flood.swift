// SPDX-License-Identifier: Apache-2.0
import CNghttp2
import NIOCore

extension HTTP2Session {
  /// Finds what nghttp2 lets pass in silence. False when the frame ends the connection.
  func mayBegin(_ head: nghttp2_frame_hd) -> Bool {
    switch UInt32(head.type) {
    case NGHTTP2_HEADERS.rawValue where role == .server:
      if streamNumbers.isSkipped(head.stream_id) {
        submitGoAway(errorCode: .protocolError, debugData: "HEADERS on a stream that was skipped")
        return false
      }
      if streamNumbers.isEnded(head.stream_id) {
        // DATA on such a stream cannot be told of: nghttp2 skips it without a callback.
        submitGoAway(errorCode: .streamClosed, debugData: "HEADERS on a stream that was ended")
        return false
      }
      streamNumbers.use(head.stream_id)
    case NGHTTP2_PRIORITY.rawValue where head.stream_id == 0:
      submitGoAway(errorCode: .protocolError, debugData: "PRIORITY on stream 0")
      return false
    default: break
    }
    return true
  }

  /// Counts a frame of the peer. False when it is one too many.
  func admit(_ frame: UnsafePointer<nghttp2_frame>, endStream: Bool, isAck: Bool) -> Bool {
    let head = frame.pointee.hd
    let limit: FloodLimit?
    let type = UInt32(head.type)
    // The flag means something else in other frames.
    let carries = type == NGHTTP2_HEADERS.rawValue || type == NGHTTP2_DATA.rawValue
    if carries && endStream || type == NGHTTP2_RST_STREAM.rawValue { streamNumbers.end(head.stream_id) }
    switch type {
    case NGHTTP2_DATA.rawValue where !endStream && head.length <= frame.pointee.data.padlen:
      limit = floodGuard.receivedEmptyData(now: .now())
    case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
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

  /// Counts a frame that goes out.
  func noteSent(_ frame: UnsafePointer<nghttp2_frame>) {
    switch UInt32(frame.pointee.hd.type) {
    case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue: floodGuard.traffic()
    case NGHTTP2_RST_STREAM.rawValue:
      let code = frame.pointee.rst_stream.error_code
      guard code != HTTP2ErrorCode.noError.rawValue, code != HTTP2ErrorCode.cancel.rawValue else { return }
      if let limit = floodGuard.causedReset(now: .now()) { exceed(limit) }
    default: break
    }
  }

  /// Ends the connection for a budget that the peer has gone past.
  func exceed(_ limit: FloodLimit) {
    guard exceeded == nil else { return }
    exceeded = limit
    submitGoAway(errorCode: .enhanceYourCalm, debugData: limit.rawValue)
  }
}
