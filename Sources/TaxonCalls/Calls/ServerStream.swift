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
  @exclusivity(unchecked) var text: Base64Text?
  @exclusivity(unchecked) var decompressor: Decompressor?
  /// Begins the call when its message is there.
  @exclusivity(unchecked) var method: (any ServerMethod)?
  @exclusivity(unchecked) var call: (any ServerCall)?
  @exclusivity(unchecked) private var expiry: NIODeadline?
  @exclusivity(unchecked) package var deadlineIndex = -1
  /// Bytes of messages that wait to be read, and bytes that were received but may not be consumed before that.
  @exclusivity(unchecked) var unread = 0
  @exclusivity(unchecked) var unconsumed = 0
  /// What the connection's ledger has of the stream: decoded messages, and bytes that are not messages yet.
  @exclusivity(unchecked) var decoded = 0
  @exclusivity(unchecked) var raw = 0
  /// Bytes that came and may not be taken apart before messages are read.
  @exclusivity(unchecked) var backlog: [UInt8] = []
  /// The request's end came, behind what may not be taken apart yet.
  @exclusivity(unchecked) var hasEndWaiting = false
  @exclusivity(unchecked) var isWaiting = false
  @exclusivity(unchecked) var lastRaw = 0
  @exclusivity(unchecked) var inputStallCount = 0
  @exclusivity(unchecked) var isProcessing = false
  /// The handler of the call runs.
  @exclusivity(unchecked) var hasHandler = false
  /// The stream is not closed.
  @exclusivity(unchecked) private var isOpen = true
  /// The request is no call and answered, and goes on: it is stopped after so many bytes, or that time.
  @exclusivity(unchecked) var isRejected = false
  static let maxRejected = 16 * 1024
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
  func shed(_ limit: String) {
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
    switch ProtocolChoice(context: context).choose(&head, hasBody: hasBody) {
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

  package func becameWritable() { call?.becameWritable() }

  package func cannotSend(headersOfSize size: Int, isHead: Bool) -> HeaderBlock? {
    let error = CallError.HeadersTooLarge(
      what: "The answer's \(isHead ? "header block" : "trailers")", size: Int64(size), limit: Int64(HeaderBlock.maxSize)
    )
    let failure = wire.failure(error, head, context.limits.errors(request: head.metadata))
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
