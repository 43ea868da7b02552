// SPDX-License-Identifier: Apache-2.0

/// One request and its answer on a connection, as the calls above it see it: a head and bytes out, flow control, an end. What
/// comes in goes to the exchange's `HTTPExchangeReceiver`. Which version of HTTP carries it is the transport's matter.
///
/// Lives on the connection's event loop. A closed exchange may still be asked; what it is told has no effect then.
package protocol HTTPExchange: AnyObject {
  // MARK: To the peer

  /// Answers with a head, which the body follows (server). The head goes with what the body has by then.
  func sendHead(_ head: HeaderBlock)
  /// Answers with a head that is the whole answer (server; gRPC's Trailers-Only).
  func sendHeadersOnly(_ head: HeaderBlock)
  /// Moves what is in a buffer to the end of the body.
  func send(contentsOf buffer: inout OutboundBuffer)
  /// Ends the body, with trailers if there are any. Only the first end counts.
  func finish(trailers: HeaderBlock?)
  /// The end of the body has been given.
  var isFinished: Bool { get }
  /// Memory for the next piece of the body; nil when there is none to spare. Its new owner frees it.
  func takeSpareMemory() -> UnsafeMutableRawBufferPointer?

  // MARK: Flow control

  /// Says that bytes of the peer's body have been dealt with, so that it may send as many more.
  func consume(_ count: Int)
  /// The piece of the peer's body that is being read has completed a message: the peer is not sending small pieces alone.
  func completedMessage()
  /// False while more than 64 KiB of the body wait for the peer, or anything when the connection holds too much: who can wait
  /// should.
  var isWritable: Bool { get }
  /// Asks for one call of the receiver's `becameWritable` once most of what waits is gone.
  func notifyWhenWritable()
  /// Says how many bytes wait elsewhere for the body: the connection holds them too.
  func announce(_ count: Int)
  /// True while what waits for the peer leaves no room for the answer of another call (server).
  var mustWaitToStart: Bool { get }
  /// True while the connection by itself has too much to send: the session tells its owner when it has less.
  var isConnectionFull: Bool { get }
  /// The call waits to be started, since there is too much to send (server).
  var waitsForStart: Bool { get set }
  /// True while the peer takes next to nothing.
  var isBlocked: Bool { get }
  /// What the connection holds for its peer; nil when the exchange is not open.
  var ledger: ConnectionLedger? { get }

  // MARK: The end

  /// Ends the exchange at once. Only the first reset counts.
  func reset(_ code: HTTP2ErrorCode)
  /// Ends the exchange with NO_ERROR once the answer is out (server), or with CANCEL once the read that is going on has been
  /// dealt with (client), so that a peer that is still sending stops.
  func resetWhenAnswered()
  /// The peer may still wait for the rest of this end's body, or for its end.
  var hasUnsentBody: Bool { get }
  /// Bytes of the body have begun to leave.
  var hasSentBody: Bool { get }
  /// Moves what waits of the body out, behind what is in the buffer; of an exchange that is closed.
  func takeBack(into buffer: inout OutboundBuffer)

  // MARK: Where it is

  /// True when the answer may begin before the request has ended, and go on with it: not on HTTP/1.1, whose clients and
  /// proxies may send all of a request before they read.
  var isFullDuplex: Bool { get }

  /// The owner of the connection; nil when the exchange is not open.
  var owner: AnyObject? { get }
  /// In debug builds, stops the process when this is not the connection's event loop.
  func assertOnLoop()
}

extension HTTPExchange {
  /// Appends bytes to the body; `body` fills all of them.
  package func send(_ size: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
    var part = OutboundBuffer()
    part.append(size, body)
    send(contentsOf: &part)
  }
}

