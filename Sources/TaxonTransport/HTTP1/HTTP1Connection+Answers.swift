// SPDX-License-Identifier: Apache-2.0
import NIOCore

// Answers, and what becomes of a request that is answered before it has ended.
extension HTTP1Connection {
  /// Writes what there is of the answer into the output, and goes on to the next request when it is complete.
  func settle() {
    guard let exchange else { return }
    if let code = exchange.resetCode { return abort(code) }
    if exchange.isFinished, !hasEnded, unwanted.room == nil { beginDraining() }
    if holdsAnswer { return }
    while exchange.hasOutput, output.readableBytes < Self.writeSize {
      exchange.write(into: &output, limit: Self.writeSize, closes: isLast)
    }
    guard exchange.isAnswered else { return }
    let closes = isLast || exchange.endsWithConnection
    finishExchange(.noError)
    if closes { isClosing = true } else if !hasEnded { clock.drain(now, UnwantedBody.drainTime) }
  }

  /// The answer is complete, and the request goes on: it may be nearly over, and the connection of use for the next one.
  private func beginDraining() {
    if unwanted.begin(now), input.isChunked { clock.drain(now, UnwantedBody.holdTime) } else { clock.bodyEnded() }
    guard unwanted.room == 0 else { return }
    fault = HTTP1Fault(
      503, "There were too many requests with bodies that nobody wants", limit: "too_many_unread_bodies")
  }

  func giveUpRest() {
    unwanted.giveUp()
    clock.bodyEnded()
  }

  /// The answer waits for the end of the request. A client that has been answered, and not told that the connection ends,
  /// sends its next request behind the body of this one: the connection must not be closed for the body then. How much more comes
  /// of chunks nobody knows beforehand. So the answer waits until they are over, or too many, or late.
  private var holdsAnswer: Bool {
    guard let room = unwanted.room, input.isChunked else { return false }
    return room > 0 && !isLast
  }

  /// The answer that is being written is the last one.
  private var isLast: Bool {
    if isShuttingDown || !keepsAlive || isClosing { return true }
    guard !hasEnded else { return false }
    // The client may send the body that it was not asked for, or not.
    if awaitsContinue { return true }
    return unwanted.isTooLong(left: input.left)
  }

  func finishExchange(_ code: HTTP2ErrorCode) {
    guard let exchange else { return }
    self.exchange = nil
    exchange.leave()?.closed(errorCode: code.rawValue)
    if spare == nil { spare = exchange.surrenderMemory() }
    delegate?.streamClosed()
  }

  /// Ends the connection for a call that has ended its exchange.
  private func abort(_ code: HTTP2ErrorCode) {
    let isBusy = code == .enhanceYourCalm || code == .refusedStream
    refuse(
      isBusy
        ? HTTP1Fault(503, "The server has too much to do") : HTTP1Fault(500, "The server has given the request up"),
      code)
  }

  /// Answers what cannot be handed on, if no answer has begun, and ends the connection.
  func refuse(_ fault: HTTP1Fault, _ code: HTTP2ErrorCode = .protocolError, isHead: Bool = false) {
    guard !isClosing else { return }
    self.fault = fault
    // The answer is there, and waits for the rest of the request.
    if holdsAnswer, exchange?.resetCode == nil { return giveUpRest() }
    isClosing = true
    let canAnswer = exchange?.isHeadWritten != true
    let hasBody = !isHead && exchange?.isHead != true
    finishExchange(code)
    guard canAnswer else { return }
    HTTP1Writer.write(fault, hasBody: hasBody, into: &output)
  }

  func takeSpareMemory() -> UnsafeMutableRawBufferPointer? { spare.take() }
}
