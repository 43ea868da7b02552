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
  @exclusivity(unchecked) package internal(set) var head = RequestHead()
  /// What the call shares with the others of its connection.
  package let context: ServerStreamContext

  @exclusivity(unchecked) var state = ServerCallState()
  @exclusivity(unchecked) var deframer: MessageDeframer
  /// Of a body that is text.
  @exclusivity(unchecked) private var text: Base64Text?
  @exclusivity(unchecked) private var decompressor: Decompressor?
  /// Begins the call when its message is there.
  @exclusivity(unchecked) var method: (any ServerMethod)?
  @exclusivity(unchecked) var call: (any ServerCall)?
  @exclusivity(unchecked) private var expiry: NIODeadline?
  @exclusivity(unchecked) package var deadlineIndex = -1
  /// Bytes of messages that wait to be read, and bytes that were received but may not be consumed before that.
  @exclusivity(unchecked) private var unread = 0
  @exclusivity(unchecked) private var unconsumed = 0
  /// What the connection's ledger has of the stream: decoded messages, and bytes that are not messages yet.
  @exclusivity(unchecked) var decoded = 0
  @exclusivity(unchecked) var raw = 0
  /// Bytes that came and may not be taken apart before messages are read.
  @exclusivity(unchecked) private var backlog: [UInt8] = []
  /// The request's end came, behind what may not be taken apart yet.
  @exclusivity(unchecked) private var hasEndWaiting = false
  @exclusivity(unchecked) var isWaiting = false
  @exclusivity(unchecked) private var lastRaw = 0
  @exclusivity(unchecked) private var inputStallCount = 0
  @exclusivity(unchecked) private var isProcessing = false
  /// The handler of the call runs.
  @exclusivity(unchecked) private var hasHandler = false
  /// The stream is not closed.
  @exclusivity(unchecked) private var isOpen = true
  /// The request is no call and answered, and goes on: it is stopped after so many bytes, or that time.
  @exclusivity(unchecked) var isRejected = false
  private static let maxRejected = 16 * 1024
  static let rejectedTime = TimeAmount.seconds(1)

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
    end(with: CallError.ServerOverloaded().retryAfter(.seconds(1)))
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
  var wire: any WireProtocol.Type { head.wire ?? GRPC.self }
  /// How its messages are written.
  package var codec: MessageCodec { head.codec }
  /// How they lie in the bodies.
  package var framing: BodyFraming { deframer.framing }
  /// Verb and target; nil for plain gRPC.
  package var requestLine: HTTPRequestLine? { head.other?.line }
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
    if state.wantsHead {
      head.finish(context.headerCache)
      // Plain gRPC has no choice. What lies past the limit was not read, and may be the content type.
      let isOther = head.wire == nil || !head.isPost
      if isOther, head.size <= context.limits.maxHeaderListSize || !head.contentType.isEmpty || !head.isPost {
        guard choose(hasBody: !endStream) else { return }
      }
    }
    switch state.receivedHead(&head, sizeLimit: context.limits.maxHeaderListSize) {
    case .begin: begin(hasEnded: endStream)
    case .fail(let fault): fail(fault)
    case .ignore: break
    }
    if endStream { receivedEnd() }
  }

  /// Finds the protocol of a request that is not plain gRPC. False: it is answered, and no call.
  private func choose(hasBody: Bool) -> Bool {
    switch ProtocolChoice(protocols: context.protocols, router: context.router).choose(&head, hasBody: hasBody) {
    case .call: return true
    case .refuse(let error, let fields): refuse(error, fields, hasEnded: !hasBody)
    case .answer(let block):
      state.refuse(hasEnded: !hasBody)
      _ = state.finish()
      exchange.sendHeadersOnly(block)
      if hasBody { exchange.resetWhenAnswered() }
    }
    return false
  }

  private func begin(hasEnded: Bool) {
    guard let method = context.method(head.path) else {
      end(with: CallError.MethodNotFound(path: head.path))
      return
    }
    let shape = method.shape
    if shape.isFullDuplex, !exchange.isFullDuplex {
      head.wire = PlainText.self
      return refuse(CallError.FullDuplexUnsupported(path: head.path), Metadata(), hasEnded: hasEnded)
    }
    if let timeout = head.timeout {
      let deadline = NIODeadline.now() + TimeAmount(saturating: timeout)
      expiry = deadline
      context.deadlines.add(self, at: deadline)
    }
    state.takesManyMessages = shape.takesMany
    if let other = head.other, !begin(other) { return }
    if let call = method.begin(self) { self.call = call } else { self.method = method }
  }

  /// Gets ready for the body of a request that is not plain gRPC. False: the call is over.
  private func begin(_ other: OtherRequest) -> Bool {
    let framing = wire.framing
    deframer.take(framing, isCompressed: !head.encoding.isEmpty && head.encoding != "identity")
    if framing == .base64 { text = Base64Text() }
    let size = other.message?.count ?? head.contentLength ?? 0
    if framing == .whole, size > deframer.limit {
      fail(.messageTooLarge(size: size, limit: deframer.limit))
      return false
    }
    if let message = other.message { message.withUnsafeBytes { process($0) } }
    return true
  }

  package func received(data: UnsafeRawBufferPointer, isLast: Bool) {
    let before = unconsumed
    if !isLast { unconsumed += data.count }
    if !state.isReplying, !isRejected { return consume() }
    if isRejected {
      if before <= Self.maxRejected, unconsumed > Self.maxRejected { exchange.resetWhenAnswered() }
      return
    }
    if text != nil { return received(text: data) }
    // The message is in the head: what content a GET has says nothing (RFC 9110 §9.3.1).
    if head.other?.message != nil {
      if before + data.count > Self.maxRejected {
        return end(
          with: RPCError(.invalidArgument, "A GET has no content, and more than \(Self.maxRejected) bytes came"))
      }
      return
    }
    receive(data)
    consume()
  }

  private func received(text data: UnsafeRawBufferPointer) {
    var bytes: [UInt8] = []
    guard text?.decode(data, into: &bytes) == true else { return fail(.invalidBase64) }
    bytes.withUnsafeBytes { receive($0) }
    consume()
  }

  private func receive(_ data: UnsafeRawBufferPointer) {
    if isWaiting, !backlog.isEmpty || deframer.hasMessage {
      backlog.append(contentsOf: data)
      // The ledger bounds it, whatever is in it.
      exchange.completedMessage()
      noteRaw()
    } else {
      process(data)
    }
  }

  /// Takes bytes apart, as far as messages may be decoded.
  private func process(_ data: UnsafeRawBufferPointer) {
    isProcessing = true
    do throws(MessageDeframer.Failure) {
      let rest = try deframer.process(data) { take($1, isCompressed: $0) }
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

  /// False: the message may not be decoded before others are read.
  private func take(_ message: UnsafeRawBufferPointer, isCompressed: Bool) -> Bool {
    guard mayDecode else { return false }
    exchange.completedMessage()
    switch state.receivedMessage(isCompressed: isCompressed) {
    case .deliver: deliver(message, isCompressed: isCompressed)
    case .fail(let fault): fail(fault)
    case .ignore: break
    }
    return true
  }

  /// Takes the message that is the whole body, which has ended.
  private func processEnd() {
    isProcessing = true
    deframer.processEnd { take($1, isCompressed: $0) }
    isProcessing = false
    if state.isReplying { noteRaw() } else { forgetRequest() }
    // Waits in the ledger, if it was not taken.
    if deframer.hasMessage { consume() }
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
  func forgetRequest() {
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
    case .failure(let error): end(with: wire.blamesCaller ? error.asCallerFault : error)
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
    let failure = wire.failure(error, head, context.limits.errors())
    context.router.failed(error, failure: failure, path: head.path)
    return wire.substitute(for: failure, isHead: isHead)
  }

  package func headersTooLarge(size: Int) {
    let text =
      "Request headers of more than \(size - 1) bytes are over the limit of \(context.limits.maxHeaderListSize) bytes"
    let error = RPCError(.resourceExhausted, text)
    context.router.failed(error, failure: CallFailure(WireStatus(error)), path: head.path)
  }

  package func receivedEnd() {
    if deframer.framing == .whole, state.isReplying { processEnd() }
    if deframer.hasMessage || !backlog.isEmpty, state.isReplying {
      hasEndWaiting = true
      return
    }
    let isTextCut = text.map { !$0.isAtBoundary } ?? false
    switch state.receivedEnd(truncation: isTextCut ? "inside a group of Base64" : deframer.truncation) {
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
    if isRejected { exchange.resetWhenAnswered() } else { end(with: CallError.DeadlineExceeded()) }
  }
}