/// The one to whom an exchange hands what comes in. Everything is called on the connection's event loop, while it reads or
/// writes; pointers are good during the call.
package protocol HTTPExchangeReceiver: AnyObject {
  /// One field of a header block.
  func received(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>)
  /// A header block is complete: the head, or the trailers when the head came before.
  func receivedHeaders(endStream: Bool)
  /// A piece of the body. The bytes are to be given to `consume` when they have been dealt with, else the peer's window
  /// stays closed.
  ///
  /// - Parameter isLast: The body ends with the piece: its window is of no more use.
  func received(data: UnsafeRawBufferPointer, isLast: Bool)
  /// The body ended without trailers.
  func receivedEnd()
  /// There is room again for bytes of the body, after `notifyWhenWritable`.
  func becameWritable()

  /// The peer did not process the request and will not (client): it was never sent, or a GOAWAY names a lower last stream.
  /// `closed` follows.
  func notProcessed()
  /// The peer has reset the exchange; `closed` follows.
  func receivedReset()
  /// What came breaks HTTP, and the exchange is reset for it; `closed` follows.
  ///
  /// - Parameters:
  ///   - reason: Nil when its headers are good one by one, and not as those of a message (RFC 9113 §8.1, §8.3).
  ///   - endStream: Whether it would have ended the body.
  func malformed(_ reason: String?, endStream: Bool)
  /// A header block of this end is larger than can be sent (64 KiB).
  ///
  /// - Parameters:
  ///   - size: Of the block, in bytes.
  ///   - isHead: False for trailers.
  /// - Returns: What a server sends instead, to end the exchange; nil: it is reset, and `closed` follows.
  func cannotSend(headersOfSize size: Int, isHead: Bool) -> HeaderBlock?
  /// The peer's header block has a field that is larger than can be taken: the connection ends for it, and `closed` follows.
  /// Sizes in bytes.
  func fieldTooLarge(size: Int, limit: Int)
  /// The peer's header block is far over the limit: so many bytes came, and the rest is not looked at. The exchange is reset;
  /// `closed` follows.
  func headersTooLarge(size: Int)
  /// The exchange is over; the code is an HTTP/2 error code (RFC 9113 §7), 0 for a good end. Nothing is called after this.
  func closed(errorCode: UInt32)

  /// Asked at intervals while the connection holds much: how often in a row nothing more came of a message that has begun.
  func inputStalls() -> Int

  /// True while the peer owes nothing: it may pause for as long as it likes before it sends more of the body. Asked on
  /// HTTP/1.1, where a body that comes too slowly ends the connection.
  var mayPause: Bool { get }
}

/// An exchange that a server answers, as its connection looks at it.
package protocol ServerExchange: HTTPExchange {
  /// Receives what comes, to its end.
  var receiver: (any HTTPExchangeReceiver)? { get }
  /// To be asked at intervals. How often in a row the peer has taken next to nothing of what waits for it.
  func stalls() -> Int
  /// Bytes that wait for the peer, those included that wait for room in the body.
  var waitingCount: Int { get }
}

/// What a connection tells the one who owns it, whatever its version of HTTP.
package protocol HTTPConnectionDelegate: AnyObject {
  /// A peer opened an exchange (server): returns its receiver. Nil refuses it.
  func makeReceiver(for exchange: any HTTPExchange) -> (any HTTPExchangeReceiver)?
  /// An exchange was closed and is no longer in the connection's list.
  func streamClosed()
  /// What was ready for the peer has been drained, or as much of it as there was room for.
  func drained()
}

/// What one side alone has to know of, or nobody does: nothing is done.
extension HTTPExchangeReceiver {
  package func becameWritable() {}
  package func notProcessed() {}
  package func receivedReset() {}
  package func malformed(_ reason: String?, endStream: Bool) {}
  package func cannotSend(headersOfSize size: Int, isHead: Bool) -> HeaderBlock? { nil }
  package func fieldTooLarge(size: Int, limit: Int) {}
  package func headersTooLarge(size: Int) {}
  package func inputStalls() -> Int { 0 }
  package var mayPause: Bool { false }
}
