// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1

/// HTTP/1.1 on a connection of a server. NIO's decoder reads the requests; what goes into it is first looked at by the guards.
/// The next request waits in the input, as it came, until the answer before it is complete. What one read causes is written at
/// once.
package final class HTTP1Connection: LoopTurnMember {
  /// Learns what happens to the connection, which it outlives.
  @exclusivity(unchecked) package unowned var delegate: (any HTTPConnectionDelegate)?
  /// What the connection holds for its peer.
  package let ledger: ConnectionLedger
  /// When the peer was last heard of.
  @exclusivity(unchecked) package private(set) var lastRead: NIODeadline
  /// Bytes of the answer that wait for the peer.
  @exclusivity(unchecked) package var outboundCount = 0 { didSet { ledger.settle(sent: outboundCount) } }
  /// The request that is being read or answered.
  @exclusivity(unchecked) package internal(set) var exchange: HTTP1Exchange?
  /// What the connection ended for, and the peer was told.
  @exclusivity(unchecked) package internal(set) var fault: HTTP1Fault?

  private let configuration: HTTP1Configuration
  private let turn: LoopTurn?
  private let scheme: StaticString
  private let ended: (ConnectionFailure?) -> Void
  private let end: LingeringClose
  @exclusivity(unchecked) private var context: ChannelHandlerContext?
  /// Asked more often than the context likes to be.
  @exclusivity(unchecked) private var channel: (any Channel)?
  @exclusivity(unchecked) private var decoder: HTTP1Decoder
  @exclusivity(unchecked) var input: HTTP1Input
  /// The request has ended.
  @exclusivity(unchecked) var hasEnded = true
  /// What is known of the request that is being read or answered.
  @exclusivity(unchecked) var keepsAlive = true
  @exclusivity(unchecked) var awaitsContinue = false
  @exclusivity(unchecked) private var hasHadRequest = false
  /// The decoder has made something of the piece that it got; of a part of the framing of chunks it makes nothing.
  @exclusivity(unchecked) private var hasDecoded = false
  @exclusivity(unchecked) var output = ByteBuffer()
  @exclusivity(unchecked) var clock: HTTP1Clock
  @exclusivity(unchecked) private var timer: (task: Scheduled<Void>, at: NIODeadline)?
  @exclusivity(unchecked) var unwanted: UnwantedBody
  @exclusivity(unchecked) private var readsLittle = false
  @exclusivity(unchecked) private var isReading = false
  @exclusivity(unchecked) private var isPumping = false
  @exclusivity(unchecked) private var isFlushing = false
  @exclusivity(unchecked) private var isFlushScheduled = false
  @exclusivity(unchecked) var isClosing = false
  @exclusivity(unchecked) private var isEnded = false
  @exclusivity(unchecked) var isShuttingDown = false
  @exclusivity(unchecked) private var readsOn = true
  @exclusivity(unchecked) private var failure: ConnectionFailure?

  static let writeSize = 256 * 1024
  private static let keptCapacity = 32 * 1024
  private static let littleRead = 2048

  /// A connection that calls `closed` once, when the channel is gone and before the exchange is ended, with what went wrong, if
  /// anything.
  ///
  /// - Parameters:
  ///   - isEncrypted: TLS is in the pipeline.
  ///   - turn: With whom the connection shares the turns of its loop; nil: it deals with what comes at once.
  ///   - closeLimit: How long it may take the peer to read what is left when the connection ends well.
  ///   - now: By the clock of the channel's loop.
  package init(
    _ configuration: HTTP1Configuration, isEncrypted: Bool, ledger: ConnectionLedger, turn: LoopTurn? = nil,
    closeLimit: Duration = .seconds(1), now: NIODeadline = .now(), closed: @escaping (ConnectionFailure?) -> Void
  ) {
    self.configuration = configuration
    self.ledger = ledger
    self.turn = turn
    decoder = HTTP1Decoder(configuration)
    input = HTTP1Input(configuration, now: now)
    scheme = isEncrypted ? "https" : "http"
    ended = closed
    end = LingeringClose(limit: closeLimit)
    lastRead = now
    clock = HTTP1Clock(configuration, now: now)
    unwanted = UnwantedBody(configuration, now: now)
  }

  /// Puts the connection's handlers at the end of its channel's pipeline. On the channel's loop.
  package func addHandlers(to channel: any Channel) throws {
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandler(HTTP1Handler(self))
    try pipeline.addHandler(HTTP1RequestHandler(self))
  }

  // MARK: The channel

  func added(_ context: ChannelHandlerContext) {
    (self.context, channel) = (context, context.channel)
    decoder.added(context)
    schedule()
  }

  func removed(_ context: ChannelHandlerContext) {
    lose()
    decoder.removed(context)
    (self.context, channel) = (nil, nil)
  }

  /// Ends the exchange: the channel is gone.
  func lose() {
    guard !isEnded else { return }
    // It may have come with the end.
    if isReading { pump() }
    isEnded = true
    isClosing = true
    end.cancel()
    timer?.task.cancel()
    timer = nil
    ended(failure ?? fault.map { .http1($0) })
    finishExchange(.cancel)
  }

  func failed(_ error: any Error) {
    guard let context else { return }
    if failure == nil { failure = ConnectionFailure(error, on: context.channel, as: .server) }
    context.close(promise: nil)
  }

  func receive(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
    lastRead = context.eventLoop.now
    if end.isOutputClosed { end.heard(lastRead) }
    guard !isClosing else { return }
    input.append(bytes)
    let isFirst = !isReading
    isReading = true
    guard let turn else { return handleRead() }
    if isFirst { turn.join(self) }
  }

  func readCompleted() { if turn == nil { writeAnswers() } }

  package func handleRead() { pump() }

  package func writeAnswers() {
    isReading = false
    if input.hasManySmallParts() { readLittle() }
    flush()
  }

  /// Reads little at a time from now on, so that what one read costs stays small: the loop's other connections wait for it.
  private func readLittle() {
    guard !readsLittle else { return }
    readsLittle = true
    let sizes = FixedSizeRecvByteBufferAllocator(capacity: Self.littleRead)
    channel?.setOption(.recvAllocator, value: sizes).whenFailure { _ in }
  }

  var now: NIODeadline { context?.eventLoop.now ?? lastRead }

  /// False while the channel has too much that the system has not taken.
  var isWritable: Bool { channel?.isWritable ?? false }

  // MARK: Requests

  /// Gives the decoder what it may have.
  private func pump() {
    guard !isPumping, let context else { return }
    isPumping = true
    while let piece = next() {
      hasDecoded = false
      do {
        try decoder.decode(piece, context)
        // The guards and the decoder have to agree on where requests end.
        if !hasDecoded && input.isInHead || input.isAtEnd, !isClosing {
          refuse(.malformed("The request ends where it should not"))
        }
      } catch {
        decoderFailed(error)
      }
      settle()
    }
    isPumping = false
    input.releaseMemory()
  }

  /// What the decoder may have next; nil when there is nothing, or no room for it.
  private func next() -> ByteBuffer? {
    guard !isClosing, !input.isEmpty else { return nil }
    do throws(HTTP1Fault) {
      if input.isInHead {
        guard exchange == nil, output.readableBytes < Self.writeSize else { return nil }
        let head = try input.nextHead()
        if head == nil { clock.headGoesOn(now) } else { clock.headEnded() }
        return head
      }
      let messages = exchange?.completedMessages ?? 0
      exchange?.completedMessages = 0
      guard let (part, data) = try input.nextPart(room: room, messages: messages, now: lastRead) else { return nil }
      if data > 0 { came(data) }
      return part
    } catch {
      refuse(error)
      return nil
    }
  }

  /// Bytes of the body that may be read now.
  private var room: Int {
    unwanted.room ?? exchange.map { max(0, configuration.bodyWindow - $0.unconsumed) } ?? 0
  }

  private func came(_ count: Int) {
    clock.bodyCame(count, lastRead)
    unwanted.receive(count)
  }

  /// Takes what the decoder makes of a piece.
  func receive(_ part: HTTPServerRequestPart) {
    hasDecoded = true
    guard !isClosing else { return }
    switch part {
    case .head(let head):
      do throws(HTTP1Fault) {
        try begin(head)
      } catch {
        refuse(error, isHead: head.method == .HEAD)
      }
    case .body(let bytes):
      guard let exchange else { return }
      let isLast = input.isAtEnd && !input.isChunked
      if !isLast { exchange.unconsumed += bytes.readableBytes }
      bytes.withUnsafeReadableBytes { exchange.receiver?.received(data: $0, isLast: isLast) }
    case .end(let trailers):
      guard input.isAtEnd else { return refuse(.malformed("The request ends where it should not")) }
      input.requestEnded()
      clock.bodyEnded()
      unwanted.end()
      if let trailers, HTTP1RequestHead.endsDecoding(trailers) { keepsAlive = false }
      guard !hasEnded else { return }
      hasEnded = true
      exchange?.receiver?.receivedEnd()
    }
  }

  private func begin(_ head: HTTPRequestHead) throws(HTTP1Fault) {
    hasHadRequest = true
    let request = try HTTP1RequestHead(head)
    guard request.size <= configuration.maxHeaderListSize else {
      throw HTTP1Input.headTooLarge(configuration.maxHeaderListSize)
    }
    let exchange = HTTP1Exchange(self, method: request.method, isOld: request.isOld)
    guard let receiver = delegate?.makeReceiver(for: exchange) else {
      _ = exchange.leave()
      throw HTTP1Fault(503, "The connection has as many calls as it may have")
    }
    exchange.receiver = receiver
    self.exchange = exchange
    keepsAlive = request.keepsAlive
    input.begin(request.body)
    hasEnded = input.isAtEnd
    clock.bodyBegins()
    unwanted.end()
    awaitsContinue = request.awaitsContinue
    request.deliver(head.headers, scheme: scheme, to: receiver)
    receiver.receivedHeaders(endStream: hasEnded)
    guard awaitsContinue, self.exchange === exchange, !exchange.hasOutput, exchange.resetCode == nil else { return }
    awaitsContinue = false
    // A client that did not wait needs none (RFC 9110 §10.1.1).
    if input.isEmpty { output.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n") }
  }

  func decoderFailed(_ error: any Error) {
    guard !isClosing else { return }
    if case .invalidMethod? = error as? HTTPParserError {
      return refuse(HTTP1Fault(501, "The server does not know the method"))
    }
    refuse(.malformed("The request is malformed: \(error)"))
  }

  // MARK: Writing

  /// Writes what there is, after the read that is going on, or soon.
  func scheduleFlush() {
    guard let context, !isReading, !isPumping, !isFlushing, !isFlushScheduled else { return }
    isFlushScheduled = true
    context.eventLoop.assumeIsolated().execute {
      self.isFlushScheduled = false
      self.flush()
    }
  }

  /// Writes what there is, as far as the channel takes it, and reads on where it stopped.
  package func flush() {
    guard let context, !isReading, !isFlushing, !end.isOutputClosed, !isEnded else { return }
    isFlushing = true
    var goesOn = true
    while goesOn {
      settle()
      pump()
      goesOn = false
      if output.readableBytes > 0, isWritable {
        context.writeAndFlush(NIOAny(output), promise: nil)
        if output.capacity > Self.keptCapacity { output = ByteBuffer() } else { output.clear() }
        goesOn = !input.isEmpty || exchange?.hasOutput == true
      }
    }
    isFlushing = false
    guard !isEnded else { return }
    delegate?.drained()
    if isClosing, output.readableBytes == 0 { return end.begin(context, isGood: fault == nil) }
    updateReading()
    schedule()
  }

  /// Reads while there is room for what comes. While it does not read, the system still says when the peer is gone.
  private func updateReading() {
    let isHeld = !input.isEmpty && (!input.isInHead || exchange != nil)
    let wants = isClosing || isWritable && !isHeld && (input.isInHead || room > 0)
    guard wants != readsOn, let channel else { return }
    readsOn = wants
    channel.setOption(ChannelOptions.autoRead, value: wants).whenFailure { _ in }
  }

  /// The call has dealt with bytes of the body: there is room for more.
  func consumed() { if !readsOn || !input.isEmpty { scheduleFlush() } }

  // MARK: The clock

  /// One timer at a time, which is not taken back when there is nothing to wait for any more: NIO would look for it.
  private func schedule() {
    guard let context else { return }
    if !input.isInHead, !hasEnded, unwanted.room == nil, let exchange {
      let now = context.eventLoop.now
      let waits = readsOn && exchange.receiver?.mayPause != true
      if waits { clock.bodyIsAwaited(now) } else { clock.bodyMayPause(now) }
    }
    guard let deadline = clock.deadline else { return }
    if let timer {
      guard deadline < timer.at else { return }
      timer.task.cancel()
    }
    timer = (context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [self] in tick() }, deadline)
  }

  private func tick() {
    timer = nil
    guard let context, !isClosing else { return }
    let now = context.eventLoop.now
    guard let deadline = clock.deadline, deadline <= now else { return schedule() }
    if !input.isInHead, unwanted.room != nil {
      // The rest of the request does not come. Is the answer out? If not, it says that it is the last one.
      if exchange != nil {
        giveUpRest()
      } else if readsOn {
        isClosing = true
      } else {
        clock.drain(now, UnwantedBody.drainTime)
      }
    } else if input.isInHead, !hasHadRequest, input.isEmpty {
      isClosing = true
    } else if input.isInHead {
      refuse(HTTP1Fault(408, "The head of the request took too long", limit: "slow_head"))
    } else {
      refuse(HTTP1Fault(408, "The body of the request comes too slowly", limit: "slow_body"), .cancel)
    }
    flush()
  }

  // MARK: Its owner

  /// Takes no further request, and closes when the one that is there is answered. A connection that has had no request yet may
  /// still bring one within a second: it may be on its way.
  package func beginShutdown() {
    guard !isShuttingDown else { return }
    isShuttingDown = true
    // An answer may wait for the end of its request.
    guard exchange == nil, let context else { return scheduleFlush() }
    if hasHadRequest, input.isEmpty { return closeIdle() }
    context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in
      if self?.exchange == nil { self?.closeIdle() }
    }
  }

  private func closeIdle() {
    isClosing = true
    flush()
  }

  /// Gives up memory that is kept for the next request.
  package func trim() {
    if output.readableBytes == 0 { output = ByteBuffer() }
    input.releaseMemory()
    spare?.deallocate()
    spare = nil
  }

  /// Memory of the last answer's body, for the next one.
  @exclusivity(unchecked) var spare: UnsafeMutableRawBufferPointer?

  /// In debug builds, stops the process when this is not the connection's event loop.
  func assertOnLoop() { context?.eventLoop.assertInEventLoop() }

  deinit { spare?.deallocate() }
}
