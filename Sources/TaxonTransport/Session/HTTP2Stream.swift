// SPDX-License-Identifier: Apache-2.0

/// One HTTP/2 stream of a session. The session calls the `received…` and `closed` methods, which a subclass overrides,
/// from inside `HTTP2Session.receive` or `drain`; everything happens on the connection's event loop.
open class HTTP2Stream {
  /// The stream's number, 0 before it has one.
  @exclusivity(unchecked) public internal(set) final var id: Int32 = 0
  /// The session, as long as the stream is open in it.
  public internal(set) final var session: HTTP2Session? {
    get { unownedSession?.takeUnretainedValue() }
    set { unownedSession = newValue.map { .passUnretained($0) } }
  }
  // Unowned, since the session sets it to nil when it lets go of the stream, in its deinit at the latest.
  @exclusivity(unchecked) final var unownedSession: Unmanaged<HTTP2Session>?
  /// Where the stream stands in the session's list.
  @exclusivity(unchecked) final var slot = -1

  @exclusivity(unchecked) final var outbound = OutboundBuffer()
  /// True once bytes of the body have been handed to nghttp2.
  @exclusivity(unchecked) package private(set) final var hasSentBody = false
  /// Bytes that are not in the stream's body yet and wait for room in it.
  @exclusivity(unchecked) private(set) final var announcedCount = 0
  /// Bytes of the body that nghttp2 has taken since `stalls` was last asked.
  @exclusivity(unchecked) private final var takenCount = 0
  @exclusivity(unchecked) private final var stallCount = 0
  /// Bytes by which the peer's window was made larger than at the beginning.
  @exclusivity(unchecked) final var windowGrowth = 0
  /// True once the end of the body has been given.
  @exclusivity(unchecked) public internal(set) final var isOutboundFinished = false
  /// nghttp2 has asked for bytes, got none, and waits to be told of some.
  @exclusivity(unchecked) final var isDeferred = false
  @exclusivity(unchecked) private final var wantsRoom = false
  /// Messages that the piece of the body being read has completed; for the flood guard.
  @exclusivity(unchecked) final var completedMessages = 0
  /// This end has reset the stream, or nghttp2 is about to close it: no RST_STREAM is submitted any more.
  @exclusivity(unchecked) final var isReset = false
  /// Sent after the last byte of the body; nil when END_STREAM goes with the body.
  @exclusivity(unchecked) package internal(set) final var trailers: HeaderBlock?
  /// The block that ends the stream has literals, and is not sent yet.
  @exclusivity(unchecked) private(set) final var hasLiterals = false
  /// Headers given to nghttp2 without copying live until it has sent them.
  @exclusivity(unchecked) package internal(set) final var submittedHead: HeaderBlock?

  /// A stream that is in no session yet.
  public init() {}

