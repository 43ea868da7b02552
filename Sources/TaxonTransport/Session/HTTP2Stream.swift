// SPDX-License-Identifier: Apache-2.0
import CNghttp2

/// One HTTP/2 stream of a session, which hands what comes to its receiver; everything happens on the connection's event loop.
///
/// Sessions use the objects again: one that nobody holds when its stream is over becomes another stream.
package final class HTTP2Stream: ServerExchange {
  /// What is different for each stream, so that nothing of it is left when the object is used again.
  struct State {
    /// The stream's number, 0 before it has one.
    var id: Int32 = 0
    /// Where the stream stands in the session's list.
    var slot = -1
    // Unowned, since the session sets it to nil when it lets go of the stream, in its deinit at the latest.
    var session: Unmanaged<HTTP2Session>?
    /// Bytes of the body have been handed to nghttp2.
    var hasSentBody = false
    /// Bytes that are not in the stream's body yet and wait for room in it.
    var announcedCount = 0
    /// Bytes of the body that nghttp2 has taken since `stalls` was last asked.
    var takenCount = 0
    var stallCount = 0
    /// Bytes by which the peer's window was made larger than at the beginning.
    var windowGrowth = 0
    /// The end of the body has been given.
    var isFinished = false
    /// nghttp2 has asked for bytes, got none, and waits to be told of some.
    var isDeferred = false
    var notifiesWhenWritable = false
    /// The call waits to be started, since there is too much to send.
    var waitsForStart = false
    /// Messages that the piece of the body being read has completed; for the flood guard.
    var completedMessages = 0
    /// This end has reset the stream, or nghttp2 is about to close it: no RST_STREAM is submitted any more.
    var isReset = false
    /// The block that ends the stream has literals, and is not sent yet.
    var hasLiterals = false
  }

  @exclusivity(unchecked) var state = State()
  @exclusivity(unchecked) var outbound = OutboundBuffer()
  /// Receives what comes, from when the stream is in a session to its end.
  @exclusivity(unchecked) package internal(set) var receiver: (any HTTPExchangeReceiver)?
  /// Sent after the last byte of the body; nil when END_STREAM goes with the body.
  @exclusivity(unchecked) var trailers: HeaderBlock?
  /// Headers given to nghttp2 without copying live until it has sent them.
  @exclusivity(unchecked) var submittedHead: HeaderBlock?

  /// A stream that is in no session yet.
  package init() {}

  /// The stream's number, 0 before it has one.
  package var id: Int32 { state.id }
  /// The session, as long as the stream is open in it.
  package var session: HTTP2Session? { state.session?.takeUnretainedValue() }

  // MARK: In a session

  /// Becomes a stream of a session.
  func begin(_ id: Int32, in session: HTTP2Session, at slot: Int) {
    state.id = id
    state.slot = slot
    state.session = .passUnretained(session)
  }

  /// The session has let go of the stream: what only an open one needs goes, and what its call may still ask stays.
  ///
  /// - Returns: Who is to be told, once.
  func leave() -> (any HTTPExchangeReceiver)? {
    state.session = nil
    state.slot = -1
    trailers = nil
    submittedHead = nil
    return receiver.take()
  }

  /// Becomes as new. Nobody else holds the stream.
  func reuse() { state = State() }

  // MARK: The body

  package var isFinished: Bool { state.isFinished }
  package var hasSentBody: Bool { state.hasSentBody }

  package func sendHead(_ head: HeaderBlock) { session?.submitResponse(self, head: head) }

  package func sendHeadersOnly(_ head: HeaderBlock) { session?.submitHeadersOnly(self, head: head) }

  package func takeSpareMemory() -> UnsafeMutableRawBufferPointer? {
    outbound.count == 0 && outbound.hasMemory
      ? outbound.surrender() : state.session?._withUnsafeGuaranteedRef { $0.spareBuffer() }
  }

  package func send(contentsOf buffer: inout OutboundBuffer) {
    precondition(!state.isFinished, "a body is not continued after its end")
    let size = buffer.count
    guard size > 0 else { return }
    outbound.append(contentsOf: &buffer)
    state.session?._withUnsafeGuaranteedRef { session in
      session.outboundCount += size
      session.resume(self)
    }
  }

  package func finish(trailers: HeaderBlock?) {
    guard !state.isFinished else { return }
    state.isFinished = true
    self.trailers = trailers
    state.session?._withUnsafeGuaranteedRef { $0.resume(self) }
  }

  package func takeBack(into buffer: inout OutboundBuffer) { buffer.append(contentsOf: &outbound) }

  /// Moves bytes of the body to nghttp2.
  func readOutbound(into target: UnsafeMutableRawBufferPointer) -> Int {
    let count = outbound.read(into: target)
    session?.outboundCount -= count
    if count > 0 { state.hasSentBody = true }
    state.takenCount += count
    if state.notifiesWhenWritable, outbound.count <= Self.lowWater {
      state.notifiesWhenWritable = false
      receiver?.becameWritable()
    }
    return count
  }

  /// nghttp2 is given the block that ends the stream.
  func willSend(_ block: HeaderBlock) {
    guard !block.literals.isEmpty else { return }
    state.hasLiterals = true
    session?.waitingBlocks += 1
  }

  /// nghttp2 hands out the block that ends the stream: returns it if it has literals.
  func sendsLastBlock() -> HeaderBlock? {
    guard state.hasLiterals else { return nil }
    state.hasLiterals = false
    session?.waitingBlocks -= 1
    return trailers ?? submittedHead
  }

  // MARK: Flow control

  package func consume(_ count: Int) { state.session?._withUnsafeGuaranteedRef { $0.consume(self, count) } }

  package func completedMessage() { state.completedMessages += 1 }

  package var isWritable: Bool {
    guard outbound.count > 0 else { return true }
    guard outbound.count < Self.highWater else { return false }
    guard let session else { return true }
    return !session.ledger.isFull(sent: session.outboundCount)
  }

  package func notifyWhenWritable() { state.notifiesWhenWritable = true }

  package func announce(_ count: Int) {
    guard count != state.announcedCount else { return }
    session?.outboundCount += count - state.announcedCount
    state.announcedCount = count
  }

  package var mustWaitToStart: Bool {
    state.session?._withUnsafeGuaranteedRef { session in
      session.ledger.isFull(sent: session.outboundCount) || session.ledger.isFullForAll && session.isClosed(to: self)
    } ?? false
  }

  package var isConnectionFull: Bool {
    state.session?._withUnsafeGuaranteedRef { $0.ledger.isFull(sent: $0.outboundCount) } ?? false
  }

  package var waitsForStart: Bool {
    get { state.waitsForStart }
    set { state.waitsForStart = newValue }
  }

  package var isBlocked: Bool { session?.isClosed(to: self) ?? false }

  package var ledger: ConnectionLedger? { session?.ledger }

  /// To be asked at intervals. How often in a row the peer has taken next to nothing of what waits for it, or has kept its
  /// window closed to what waits to be begun.
  package func stalls() -> Int {
    defer { state.takenCount = 0 }
    let waits = waitingCount > 0 || state.waitsForStart && isBlocked
    state.stallCount = waits && state.takenCount < Self.leastTaken ? state.stallCount + 1 : 0
    return state.stallCount
  }

  /// Bytes that wait for the peer's window, those included that wait for room in the body.
  package var waitingCount: Int { outbound.count + state.announcedCount }

  /// Bytes in an interval below which a peer that is offered more counts as stalled: one frame.
  private static let leastTaken = 16 * 1024
  private static let highWater = 64 * 1024
  private static let lowWater = 16 * 1024

  // MARK: The end

  package func reset(_ code: HTTP2ErrorCode) { session?.reset(self, errorCode: code) }

  package func resetWhenAnswered() { session?.resetWhenAnswered(self) }

  package var hasUnsentBody: Bool { outbound.count > 0 || !state.isFinished || session?.hasUnsentEnd(self) == true }

  package var owner: AnyObject? { session?.delegate }

  package var isFullDuplex: Bool { true }

  package func assertOnLoop() { session?.assertOnLoop() }
}
