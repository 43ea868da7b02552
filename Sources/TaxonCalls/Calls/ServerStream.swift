// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// The server's side of one call on the wire: takes headers and bytes apart, puts the reply together. HTTP is the exchange's
/// matter.
///
/// Lives on the connection's event loop.
package final class ServerStream: HTTPExchangeReceiver, DeadlineHolder, LedgerWaiter {
  /// What carries the call.
  package let exchange: any HTTPExchange
  /// The headers with which the call began.
  @exclusivity(unchecked) package private(set) var head = RequestHead()
  /// What the call shares with the others of its connection.
  package let context: ServerStreamContext

  @exclusivity(unchecked) private var state = ServerCallState()
  @exclusivity(unchecked) private var deframer: MessageDeframer
  @exclusivity(unchecked) private var decompressor: Decompressor?
  /// Begins the call when its message is there.
  @exclusivity(unchecked) private var method: (any ServerMethod)?
  @exclusivity(unchecked) private var call: (any ServerCall)?
  @exclusivity(unchecked) private var expiry: NIODeadline?
  @exclusivity(unchecked) package var deadlineIndex = -1
  /// Bytes of messages that wait to be read, and bytes that were received but may not be consumed before that.
  @exclusivity(unchecked) private var unread = 0
  @exclusivity(unchecked) private var unconsumed = 0
  /// What the connection's ledger has of the stream: decoded messages, and bytes that are not messages yet.
  @exclusivity(unchecked) private var decoded = 0
  @exclusivity(unchecked) private var raw = 0
  /// Bytes that came and may not be taken apart before messages are read.
  @exclusivity(unchecked) private var backlog: [UInt8] = []
  /// The request's end came, behind what may not be taken apart yet.
  @exclusivity(unchecked) private var hasEndWaiting = false
  @exclusivity(unchecked) private var isWaiting = false
  @exclusivity(unchecked) private var lastRaw = 0
  @exclusivity(unchecked) private var inputStallCount = 0
  @exclusivity(unchecked) private var isProcessing = false
  /// The handler of the call runs.
  @exclusivity(unchecked) private var hasHandler = false
  /// The stream is not closed.
  @exclusivity(unchecked) private var isOpen = true
  /// The request is not gRPC and answered, and goes on: it is stopped after so many bytes, or that time.
  @exclusivity(unchecked) private var isRejected = false
  private static let maxRejected = 16 * 1024
  private static let rejectedTime = TimeAmount.seconds(1)

  /// A call on an exchange of a connection.
  package init(_ exchange: any HTTPExchange, context: ServerStreamContext) {
    self.exchange = exchange
    self.context = context
    deframer = MessageDeframer(limit: context.limits.maxMessageSize)
    context.streamBegan()
  }

  /// Starts the call's handler: at once, or when there is room for its reply. A call that waits has no task yet. What its
  /// request holds counts: a peer that takes no replies, and has more than its share waiting while all connections
  /// together have too much to send, is refused.
  package func start(_ handler: @escaping () -> Void) {
    guard exchange.mustWaitToStart else { return handler() }
    let ledger = context.ledger
    if ledger.isFullForAll, ledger.received > ledger.limits.share, exchange.isBlocked {
      shed("max_total_buffered_bytes")
    } else {
      context.wait(self, handler)
    }
  }

  /// Ends the call, since all connections together hold too much.
  private func shed(_ limit: String) {
    context.shedsCall?(limit)
    fail(CallError.ServerOverloaded().retryAfter(.seconds(1)))
  }

  /// The call is not over.
  var isReplying: Bool { state.isReplying }
  /// The head of the reply is out.
  package var hasSentHead: Bool { state.hasSentHead }

  /// The call's handler begins: until `handlerEnded` the call counts as one that runs, whatever becomes of the stream.
  package func handlerBegan() { hasHandler = true }

  /// The call's handler has ended.
  package func handlerEnded() {
    hasHandler = false
    release(decoded)
    if !isOpen { context.streamEnded() }
  }

  /// The handler goes on, or waits to be started, with a request of so many bytes in its hands; told once or twice.
  package func hold(request count: Int) {
    let more = count - decoded
    guard isOpen, more > 0 else { return }
    decoded += more
    context.ledger.change(decoded: more)
  }

  /// When the caller stops waiting, if it said so.
  package var deadline: NIODeadline? { expiry }
  /// How the call is written.
  private var wire: any WireProtocol.Type { head.wire ?? GRPC.self }
  /// How its messages are written.
  package var codec: MessageCodec { head.codec }
  /// What came with the request.
  package var metadata: Metadata { head.metadata }
  /// The path of the method that is called.
  package var path: String { head.path }

  // MARK: From the peer

  package func received(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
    guard state.wantsHead else { return }
    head.size += name.count + value.count + 32
    // What is past the limit is still decoded, so that the connection's HPACK table stays in step, and then forgotten.
    guard head.size <= context.limits.maxHeaderListSize else { return }
    context.unownedCache._withUnsafeGuaranteedRef { head.receive(name: name, value: value, cache: $0) }
  }

  package func receivedHeaders(endStream: Bool) {
    if state.wantsHead { head.finish(context.headerCache) }
    switch state.receivedHead(&head, sizeLimit: context.limits.maxHeaderListSize) {
    case .begin: begin()
    case .fail(let fault): fail(fault)
    case .rejectHTTP(let status, let reason): rejectHTTP(status, reason, hasEnded: endStream)
    case .ignore: break
    }
    if endStream { receivedEnd() }
  }

  private func begin() {
    if let timeout = head.timeout {
      let deadline = NIODeadline.now() + TimeAmount(saturating: timeout)
      expiry = deadline
      context.deadlines.add(self, at: deadline)
    }
    guard let method = context.method(head.path) else {
      fail(CallError.MethodNotFound(path: head.path))
      return
    }
    state.takesManyMessages = method.takesManyMessages
    if let call = method.begin(self) { self.call = call } else { self.method = method }
  }

  package func received(data: UnsafeRawBufferPointer, isLast: Bool) {
    let before = unconsumed
    if !isLast { unconsumed += data.count }
    if !state.isReplying, !isRejected { return consume() }
    if isRejected {
      if before <= Self.maxRejected, unconsumed > Self.maxRejected { exchange.resetWhenAnswered() }
      return
    }
    if isWaiting, !backlog.isEmpty || deframer.hasMessage {
      backlog.append(contentsOf: data)
      // The ledger bounds it, whatever is in it.
      exchange.completedMessage()
      noteRaw()
    } else {
      process(data)
    }
    consume()
  }

  /// Takes bytes apart, as far as messages may be decoded.
  private func process(_ data: UnsafeRawBufferPointer) {
    isProcessing = true
    do throws(MessageDeframer.Failure) {
      let rest = try deframer.process(data) { isCompressed, message in
        guard mayDecode else { return false }
        exchange.completedMessage()
        switch state.receivedMessage(isCompressed: isCompressed) {
        case .deliver: deliver(message, isCompressed: isCompressed)
        case .fail(let fault): fail(fault)
        case .ignore: break
        }
        return true
      }
      if rest > 0 { backlog.append(contentsOf: data[(data.count - rest)...]) }
    } catch {
      switch error {
      case .tooLarge(let size, let limit): fail(.messageTooLarge(size: size, limit: limit))
      case .invalidFlag(let flag): fail(.invalidFlag(flag))
      }
    }
    isProcessing = false
    if state.isReplying { noteRaw() } else { forgetRequest() }
  }

  /// False while the messages that wait to be read are as many as may be.
  private var mayDecode: Bool {
    !context.ledger.isFullOfMessages && decoded < context.ledger.streamLimit || !state.isReplying
  }

  /// Tells the ledger what came and is not a message yet. Beyond the server's bound the call ends.
  private func noteRaw() {
    let now = backlog.count + deframer.heldCount
    let change = now - raw
    guard change != 0 else { return }
    raw = now
    if deframer.partCount == 0 { context.ledger.leave(self) }
    context.ledger.change(raw: change)
    if change > 0, context.ledger.exceedsShare {
      shed("max_total_unread_bytes")
    }
  }

  /// To be asked at intervals. How often in a row nothing has changed of what came and is not a message yet, though that is
  /// not for want of a reader.
  package func inputStalls() -> Int {
    let isHeldUp = isWaiting && !context.ledger.exceedsShare
    inputStallCount = raw > 0 && raw == lastRaw && !isHeldUp ? inputStallCount + 1 : 0
    lastRaw = raw
    return inputStallCount
  }

  /// Between the messages of a stream that the peer sends.
  package var mayPause: Bool { state.takesManyMessages && deframer.partCount == 0 }

  /// The request is of no more use.
  private func forgetRequest() {
    guard !isProcessing else { return }
    if isWaiting {
      isWaiting = false
      context.ledger.forget(self)
    }
    context.ledger.leave(self)
    if raw > 0 || backlog.count > 0 || deframer.partCount > 0 {
      backlog = []
      deframer.clear()
      context.ledger.change(raw: -raw)
      raw = 0
    }
    unread = 0
    if !hasHandler { release(decoded) }
  }

  private func release(_ count: Int) {
    guard count > 0 else { return }
    decoded -= count
    context.ledger.change(decoded: -count)
  }

  package func ledgerHasRoom() -> Bool {
    guard isWaiting else { return true }
    guard !isProcessing else { return false }
    if deframer.hasMessage || !backlog.isEmpty {
      guard mayDecode else { return false }
      let bytes = Swift.exchange(&backlog, with: [])
      bytes.withUnsafeBytes { process($0) }
      // The call may be over.
      guard isWaiting else { return true }
      if deframer.hasMessage || !backlog.isEmpty {
        consume()
        return false
      }
      if hasEndWaiting {
        hasEndWaiting = false
        receivedEnd()
        guard isWaiting else { return true }
      }
    }
    consume()
    guard keptOfInput() == 0 else { return false }
    isWaiting = false
    return true
  }

  private func deliver(_ message: UnsafeRawBufferPointer, isCompressed: Bool) {
    let outcome =
      isCompressed
      ? decompress(message) { hand($0, size: message.count + MessageFramer.prefixSize, isCompressed: true) }
      : hand(message, size: message.count + MessageFramer.prefixSize, isCompressed: false)
    switch outcome {
    case .success(let kept):
      guard kept.window > 0 else { return }
      unread += kept.window
      decoded += kept.memory
      context.ledger.change(decoded: kept.memory)
    case .failure(let error): fail(error)
    }
  }

  private func hand(
    _ message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
  ) -> Result<KeptBytes, RPCError> {
    do throws(RPCError) {
      if let call { return .success(try call.receive(message, size: size, isCompressed: isCompressed)) }
      guard let method else { return .success(.none) }
      let begun = try method.begin(self, with: message, size: size, isCompressed: isCompressed)
      call = begun.call
      return .success(begun.kept)
    } catch {
      return .failure(error)
    }
  }

  private func decompress(
    _ message: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result<KeptBytes, RPCError>
  ) -> Result<KeptBytes, RPCError> {
    // The state lets no compressed message through without it.
    guard let compression = head.compression else { return .success(.none) }
    do throws(CompressionError) {
      let decompressor = if let decompressor { decompressor } else { try Decompressor(compression) }
      self.decompressor = decompressor
      return try decompressor.decompress(message, limit: context.limits.maxMessageSize, body)
    } catch {
      return .failure(error.undeclared)
    }
  }

  /// The call has read messages that kept so much.
  package func read(_ kept: KeptBytes) {
    // Nothing is left of a request that was forgotten.
    unread -= min(unread, kept.window)
    release(min(decoded, kept.memory))
    consume()
  }

  /// Opens the window by what was received and does not wait to be read.
  private func consume() {
    var kept = unread
    // The usual stream has neither.
    if raw > 0 || isWaiting { kept += keptOfInput() }
    let count = unconsumed - kept
    guard count > 0 else { return }
    unconsumed -= count
    exchange.consume(count)
  }

  /// Bytes of the window that are kept by what is not a message yet. Parts of messages keep theirs when the connection holds too
  /// much, but for one stream.
  private func keptOfInput() -> Int {
    let ledger = context.ledger
    let part = deframer.partCount
    let whole = backlog.count + deframer.wholeCount
    if part == 0 { ledger.leave(self) }
    let isHeldUp = part > 0 && ledger.isFullOfInput && !ledger.leads(self)
    if isHeldUp || whole > 0, !isWaiting {
      isWaiting = true
      ledger.wait(self)
    }
    return whole + (isHeldUp ? part : 0)
  }

  package func becameWritable() { call?.becameWritable() }

  package func cannotSend(headersOfSize size: Int, isHead: Bool) -> HeaderBlock? {
    let error = CallError.HeadersTooLarge(
      what: "The answer's \(isHead ? "header block" : "trailers")", size: Int64(size), limit: Int64(HeaderBlock.maxSize)
    )
    let status = WireStatus(error, context.limits.errors())
    context.router.failed(error, status: status, path: head.path)
    return isHead ? wire.headAndEnd(status, []) : wire.end(status, [])
  }

  package func headersTooLarge(size: Int) {
    let text =
      "Request headers of more than \(size - 1) bytes are over the limit of \(context.limits.maxHeaderListSize) bytes"
    let error = RPCError(.resourceExhausted, text)
    context.router.failed(error, status: WireStatus(error), path: head.path)
  }

  package func receivedEnd() {
    if deframer.hasMessage || !backlog.isEmpty, state.isReplying {
      hasEndWaiting = true
      return
    }
    switch state.receivedEnd(truncation: deframer.truncation) {
    case .invoke: call?.receiveEnd()
    case .fail(let fault): fail(fault)
    case .ignore: break
    }
  }

  package func closed(errorCode: UInt32) {
    if deadlineIndex >= 0 { context.deadlines.remove(self) }
    let call = call
    self.call = nil
    method = nil
    if state.closed() { call?.cancel(.cancelled) }
    isOpen = false
    if context.hasWaiting { context.forgetWaiting(self) }
    forgetRequest()
    if !hasHandler { context.streamEnded() }
  }

  package func deadlineExceeded() {
    if isRejected { exchange.resetWhenAnswered() } else { fail(CallError.DeadlineExceeded()) }
  }

  // MARK: To the peer

  /// How messages of the reply may be compressed: as the server is set, or as the handler wishes, if the caller
  /// accepts it.
  package func compression(wish: Bool?) -> CompressionSettings? {
    guard wish != false, wish != nil || context.limits.compression != nil, !head.accepted.isEmpty else { return nil }
    if let settings = context.limits.compression, head.accepted.contains(settings.compression) { return settings }
    guard wish == true, let compression = Compression.allCases.first(where: head.accepted.contains) else { return nil }
    return CompressionSettings(compression)
  }

  /// Sends the one message of a unary reply and ends the call.
  ///
  /// - Parameter compress: What the handler wishes; nil leaves it to the server's setting and the message's size.
  /// - Throws: `CallError.MalformedMessage` when the message cannot be encoded; the call goes on then.
  package func reply(
    _ message: some Message, compress: Bool?, initial: Metadata, trailing: Metadata
  ) throws(RPCError) {
    context.executor.eventLoop.assertInEventLoop()
    guard state.isReplying else { return }
    let settings = compression(wish: compress)
    var framer = MessageFramer(settings)
    try exchange.send(message, compress: compress, by: &framer)
    let isFirst = state.sendMessage() == .sendHead
    _ = state.finish()
    exchange.finish(trailers: wire.end(trailing))
    if isFirst { exchange.sendHead(wire.head(initial, settings?.compression)) }
    ended()
  }

  /// Sends the head of a reply that has any number of messages, unless that has happened.
  package func sendHead(_ initial: Metadata, compression: Compression?) {
    context.executor.eventLoop.assertInEventLoop()
    guard state.sendMessage() == .sendHead else { return }
    exchange.sendHead(wire.head(initial, compression))
  }

  /// Ends a reply that has any number of messages.
  package func succeed(trailing: Metadata) {
    context.executor.eventLoop.assertInEventLoop()
    // The head is out, or else `sendHead` would come first.
    guard state.finish() == .goOn else { return }
    exchange.finish(trailers: wire.end(trailing))
    ended()
  }

  /// Ends the call with an error; what has been sent so far stays sent.
  ///
  /// - Parameter trailing: What goes with the status, which is to have room for it (`ServerCallLimits.errors(with:)`).
  /// - Returns: False when the call was over already.
  @discardableResult
  package func fail(_ status: WireStatus, initial: Metadata = Metadata(), trailing: [HeaderBlock.Field] = []) -> Bool {
    context.executor.eventLoop.assertInEventLoop()
    switch state.finish() {
    case .ignore: return false
    case .goOn: exchange.finish(trailers: wire.end(status, trailing))
    // Initial metadata is the head's, which a block that is head and trailers at once does not tell apart.
    case .sendHead where !status.isOneFrame || !initial.isEmpty:
      exchange.finish(trailers: wire.end(status, trailing))
      exchange.sendHead(wire.head(initial, nil))
    case .sendHead:
      exchange.sendHeadersOnly(wire.headAndEnd(status, trailing))
    }
    ended()
    return true
  }

  /// Ends the call, of which the handler, if there is one, learns.
  private func fail(_ error: some TaxonomyError, trailing: [HeaderBlock.Field] = []) {
    let status = WireStatus(error, context.limits.errors(with: trailing, isSplit: state.hasSentHead))
    let call = call
    guard fail(status, initial: Metadata(), trailing: trailing) else { return }
    context.router.failed(error, status: status, path: head.path)
    call?.cancel(RPCError.lift(error))
  }

  private func fail(_ fault: ServerCallState.Fault) { fail(fault.error, trailing: fault.trailing) }

  /// Answers what is not gRPC as HTTP does, with the reason as text.
  ///
  /// A request that goes on is not stopped at once: what is wrong with it further on is still answered as HTTP/2 asks,
  /// and a client that ends it soon does not find its stream reset. RFC 9113 §8.1 leaves that to the server.
  private func rejectHTTP(_ status: Int, _ reason: String, hasEnded: Bool) {
    guard state.finish() == .sendHead else { return }
    let text = reason + "\n"
    let block = HeaderBlock(rejection: status, reason: reason, count: text.utf8.count)
    if head.method == .head {
      exchange.sendHeadersOnly(block)
    } else {
      exchange.send(text.utf8.count) { $0.copyBytes(from: text.utf8) }
      exchange.finish(trailers: nil)
      exchange.sendHead(block)
    }
    guard !hasEnded else { return }
    isRejected = true
    context.deadlines.add(self, at: .now() + Self.rejectedTime)
  }

  /// The reply is over: let go of the call and its request, stop the clock, and stop a peer that is still sending.
  private func ended() {
    call = nil
    method = nil
    if deadlineIndex >= 0 { context.deadlines.remove(self) }
    if context.hasWaiting { context.forgetWaiting(self) }
    if decoded > 0 || raw > 0 || isWaiting { forgetRequest() }
    if state.wantsReset { exchange.resetWhenAnswered() }
  }
}
