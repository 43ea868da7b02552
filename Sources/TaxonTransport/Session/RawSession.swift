// SPDX-License-Identifier: Apache-2.0
import CNghttp2

/// The callbacks, made once and copied by nghttp2 into every session.
// Written before anybody sees it and never changed.
nonisolated(unsafe) private let callbacks: OpaquePointer? = {
  var callbacks: OpaquePointer?
  guard nghttp2_session_callbacks_new(&callbacks) == 0 else { return nil }
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { raw, frame, user in
    guard let frame, frame.pointee.hd.type == NGHTTP2_HEADERS.rawValue else { return 0 }
    let session = session(user)
    session.headersSize = 0
    guard frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST else { return 0 }
    let id = frame.pointee.hd.stream_id
    let stream = session.makeStream()
    guard let receiver = session.delegate?.makeReceiver(for: stream) else {
      nghttp2_submit_rst_stream(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, HTTP2ErrorCode.refusedStream.rawValue)
      return 0
    }
    stream.receiver = receiver
    session.add(stream, id: id)
    session.headers = .passUnretained(stream)
    session.headersID = id
    nghttp2_session_set_stream_user_data(raw, id, Unmanaged.passUnretained(stream).toOpaque())
    return 0
  }
  nghttp2_session_callbacks_set_on_header_callback(callbacks) {
    raw, frame, name, nameCount, value, valueCount, _, user in
    guard let frame else { return 0 }
    return unownedSession(user)._withUnsafeGuaranteedRef { session in
      let id = frame.pointee.hd.stream_id
      session.headersSize += nameCount + valueCount + 32
      guard session.headersSize <= session.maxSeenHeadersSize else { return session.giveUpHeaders(of: id) }
      // The fields of a block come one after the other: the stream is sought once.
      if session.headersID != id {
        session.headers = stream(raw, id).map { .passUnretained($0) }
        session.headersID = id
      }
      session.headers?._withUnsafeGuaranteedRef { stream in
        stream.receiver?.received(
          name: UnsafeBufferPointer(start: name, count: nameCount),
          value: UnsafeBufferPointer(start: value, count: valueCount))
      }
      return 0
    }
  }
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { raw, frame, user in
    guard let frame else { return 0 }
    let endStream = frame.pointee.hd.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
    let isAck = frame.pointee.hd.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0
    let isAdmitted = unownedSession(user)._withUnsafeGuaranteedRef {
      $0.admit(frame, endStream: endStream, isAck: isAck)
    }
    guard isAdmitted else { return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }
    switch UInt32(frame.pointee.hd.type) {
    case NGHTTP2_HEADERS.rawValue:
      receiver(raw, frame.pointee.hd.stream_id)?.receivedHeaders(endStream: endStream)
    case NGHTTP2_DATA.rawValue where endStream: receiver(raw, frame.pointee.hd.stream_id)?.receivedEnd()
    case NGHTTP2_RST_STREAM.rawValue: stream(raw, frame.pointee.hd.stream_id)?.receiver?.receivedReset()
    case NGHTTP2_SETTINGS.rawValue where !isAck:
      let session = session(user)
      session.delegate?.receivedSettings()
      // The peer allows fewer than are about to be sent.
      if session.streams.count > session.maxConcurrentStreams { session.withdrawUnsent() }
    case NGHTTP2_SETTINGS.rawValue: session(user).delegate?.receivedSettingsAck()
    case NGHTTP2_PING.rawValue where isAck:
      let payload = withUnsafeBytes(of: frame.pointee.ping.opaque_data) { $0.loadUnaligned(as: UInt64.self) }
      let session = session(user)
      if !session.answeredPing(payload) { session.delegate?.receivedPingAck(payload) }
    case NGHTTP2_GOAWAY.rawValue:
      let goAway = frame.pointee.goaway
      // nghttp2 closes the streams above the last one with REFUSED_STREAM, as if a reset had come.
      for stream in session(user).streams where stream.id > goAway.last_stream_id { stream.receiver?.notProcessed() }
      session(user).delegate?.receivedGoAway(
        lastStreamID: goAway.last_stream_id, errorCode: goAway.error_code,
        debugData: Array(UnsafeBufferPointer(start: goAway.opaque_data, count: goAway.opaque_data_len)))
      session(user).withdrawUnsent()
    default: break
    }
    return 0
  }
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, user in
    guard let frame else { return 0 }
    unownedSession(user)._withUnsafeGuaranteedRef {
      $0.noteSent(frame)
      if $0.waitingBlocks > 0 { $0.noteLiterals(frame) }
    }
    return 0
  }
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { raw, flags, id, data, count, user in
    // The connection's window is opened once for all that one read brings.
    unownedSession(user)._withUnsafeGuaranteedRef { $0.unconsumed += count }
    let isLast = flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
    guard let stream = stream(raw, id) else { return 0 }
    stream.receiver?.received(data: UnsafeRawBufferPointer(start: data, count: count), isLast: isLast)
    if stream.state.completedMessages > 0 {
      unownedSession(user)._withUnsafeGuaranteedRef { $0.completedMessages += stream.state.completedMessages }
      stream.state.completedMessages = 0
    }
    return 0
  }
  nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) { raw, frame, code, user in
    guard let frame, frame.pointee.hd.type == NGHTTP2_HEADERS.rawValue,
      let stream = stream(raw, frame.pointee.hd.stream_id)
    else { return 0 }
    if code == NGHTTP2_ERR_START_STREAM_NOT_ALLOWED.rawValue {
      stream.receiver?.notProcessed()
    } else if code == NGHTTP2_ERR_FRAME_SIZE_ERROR.rawValue {
      session(user).headersTooLarge(stream, frame.pointee.headers.cat)
    }
    return 0
  }
  nghttp2_session_callbacks_set_error_callback2(callbacks) { _, _, text, count, user in
    guard let text else { return 0 }
    session(user).invalidField = text.withMemoryRebound(to: UInt8.self, capacity: count) {
      invalidField(String(decoding: UnsafeBufferPointer(start: $0, count: count), as: UTF8.self))
    }
    return 0
  }
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) { raw, frame, code, user in
    guard let frame else { return 0 }
    let field = session(user).invalidField.take()
    let endStream = frame.pointee.hd.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
    // Of what is wrong with a message's headers as a whole nghttp2 says no more than that something is.
    let reason = code == NGHTTP2_ERR_HTTP_MESSAGING.rawValue ? nil : field ?? String(cString: nghttp2_strerror(code))
    stream(raw, frame.pointee.hd.stream_id)?.receiver?.malformed(reason, endStream: endStream)
    return 0
  }
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { raw, id, errorCode, user in
    let session = session(user)
    guard let stream = stream(raw, id), stream.session === session else { return 0 }
    session.remove(stream)?.closed(errorCode: errorCode)
    session.delegate?.streamClosed()
    return 0
  }
  return callbacks
}()

