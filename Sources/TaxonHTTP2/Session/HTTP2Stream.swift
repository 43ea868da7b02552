// SPDX-License-Identifier: Apache-2.0

/// One HTTP/2 stream of a session. The session calls the `received…` and `closed` methods, which a subclass overrides,
/// from inside `HTTP2Session.receive` or `drain`; everything happens on the connection's event loop.
open class HTTP2Stream {
  /// The stream's number, 0 before it has one.
  public internal(set) final var id: Int32 = 0
  // Unowned, since the session sets it to nil when it lets go of the stream, in its deinit at the latest.
  /// The session, as long as the stream is open in it.
  public internal(set) final unowned(unsafe) var session: HTTP2Session?
  /// Where the stream stands in the session's list.
  final var slot = -1

  final var outbound = OutboundBuffer()
  final var isOutboundFinished = false
  /// Sent after the last byte of the body; nil when END_STREAM goes with the body.
  final var trailers: HeaderBlock?
  /// Headers given to nghttp2 without copying live until it has sent them.
  final var submittedHead: HeaderBlock?

  /// A stream that is in no session yet.
  public init() {}

  /// One field of a header block; the pointers are good during the call.
  open func received(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {}

  /// A header block is complete: the head, or the trailers when the head came before.
  open func receivedHeaders(endStream: Bool) {}

  /// A piece of the body; the pointer is good during the call. The bytes are to be given to `session.consume` when they
  /// have been dealt with, else the peer's window stays closed.
  open func received(data: UnsafeRawBufferPointer) {}

  /// The body ended without trailers.
  open func receivedEnd() {}

  /// The request was never sent, because the peer wants no more streams (client). `closed` follows.
  open func notSent() {}

  /// A header block is larger than nghttp2 sends (64 KiB). The stream is reset; `closed` follows.
  open func headersTooLarge() {}

  /// The stream is over; the code is an HTTP/2 error code (RFC 9113 §7), 0 for a good end. Nothing is called after this.
  open func closed(errorCode: UInt32) {}

  /// Bytes that wait for the peer's window.
  public final var outboundCount: Int { outbound.count }

  /// Appends bytes to the body; `body` fills all of them.
  public final func send(_ size: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
    precondition(!isOutboundFinished, "a body is not continued after its end")
    outbound.append(size, body)
    session?.resume(self)
  }

  /// Ends the body, with trailers if there are any.
  public final func finish(trailers: HeaderBlock?) {
    guard !isOutboundFinished else { return }
    isOutboundFinished = true
    self.trailers = trailers
    session?.resume(self)
  }
}
