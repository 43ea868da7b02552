// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// One request of HTTP/1.1 and its answer; everything happens on the connection's event loop.
package final class HTTP1Exchange: ServerExchange {
  /// Receives what comes, from when the head is complete to the end.
  @exclusivity(unchecked) package internal(set) var receiver: (any HTTPExchangeReceiver)?
  /// Nil when the exchange is over.
  @exclusivity(unchecked) private var connection: HTTP1Connection?
  /// The answer has no body, whatever its head says of one (RFC 9110 §9.3.2).
  let isHead: Bool
  private let isOld: Bool
  @exclusivity(unchecked) private var outbound = OutboundBuffer()
  @exclusivity(unchecked) private var head: HeaderBlock?
  @exclusivity(unchecked) private var trailers: HeaderBlock?
  /// How the body's end is said; nil before the head is out.
  @exclusivity(unchecked) private var framing: HTTP1Writer.Framing?
  @exclusivity(unchecked) package private(set) var isFinished = false
  @exclusivity(unchecked) package private(set) var hasSentBody = false
  @exclusivity(unchecked) private var announcedCount = 0
  @exclusivity(unchecked) private var takenCount = 0
  @exclusivity(unchecked) private var stallCount = 0
  @exclusivity(unchecked) private var notifies = false
  @exclusivity(unchecked) package var waitsForStart = false
  /// All of the answer has been written.
  @exclusivity(unchecked) private(set) var isAnswered = false
  /// Why the call has ended the exchange.
  @exclusivity(unchecked) private(set) var resetCode: HTTP2ErrorCode?
  /// Messages that the piece of the body being read has completed.
  @exclusivity(unchecked) var completedMessages = 0
  /// Bytes of the body that the call has not dealt with.
  @exclusivity(unchecked) var unconsumed = 0

  private static let highWater = 64 * 1024
  private static let lowWater = 16 * 1024
  /// Bytes in an interval below which a peer that is offered more counts as stalled.
  private static let leastTaken = 16 * 1024

  init(_ connection: HTTP1Connection, method: String, isOld: Bool) {
    self.connection = connection
    isHead = method == "HEAD"
    self.isOld = isOld
  }

  /// The connection lets go of the exchange.
  ///
  /// - Returns: Who is to be told, once.
  func leave() -> (any HTTPExchangeReceiver)? {
    connection?.outboundCount -= waitingCount
    connection = nil
    (head, trailers) = (nil, nil)
    return receiver.take()
  }

  // MARK: To the peer

  package func sendHead(_ head: HeaderBlock) {
    guard self.head == nil else { return }
    self.head = sendable(head, isHead: true) ?? head
    connection?.scheduleFlush()
  }

  package func sendHeadersOnly(_ head: HeaderBlock) {
    isFinished = true
    sendHead(head)
  }

  /// What is sent in place of a block that is too large; nil: the block is not, or the exchange ends.
  private func sendable(_ block: HeaderBlock, isHead: Bool) -> HeaderBlock? {
    guard block.sizeBound > HeaderBlock.maxSize else { return nil }
    guard let other = receiver?.cannotSend(headersOfSize: block.sizeBound, isHead: isHead) else {
      reset(.internalError)
      return nil
    }
    if isHead {
      dropBody()
      (trailers, isFinished) = (nil, true)
    }
    return other
  }

  private func dropBody() {
    var rest = OutboundBuffer()
    connection?.outboundCount -= outbound.count
    rest.append(contentsOf: &outbound)
  }

  package func send(contentsOf buffer: inout OutboundBuffer) {
    precondition(!isFinished, "a body is not continued after its end")
    let size = buffer.count
    guard size > 0 else { return }
    outbound.append(contentsOf: &buffer)
    connection?.outboundCount += size
    connection?.scheduleFlush()
  }

  package func finish(trailers: HeaderBlock?) {
    guard !isFinished else { return }
    isFinished = true
    self.trailers = trailers.flatMap { sendable($0, isHead: false) ?? $0 }
    connection?.scheduleFlush()
  }

  package func takeSpareMemory() -> UnsafeMutableRawBufferPointer? {
    outbound.count == 0 && outbound.hasMemory ? outbound.surrender() : connection?.takeSpareMemory()
  }

  /// Memory of a body that has been written; nil when there is none worth keeping.
  func surrenderMemory() -> UnsafeMutableRawBufferPointer? { outbound.count == 0 ? outbound.surrender() : nil }

  package func takeBack(into buffer: inout OutboundBuffer) { buffer.append(contentsOf: &outbound) }

  // MARK: Writing

  /// The head of the answer has been written.
  var isHeadWritten: Bool { framing != nil }
  /// There is something to write.
  var hasOutput: Bool { head != nil && !isAnswered && (framing == nil || outbound.count > 0 || isFinished) }
  /// The head of the answer says that the connection ends with it.
  @exclusivity(unchecked) private(set) var endsWithConnection = false

  /// Writes what there is of the answer.
  ///
  /// - Parameters:
  ///   - limit: Bytes that the output may come to have, about.
  ///   - closes: Whether this is to be the last answer of the connection.
  func write(into output: inout ByteBuffer, limit: Int, closes: Bool) {
    guard let head, !isAnswered, resetCode == nil else { return }
    let framing = self.framing ?? writeHead(head, into: &output, closes: closes)
    if framing == .none { dropBody() }
    if outbound.count > 0, output.readableBytes < limit {
      let size = min(outbound.count, limit - output.readableBytes)
      if framing == .chunked { HTTP1Writer.writeChunkSize(size, into: &output) }
      output.writeWithUnsafeMutableBytes(minimumWritableBytes: size) {
        outbound.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<size]))
      }
      if framing == .chunked { output.writeStaticString("\r\n") }
      hasSentBody = true
      takenCount += size
      connection?.outboundCount -= size
    }
    if outbound.count == 0, isFinished {
      if framing == .chunked { HTTP1Writer.writeEnd(trailers, into: &output) }
      isAnswered = true
    } else if notifies, outbound.count <= Self.lowWater {
      notifies = false
      receiver?.becameWritable()
    }
  }

  private func writeHead(_ head: HeaderBlock, into output: inout ByteBuffer, closes: Bool) -> HTTP1Writer.Framing {
    let measure = HTTP1Writer.Measure(head)
    let framing = framing(measure)
    self.framing = framing
    // Without chunks nothing can be said behind the body; what is known by now is said before.
    let early = framing != .chunked && isFinished ? trailers : nil
    endsWithConnection = closes || framing == .close
    HTTP1Writer.write(
      head, measure, trailers: early, framing: isHead && framing == .none && isFinished ? lengthOfHead : framing,
      connection: endsWithConnection ? "close" : isOld ? "keep-alive" : nil, into: &output)
    return framing
  }

  /// What the answer to HEAD says of the body that it does not have (RFC 9110 §9.3.2).
  private var lengthOfHead: HTTP1Writer.Framing { outbound.count > 0 ? .length(outbound.count) : .none }

  private func framing(_ head: HTTP1Writer.Measure) -> HTTP1Writer.Framing {
    if isHead || head.status == 204 || head.status == 304 { return .none }
    if isFinished, trailers == nil || isOld { return .length(outbound.count) }
    if !isFinished, head.hasLength { return .length(0) }
    return isOld ? .close : .chunked
  }

  // MARK: Flow control

  package func consume(_ count: Int) {
    unconsumed -= min(count, unconsumed)
    connection?.consumed()
  }

  package func completedMessage() { completedMessages += 1 }

  package var isWritable: Bool {
    guard outbound.count > 0 else { return true }
    guard outbound.count < Self.highWater else { return false }
    return !isConnectionFull
  }

  package func notifyWhenWritable() { notifies = true }

  package func announce(_ count: Int) {
    guard count != announcedCount else { return }
    connection?.outboundCount += count - announcedCount
    announcedCount = count
  }

  package var mustWaitToStart: Bool {
    guard let connection else { return false }
    return isConnectionFull || connection.ledger.isFullForAll && isBlocked
  }

  package var isConnectionFull: Bool {
    connection.map { $0.ledger.isFull(sent: $0.outboundCount) } ?? false
  }

  package var isBlocked: Bool { connection?.isWritable == false }

  package var ledger: ConnectionLedger? { connection?.ledger }

  package func stalls() -> Int {
    defer { takenCount = 0 }
    let waits = waitingCount > 0 || waitsForStart && isBlocked
    stallCount = waits && takenCount < Self.leastTaken ? stallCount + 1 : 0
    return stallCount
  }

  package var waitingCount: Int { outbound.count + announcedCount }

  // MARK: The end

  package func reset(_ code: HTTP2ErrorCode) {
    guard resetCode == nil, connection != nil else { return }
    resetCode = code
    connection?.scheduleFlush()
  }

  /// Nothing has to be done for it: once the answer is complete, no more of the request is wanted.
  package func resetWhenAnswered() {}

  package var hasUnsentBody: Bool { outbound.count > 0 || !isFinished || connection != nil && !isAnswered }

  // MARK: Where it is

  package var owner: AnyObject? { connection?.delegate }

  package var isFullDuplex: Bool { false }

  package func assertOnLoop() { connection?.assertOnLoop() }
}