/// The name of a field from nghttp2's "Invalid HTTP header field was received: frame type: 1, stream: 1, name: [x], value:
/// [y]"; values may be secret. Nil for anything else that it says, such as that it left a field out.
private func invalidField(_ text: String) -> String? {
  guard text.hasPrefix("Invalid HTTP header field"), let start = text.firstRange(of: "name: [")?.upperBound else {
    return nil
  }
  let rest = text[start...]
  let name = rest.firstRange(of: "], value: [").map { rest[..<$0.lowerBound] } ?? rest
  return "the header field \"\(name.prefix(64))\" is invalid, or not allowed there"
}

private func session(_ user: UnsafeMutableRawPointer?) -> HTTP2Session { unownedSession(user).takeUnretainedValue() }

/// The session, which is alive while it is called.
private func unownedSession(_ user: UnsafeMutableRawPointer?) -> Unmanaged<HTTP2Session> {
  // Set in HTTP2Session.init, before any byte is received.
  .fromOpaque(user!)
}

/// The stream of a number; nil when it is closed, or nobody holds it.
func stream(_ raw: OpaquePointer?, _ id: Int32) -> HTTP2Stream? {
  guard let pointer = nghttp2_session_get_stream_user_data(raw, id) else { return nil }
  return Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeUnretainedValue()
}

