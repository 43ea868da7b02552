// SPDX-License-Identifier: Apache-2.0
import CNghttp2
import NIOCore

/// What a session tells the one who owns it.
package protocol HTTP2SessionDelegate: HTTPConnectionDelegate {
  /// The peer wants to end the connection; streams above `lastStreamID` were not processed.
  func receivedGoAway(lastStreamID: Int32, errorCode: UInt32, debugData: [UInt8])
  /// The peer's SETTINGS came, first or again.
  func receivedSettings()
  /// The peer answered a PING.
  func receivedPingAck(_ payload: UInt64)
  /// The peer has taken note of this end's SETTINGS.
  func receivedSettingsAck()
}

extension HTTP2SessionDelegate {
  /// Does nothing.
  package func receivedSettingsAck() {}
  /// Does nothing.
  package func drained() {}
}

/// What writes the output of a session.
package protocol HTTP2SessionTransport: AnyObject {
  /// There may be something to drain.
  func scheduleFlush()
  /// In debug builds, stops the process when this is not the connection's event loop.
  func assertOnLoop()
}

/// HTTP/2 without I/O: bytes of the peer go in through `receive`, bytes for the peer come out of `drain`. nghttp2 does
/// the protocol; this type owns its session and hands what happens to streams.
///
/// Not thread-safe: a session lives on one event loop.
package final class HTTP2Session {
  /// Which end of the connection the session is.
  package enum Role: Sendable { case client, server }

  private let memory = SessionMemory.make()
  // nghttp2 owns the memory behind the pointer until deinit.
  let raw: OpaquePointer
  /// Which end it is.
  package let role: Role
  /// Learns what happens to the connection.
  @exclusivity(unchecked) package weak var delegate: (any HTTP2SessionDelegate)?
  /// Every stream that is open, in no order.
  @exclusivity(unchecked) package private(set) var streams: [HTTP2Stream] = []
  /// Learns when there may be something to drain; the transport takes itself out before it goes.
  @exclusivity(unchecked) package unowned(unsafe) var transport: (any HTTP2SessionTransport)?
  /// Bytes of all streams that wait for the peer's windows.
  @exclusivity(unchecked) package internal(set) var outboundCount = 0 {
    didSet { ledger.settle(sent: outboundCount) }
  }
  /// What the connection holds for its peer.
  package let ledger: ConnectionLedger
  /// Bytes that the peer may send on a stream at its beginning.
  let streamWindow: Int
  @exclusivity(unchecked) private var answeredEarly: [HTTP2Stream] = []
  /// The stream whose header block is being read.
  @exclusivity(unchecked) var headers: Unmanaged<HTTP2Stream>?
  @exclusivity(unchecked) var headersID: Int32 = 0
  /// The size of the header block that is being read, as far as it came (RFC 9113 §6.5.2).
  @exclusivity(unchecked) var headersSize = 0
  let maxHeadersSize: Int
  /// How much of a block is looked at: what is somewhat too large is still answered, what is far too large is not worth it.
  let maxSeenHeadersSize: Int
  @exclusivity(unchecked) var tuner: WindowTuner
  /// Bytes of bodies that came with the read that is going on.
  @exclusivity(unchecked) var unconsumed = 0
  /// Memory of bodies that are sent, for the next ones.
  @exclusivity(unchecked) private var spareBuffers: [UnsafeMutableRawBufferPointer] = []
  /// Streams that are over, to be used again.
  @exclusivity(unchecked) private var spareStreams: [HTTP2Stream] = []
  /// How many of each: a little more than the streams that a peer may have open.
  private static let keptCount = 128
  @exclusivity(unchecked) private var isReceiving = false
  @exclusivity(unchecked) private var isLost = false
  @exclusivity(unchecked) var floodGuard: FloodGuard
  @exclusivity(unchecked) private var scanner: FrameScanner
  /// This end has sent GOAWAY, or is about to.
  @exclusivity(unchecked) private var hasGoneAway = false
  /// The GOAWAY with an error that this end has sent, and what for; nil when it has sent none.
  @exclusivity(unchecked) package internal(set) var ownEnd: String?
  /// What is wrong with a header field, of which nghttp2 is about to say that its frame is invalid.
  @exclusivity(unchecked) var invalidField: String?
  /// Messages that the DATA frame being read has completed.
  @exclusivity(unchecked) var completedMessages = 0
  /// The budget that the peer has gone past, for which the connection ends.
  @exclusivity(unchecked) package internal(set) var exceeded: FloodLimit?

  /// How many streams have a block with literals that is not sent yet.
  @exclusivity(unchecked) var waitingBlocks = 0
  /// The block with literals that nghttp2 has just handed out without them.
  @exclusivity(unchecked) var sentBlock: HeaderBlock?

  /// A session that has its first SETTINGS ready to be drained.
  ///
  /// - Throws: `HTTP2Error` when nghttp2 has no memory or takes no such setting.
  package init(
    role: Role, configuration: HTTP2Configuration, ledger: ConnectionLedger = ConnectionLedger()
  ) throws(HTTP2Error) {
    self.role = role
    self.ledger = ledger
    streamWindow = configuration.streamWindow
    tuner = WindowTuner(window: configuration.streamWindow, limit: configuration.maxStreamWindow)
    floodGuard = FloodGuard(configuration.flood, now: .now())
    maxHeadersSize = configuration.maxHeaderListSize
    maxSeenHeadersSize = 4 * configuration.maxHeaderListSize
    scanner = FrameScanner(role: role)
    do throws(HTTP2Error) {
      raw = try makeRawSession(role: role, configuration: configuration, memory: memory)
    } catch {
      SessionMemory.destroy(memory)
      throw error
    }
    nghttp2_session_set_user_data(raw, Unmanaged.passUnretained(self).toOpaque())
    try submitSettings(configuration)
  }

  deinit {
    for stream in streams { stream.leave()?.closed(errorCode: HTTP2ErrorCode.cancel.rawValue) }
    nghttp2_session_del(raw)
    for buffer in spareBuffers { buffer.deallocate() }
    SessionMemory.destroy(memory)
  }

  private func submitSettings(_ configuration: HTTP2Configuration) throws(HTTP2Error) {
    var settings = [
      nghttp2_settings_entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, configuration.streamWindow),
      nghttp2_settings_entry(NGHTTP2_SETTINGS_MAX_FRAME_SIZE, configuration.maxFrameSize),
      nghttp2_settings_entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, configuration.maxHeaderListSize),
      nghttp2_settings_entry(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1),
    ]
    switch role {
    case .client: settings.append(nghttp2_settings_entry(NGHTTP2_SETTINGS_ENABLE_PUSH, 0))
    case .server:
      settings.append(
        nghttp2_settings_entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, configuration.maxConcurrentStreams))
    }
    try check(nghttp2_submit_settings(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), settings, settings.count))
    try check(
      nghttp2_session_set_local_window_size(
        raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, Int32(clamping: configuration.connectionWindow)))
  }

  // MARK: Bytes

  /// Takes bytes of the peer. What they cause (headers, data, closed streams) is called from inside.
  ///
  /// - Throws: `HTTP2Error` when the connection is beyond repair; what `drain` still yields says so to the peer.
  package func receive(_ bytes: UnsafeRawBufferPointer) throws(HTTP2Error) {
    assertOnLoop()
    guard !isLost else { return }
    do throws(FrameScanner.Violation) {
      try scanner.scan(bytes)
    } catch {
      // Who speaks another protocol would not know what a GOAWAY is.
      if error.isOtherProtocol { throw HTTP2Error(NGHTTP2_ERR_PROTO.rawValue, reason: error.reason) }
      // What nghttp2 finds in what came before goes first.
      try give(UnsafeRawBufferPointer(rebasing: bytes[..<error.offset]))
      if let (id, size) = error.field, let stream = stream(raw, id) {
        stream.receiver?.fieldTooLarge(size: size, limit: BlockScanner.limit)
        // gRPC's RESOURCE_EXHAUSTED.
        reset(stream, errorCode: .enhanceYourCalm)
      }
      submitGoAway(errorCode: error.code, debugData: error.reason)
      throw HTTP2Error(NGHTTP2_ERR_PROTO.rawValue, reason: error.reason)
    }
    try give(bytes)
  }

  /// In debug builds, stops the process when this is not the connection's event loop.
  package func assertOnLoop() {
    #if DEBUG
    transport?.assertOnLoop()
    #endif
  }

  /// False: the peer has seen nothing of the request, which still waits in nghttp2's queue (client).
  package func hasSent(_ stream: HTTP2Stream) -> Bool {
    // nghttp2 makes its stream when it packs the headers.
    role == .server || nghttp2_session_find_stream(raw, stream.id) != nil
  }

  private func give(_ bytes: UnsafeRawBufferPointer) throws(HTTP2Error) {
    isReceiving = true
    defer { isReceiving = false }
    defer { consumeConnection() }
    let taken = nghttp2_session_mem_recv(raw, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count)
    if taken < 0 {
      // nghttp2 counts these itself, and says nothing to the peer.
      if taken == Int(NGHTTP2_ERR_FLOODED.rawValue) || taken == Int(TAXON_NGHTTP2_TOO_MANY_CONTINUATIONS) {
        exceed(.frames)
      }
      // The callbacks fail for what goes past a budget alone.
      if let exceeded { throw HTTP2Error(NGHTTP2_ERR_FLOODED.rawValue, reason: "the peer sent \(exceeded)") }
      throw HTTP2Error(Int32(taken))
    }
  }

  /// Hands out what is ready for the peer, piece by piece, until there is no more or `body` returns false.
  ///
  /// - Throws: `HTTP2Error` when the connection is beyond repair.
  package func drain(_ body: (UnsafeRawBufferPointer) -> Bool) throws(HTTP2Error) {
    precondition(!isReceiving, "nghttp2 does not send while it receives")
    assertOnLoop()
    defer { delegate?.drained() }
    // After connectionLost nghttp2 still knows streams that nobody holds any more.
    while !isLost {
      var pointer: UnsafePointer<UInt8>?
      let count = nghttp2_session_mem_send(raw, &pointer)
      if count < 0 { throw HTTP2Error(Int32(count)) }
      if count == 0 {
        if resetAnswered() { continue }
        return
      }
      let frame = UnsafeRawBufferPointer(start: pointer, count: count)
      if let block = sentBlock.take() {
        if !drain(frame, with: block.literals, body) { return }
      } else if !body(frame) {
        return
      }
    }
  }

  /// Resets the streams that are answered to the end while the peer may still be sending. True: there is something to
  /// drain again.
  private func resetAnswered() -> Bool {
    guard !answeredEarly.isEmpty else { return false }
    var hasReset = false
    answeredEarly.removeAll { stream in
      guard stream.session === self else { return true }
      if role == .server, nghttp2_session_get_stream_local_close(raw, stream.id) != 1 { return false }
      reset(stream, errorCode: role == .server ? .noError : .cancel)
      hasReset = true
      return true
    }
    return hasReset
  }

  /// True while a stream is open.
  package var hasStreams: Bool { !streams.isEmpty }

  /// True when neither side has anything more to say: the connection can be closed.
  package var isFinished: Bool {
    nghttp2_session_want_read(raw) == 0 && nghttp2_session_want_write(raw) == 0
  }

  // MARK: Streams

  /// Opens a stream with a request that has a body (client).
  ///
  /// - Throws: `HTTP2Error` when no stream can be opened any more.
  package func submitRequest(
    _ stream: HTTP2Stream, to receiver: any HTTPExchangeReceiver, head: HeaderBlock
  ) throws(HTTP2Error) {
    assertOnLoop()
    guard !hasGoneAway else { throw HTTP2Error(NGHTTP2_ERR_START_STREAM_NOT_ALLOWED.rawValue) }
    stream.submittedHead = head
    // What was put into the body before the stream was in the session.
    outboundCount += stream.waitingCount
    var provider = bodyProvider(stream)
    let id = nghttp2_submit_request(
      raw, nil, head.fields.baseAddress, head.fields.count, &provider, Unmanaged.passUnretained(stream).toOpaque())
    if id < 0 { outboundCount -= stream.waitingCount }
    try check(id)
    stream.receiver = receiver
    add(stream, id: id)
    transport?.scheduleFlush()
  }

  /// Answers with a head and a body (server).
  package func submitResponse(_ stream: HTTP2Stream, head: HeaderBlock) {
    assertOnLoop()
    guard stream.session === self else { return }
    stream.submittedHead = head
    var provider = bodyProvider(stream)
    _ = nghttp2_submit_response(raw, stream.id, head.fields.baseAddress, head.fields.count, &provider)
    transport?.scheduleFlush()
  }

  /// Answers with headers alone, which end the stream (server; gRPC's Trailers-Only).
  package func submitHeadersOnly(_ stream: HTTP2Stream, head: HeaderBlock) {
    assertOnLoop()
    guard stream.session === self else { return }
    stream.submittedHead = head
    stream.state.isFinished = true
    stream.willSend(head)
    _ = nghttp2_submit_response(raw, stream.id, head.fields.baseAddress, head.fields.count, nil)
    transport?.scheduleFlush()
  }

  /// Ends a stream at once, with an HTTP/2 error code. Only the first reset of a stream counts.
  package func reset(_ stream: HTTP2Stream, errorCode: HTTP2ErrorCode) {
    assertOnLoop()
    // nghttp2 takes back a request that still waits to be sent when it is reset. A second reset would find nothing to take
    // back, and go out as RST_STREAM on an idle stream, for which the peer ends the connection (RFC 9113 §6.4).
    guard stream.session === self, !stream.state.isReset else { return }
    stream.state.isReset = true
    let isSent = hasSent(stream)
    _ = nghttp2_submit_rst_stream(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, errorCode.rawValue)
    if !isSent { close(stream, errorCode) }
    transport?.scheduleFlush()
  }

  /// Lets go of a request that was taken back. nghttp2 would close the stream when it comes to it in its queue, which it
  /// does not while the peer has no room for streams; for the peer and for everybody here there is none any more.
  private func close(_ stream: HTTP2Stream, _ errorCode: HTTP2ErrorCode) {
    remove(stream)?.closed(errorCode: errorCode.rawValue)
    delegate?.streamClosed()
  }

  /// Takes back the requests that have not been sent, since the peer wants no more streams, or has no room for them
  /// (client).
  func withdrawUnsent() {
    guard role == .client else { return }
    for stream in streams where !hasSent(stream) {
      stream.receiver?.notProcessed()
      reset(stream, errorCode: .refusedStream)
    }
  }

  /// nghttp2 sends no header block over 64 KiB: something else is sent in its place, or the stream is reset.
  func headersTooLarge(_ stream: HTTP2Stream, _ category: nghttp2_headers_category) {
    // nghttp2 closes the stream of a request itself: the peer has never seen it.
    if category == NGHTTP2_HCAT_REQUEST { stream.state.isReset = true }
    let isHead = category != NGHTTP2_HCAT_HEADERS
    let size = (isHead ? stream.submittedHead : stream.trailers)?.sizeBound ?? 0
    guard let block = stream.receiver?.cannotSend(headersOfSize: size, isHead: isHead) else {
      return reset(stream, errorCode: .internalError)
    }
    stream.trailers = isHead ? nil : block
    if isHead { stream.submittedHead = block }
    stream.state.isFinished = true
    if !stream.state.hasLiterals { stream.willSend(block) }
    let (fields, count) = (block.fields.baseAddress, block.fields.count)
    if isHead {
      _ = nghttp2_submit_response(raw, stream.id, fields, count, nil)
    } else {
      _ = nghttp2_submit_trailer(raw, stream.id, fields, count)
    }
  }

  /// The stream's END_STREAM has not gone out: nghttp2 keeps even an empty DATA frame while the peer's window is closed.
  package func hasUnsentEnd(_ stream: HTTP2Stream) -> Bool {
    stream.session === self && nghttp2_session_get_stream_local_close(raw, stream.id) == 0
  }

  /// Ends a stream with NO_ERROR once its answer is out, so that a peer that is still sending stops (RFC 9113 §8.1). A
  /// reset at once would overtake the answer. A client's is reset once the read that is going on has been dealt with:
  /// nghttp2 hands nothing out any more of a stream that is reset.
  package func resetWhenAnswered(_ stream: HTTP2Stream) {
    answeredEarly.append(stream)
    transport?.scheduleFlush()
  }

  /// Tells nghttp2, if it waits for it, that a stream has bytes or an end.
  func resume(_ stream: HTTP2Stream) {
    assertOnLoop()
    guard stream.state.isDeferred else { return }
    stream.state.isDeferred = false
    _ = nghttp2_session_resume_data(raw, stream.id)
    transport?.scheduleFlush()
  }

  // MARK: Connection

  /// First phase of a graceful end (RFC 9113 §6.8): no new streams, please; those on their way are still taken.
  package func submitShutdownNotice() {
    _ = nghttp2_submit_shutdown_notice(raw)
  }

  /// Second phase, or the only one: streams above the last that was processed are refused from here on. A client opens no
  /// more streams, and requests that have not left are taken back.
  package func submitGoAway(errorCode: HTTP2ErrorCode, debugData: String = "") {
    assertOnLoop()
    hasGoneAway = true
    withdrawUnsent()
    let bytes = Array(debugData.utf8)
    _ = nghttp2_submit_goaway(
      raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), nghttp2_session_get_last_proc_stream_id(raw), errorCode.rawValue, bytes,
      bytes.count)
  }

  /// Sends a PING; its answer comes to the delegate.
  package func submitPing(_ payload: UInt64) {
    var payload = payload
    withUnsafeBytes(of: &payload) { bytes in
      _ = nghttp2_submit_ping(
        raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), bytes.assumingMemoryBound(to: UInt8.self).baseAddress)
    }
  }

  /// How many streams the peer allows at once; 2^31-1 before its SETTINGS came, or when it sets no limit.
  package var maxConcurrentStreams: Int {
    Int(nghttp2_session_get_remote_settings(raw, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS))
  }

  /// Ends every stream because the connection is gone.
  package func connectionLost() {
    assertOnLoop()
    isLost = true
    while let stream = streams.last { remove(stream)?.closed(errorCode: HTTP2ErrorCode.cancel.rawValue) }
  }

  /// Gives up memory that is kept for the next calls.
  package func trim() {
    while let buffer = spareBuffers.popLast() { buffer.deallocate() }
    spareBuffers = []
    spareStreams = []
    if answeredEarly.isEmpty { answeredEarly = [] }
    if streams.isEmpty { streams = [] }
    SessionMemory.trim(memory)
    // A frame may be sent in part; it is in the block then.
    if nghttp2_session_want_write(raw) == 0 { SessionMemory.forgetFrames(memory) }
  }

  /// Memory for a body that begins; nil when there is none to spare.
  package func spareBuffer() -> UnsafeMutableRawBufferPointer? { spareBuffers.popLast() }

  // MARK: From the callbacks

  /// A stream that is in no session yet: one that was used before, if nobody holds it any more, or else a new one.
  package func makeStream() -> HTTP2Stream {
    let stream = takeSpareStream() ?? HTTP2Stream()
    // A request's body is there before its stream is.
    if role == .client { stream.outbound.adopt(spareBuffer()) }
    return stream
  }

  /// One of the last streams that are over. The call of the very last may still hold it, until its task does something else.
  private func takeSpareStream() -> HTTP2Stream? {
    for index in spareStreams.indices.suffix(3).reversed() where isKnownUniquelyReferenced(&spareStreams[index]) {
      let stream = spareStreams.remove(at: index)
      stream.reuse()
      return stream
    }
    return nil
  }

  func add(_ stream: HTTP2Stream, id: Int32) {
    stream.begin(id, in: self, at: streams.count)
    streams.append(stream)
  }

  /// Lets go of a stream that is over.
  ///
  /// - Returns: Who is to be told that it is closed.
  func remove(_ stream: HTTP2Stream) -> (any HTTPExchangeReceiver)? {
    if headersID == stream.id { headersID = 0 }
    let last = streams.removeLast()
    if last !== stream {
      streams[stream.state.slot] = last
      last.state.slot = stream.state.slot
    }
    outboundCount -= stream.waitingCount
    if stream.state.windowGrowth > 0 { ledger.shrink(by: stream.state.windowGrowth) }
    if stream.state.hasLiterals { waitingBlocks -= 1 }
    if spareBuffers.count < Self.keptCount, let buffer = stream.outbound.surrender() { spareBuffers.append(buffer) }
    _ = nghttp2_session_set_stream_user_data(raw, stream.id, nil)
    // What is left of a large body may still be taken back.
    if spareStreams.count < Self.keptCount, !stream.outbound.hasMemory { spareStreams.append(stream) }
    return stream.leave()
  }

  private func check(_ code: Int32) throws(HTTP2Error) {
    if code < 0 { throw HTTP2Error(code) }
  }
}

extension nghttp2_settings_entry {
  fileprivate init(_ id: nghttp2_settings_id, _ value: Int) {
    self.init(settings_id: Int32(id.rawValue), value: UInt32(clamping: value))
  }
}