  /// One field of a header block; the pointers are good during the call.
  open func received(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {}

  /// A header block is complete: the head, or the trailers when the head came before.
  open func receivedHeaders(endStream: Bool) {}

  /// A piece of the body; the pointer is good during the call. The bytes are to be given to `session.consume` when they
  /// have been dealt with, else the peer's window stays closed.
  ///
  /// - Parameter isLast: The body ends with the frame: the stream's window is of no more use.
  open func received(data: UnsafeRawBufferPointer, isLast: Bool) {}

  /// The body ended without trailers.
  open func receivedEnd() {}

  /// The peer did not process the request and will not (client): it was never sent, or a GOAWAY names a lower last
  /// stream. `closed` follows.
  open func notProcessed() {}

  /// A header block of this end is larger than nghttp2 sends (64 KiB).
  ///
  /// - Parameter isHead: False for trailers.
  /// - Returns: What a server sends instead, to end the stream; nil: the stream is reset, and `closed` follows.
  open func headersTooLarge(isHead: Bool) -> HeaderBlock? { nil }

  /// The peer's header block has a field that is larger than nghttp2 takes: the connection ends for it, and `closed`
  /// follows. Sizes in bytes.
  open func fieldTooLarge(size: Int, limit: Int) {}

  /// The peer has reset the stream; `closed` follows.
  open func receivedReset() {}

  /// A frame of the peer breaks HTTP/2, and the stream is reset for it; `closed` follows.
  ///
  /// - Parameters:
  ///   - reason: Nil when its headers are good one by one, and not as those of a message (RFC 9113 §8.1, §8.3).
  ///   - endStream: Whether it would have ended the stream.
  open func malformed(_ reason: String?, endStream: Bool) {}

  /// The peer's header block is far over the limit: so many bytes came, and the rest is not looked at. The stream is
  /// reset; `closed` follows.
  open func headersTooLarge(size: Int) {}

  /// The stream is over; the code is an HTTP/2 error code (RFC 9113 §7), 0 for a good end. Nothing is called after this.
  open func closed(errorCode: UInt32) {}

  /// There is room again for bytes of the body, after `needsRoom` was called.
  open func outboundHasRoom() {}

  /// Bytes that wait for the peer's window.
  public final var outboundCount: Int { outbound.count }

  /// False while more than 64 KiB wait for the peer's window, or anything when the connection holds too much: who can
  /// wait should.
  public final var hasRoom: Bool {
    guard outbound.count > 0 else { return true }
    guard outbound.count < Self.highWater else { return false }
    guard let session else { return true }
    return !session.ledger.isFull(sent: session.outboundCount)
  }

  /// True while what waits for the peer's windows leaves no room for another answer.
  package final var hasToWait: Bool {
    unownedSession?._withUnsafeGuaranteedRef { session in
      session.ledger.isFull(sent: session.outboundCount) || session.ledger.isFullForAll && session.isClosed(to: self)
    } ?? false
  }

  /// Says how many bytes wait elsewhere for room in the body: the connection holds them too.
  package final func announce(_ count: Int) {
    guard count != announcedCount else { return }
    session?.outboundCount += count - announcedCount
    announcedCount = count
  }

  /// To be asked at intervals. How often in a row the peer has taken next to nothing of what waits for it, or has kept its
  /// window closed to what waits to be begun.
  package final func stalls() -> Int {
    defer { takenCount = 0 }
    let waits = waitingCount > 0 || waitsForStart && session?.isClosed(to: self) == true
    stallCount = waits && takenCount < Self.leastTaken ? stallCount + 1 : 0
    return stallCount
  }

  /// The call waits to be started, since there is too much to send.
  @exclusivity(unchecked) package final var waitsForStart = false

  /// Bytes that wait for the peer's window, those included that wait for room in the body.
  package final var waitingCount: Int { outbound.count + announcedCount }

  /// Bytes in an interval below which a peer that is offered more counts as stalled: one frame.
  private static let leastTaken = 16 * 1024

  private static let highWater = 64 * 1024
  private static let lowWater = 16 * 1024

  /// Asks for a call of `outboundHasRoom` once most of what waits is gone.
  public final func needsRoom() { wantsRoom = true }

  /// Moves bytes of the body to nghttp2.
  final func readOutbound(into target: UnsafeMutableRawBufferPointer) -> Int {
    let count = outbound.read(into: target)
    session?.outboundCount -= count
    if count > 0 { hasSentBody = true }
    takenCount += count
    if wantsRoom, outbound.count <= Self.lowWater {
      wantsRoom = false
      outboundHasRoom()
    }
    return count
  }

  /// The piece of the body that is being read has completed a message. A function, since code of other modules would check
  /// the access.
  package final func messageCompleted() { completedMessages += 1 }

  /// Appends bytes to the body; `body` fills all of them.
  public final func send(_ size: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
    precondition(!isOutboundFinished, "a body is not continued after its end")
    session?.assertOnLoop()
    outbound.append(size, body)
    session?.outboundCount += size
    session?.resume(self)
  }

  /// Lets `write` append to the body; what it has appended when it throws stays.
  package final func send<Failure>(_ write: (inout OutboundBuffer) throws(Failure) -> Void) throws(Failure) {
    let before = outbound.count
    if !outbound.hasMemory { unownedSession?._withUnsafeGuaranteedRef { outbound.adopt($0.spareBuffer()) } }
    try write(&outbound)
    unownedSession?._withUnsafeGuaranteedRef { session in
      session.outboundCount += outbound.count - before
      session.resume(self)
    }
  }

  /// Takes memory for the body that a session has to spare.
  package final func adoptMemory(of session: HTTP2Session?) { outbound.adopt(session?.spareBuffer()) }

  /// Appends what is in a buffer to the body.
  package final func send(contentsOf buffer: inout OutboundBuffer) {
    precondition(!isOutboundFinished, "a body is not continued after its end")
    let size = buffer.count
    guard size > 0 else { return }
    outbound.append(contentsOf: &buffer)
    session?.outboundCount += size
    session?.resume(self)
  }

  /// Moves what waits of the body out, behind what is in the buffer; of a stream that is closed.
  package final func takeBack(into buffer: inout OutboundBuffer) { buffer.append(contentsOf: &outbound) }

  /// nghttp2 is given the block that ends the stream.
  final func willSend(_ block: HeaderBlock) {
    guard !block.literals.isEmpty else { return }
    hasLiterals = true
    session?.waitingBlocks += 1
  }

  /// nghttp2 hands out the block that ends the stream: returns it if it has literals.
  final func sendsLastBlock() -> HeaderBlock? {
    guard hasLiterals else { return nil }
    hasLiterals = false
    session?.waitingBlocks -= 1
    return trailers ?? submittedHead
  }

  /// Ends the body, with trailers if there are any.
  public final func finish(trailers: HeaderBlock?) {
    guard !isOutboundFinished else { return }
    isOutboundFinished = true
    self.trailers = trailers
    unownedSession?._withUnsafeGuaranteedRef { $0.resume(self) }
  }
}