/// The receiver of the stream with a number.
private func receiver(_ raw: OpaquePointer?, _ id: Int32) -> (any HTTPExchangeReceiver)? {
  guard let pointer = nghttp2_session_get_stream_user_data(raw, id) else { return nil }
  return Unmanaged<HTTP2Stream>.fromOpaque(pointer)._withUnsafeGuaranteedRef { $0.receiver }
}

func makeRawSession(
  role: HTTP2Session.Role, configuration: HTTP2Configuration, memory: SessionMemory.Lists
) throws(HTTP2Error) -> OpaquePointer {
  var option: OpaquePointer?
  guard let callbacks, nghttp2_option_new(&option) == 0 else { throw HTTP2Error(NGHTTP2_ERR_NOMEM.rawValue) }
  defer { nghttp2_option_del(option) }
  nghttp2_option_set_no_auto_window_update(option, 1)
  nghttp2_option_set_no_closed_streams(option, 1)
  nghttp2_option_set_max_outbound_ack(option, configuration.flood.maxUnsentAcks)
  // FloodGuard counts resets, and says why the connection ends; nghttp2's own budget is the second fence.
  _ = taxon_nghttp2_set_limits(
    option, 2 * UInt64(configuration.flood.resets.burst), 2 * UInt64(configuration.flood.resets.perSecond),
    configuration.flood.maxContinuations)
  // gRPC lets white space around values be stripped; nghttp2 would reset the stream.
  nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(option, 1)
  var raw: OpaquePointer?
  // nghttp2 copies the functions.
  var functions = SessionMemory.functions(memory)
  let code =
    switch role {
    case .client: nghttp2_session_client_new3(&raw, callbacks, nil, option, &functions)
    case .server: nghttp2_session_server_new3(&raw, callbacks, nil, option, &functions)
    }
  guard code == 0, let raw else { throw HTTP2Error(code) }
  return raw
}

/// Where nghttp2 gets a stream's body from. The stream is in the session's list, and so alive, as long as nghttp2 asks.
func bodyProvider(_ stream: HTTP2Stream) -> nghttp2_data_provider {
  nghttp2_data_provider(
    source: nghttp2_data_source(ptr: Unmanaged.passUnretained(stream).toOpaque()),
    read_callback: { raw, id, target, capacity, flags, source, _ in
      guard let flags, let pointer = source?.pointee.ptr else { return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue) }
      let stream = Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeUnretainedValue()
      let count = stream.readOutbound(into: UnsafeMutableRawBufferPointer(start: target, count: capacity))
      guard stream.outbound.count == 0, stream.state.isFinished else {
        if count > 0 { return count }
        stream.state.isDeferred = true
        return Int(NGHTTP2_ERR_DEFERRED.rawValue)
      }
      flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
      if let trailers = stream.trailers {
        flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
        stream.willSend(trailers)
        nghttp2_submit_trailer(raw, id, trailers.fields.baseAddress, trailers.fields.count)
      }
      return count
    })
}

extension HTTP2Session {
  /// nghttp2 is about to hand out a frame; it closes the stream before it does.
  func noteLiterals(_ frame: UnsafePointer<nghttp2_frame>) {
    let header = frame.pointee.hd
    guard header.type == NGHTTP2_HEADERS.rawValue, header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 else {
      return
    }
    sentBlock = stream(raw, header.stream_id)?.sendsLastBlock()
  }

  /// Hands out a frame of headers with literals at the end of its block.
  ///
  /// A block is a sequence of fields (RFC 7541 §2.3), of which these leave the peer's table as it is: nghttp2, which
  /// does not know of them, stays in step.
  func drain(
    _ frame: UnsafeRawBufferPointer, with literals: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Bool
  ) -> Bool {
    let size = frame.count - 9
    // The length is the first three bytes, the type the fourth (RFC 9113 §4.1).
    assert(frame.loadUnaligned(as: UInt32.self).bigEndian == UInt32(size) << 8 | NGHTTP2_HEADERS.rawValue)
    var start = (UInt32(size + literals.count) << 8 | NGHTTP2_HEADERS.rawValue).bigEndian
    withUnsafeBytes(of: &start) { _ = body($0) }
    _ = body(UnsafeRawBufferPointer(rebasing: frame[4...]))
    return body(literals)
  }
}
