// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

// What a call says to the peer.
extension ServerStream {
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
    if let other = head.other {
      var answer = (initial: answered(initial), trailing: trailing)
      // A cache may keep it, and must not give it to whom cannot take it apart (RFC 9110 §12.5.5).
      if other.isConditional, compress ?? (context.limits.compression != nil) {
        answer.initial.add("vary", "accept-encoding")
      }
      return try reply(message, other, settings, compress: compress, answer)
    }
    // Plain gRPC, in protobuf's binary format: asked as such, since what goes through the protocol's witnesses costs 500
    // instructions more.
    var framer = MessageFramer(settings)
    try exchange.send(message, compress: compress, by: &framer)
    let isFirst = state.sendMessage() == .sendHead
    _ = state.finish()
    GRPC.finish(exchange, trailing)
    if isFirst { exchange.sendHead(GRPC.head(initial, settings?.compression, .binary)) }
    ended()
  }

  /// The same for a request that is not plain gRPC.
  private func reply(
    _ message: some Message, _ other: OtherRequest, _ settings: CompressionSettings?, compress: Bool?,
    _ answer: (initial: Metadata, trailing: Metadata)
  ) throws(RPCError) {
    var framer = MessageFramer(settings, codec: head.codec, framing: framing)
    var body = OutboundBuffer()
    body.adopt(exchange.takeSpareMemory())
    try framer.append(message, compress: compress, to: &body)
    let isFirst = state.sendMessage() == .sendHead
    _ = state.finish()
    let compression = framing == .whole && !framer.hasCompressed ? nil : settings?.compression
    let block = wire.head(
      AnswerHead(
        initial: answer.initial, trailing: answer.trailing, compression: compression, codec: head.codec))
    if isFirst, let short = other.bodiless(block, answer.initial, head.metadata, byteCount: body.count) {
      exchange.sendHeadersOnly(short)
      return ended()
    }
    exchange.send(contentsOf: &body)
    wire.finish(exchange, answer.trailing)
    if isFirst { exchange.sendHead(block) }
    ended()
  }

  /// Initial metadata with the fields that every answer to the request has.
  private func answered(_ initial: Metadata) -> Metadata {
    guard let fields = head.other?.answerFields, !fields.isEmpty else { return initial }
    return fields + initial
  }

  /// Sends the head of a reply that has any number of messages, unless that has happened.
  package func sendHead(_ initial: Metadata, compression: Compression?) {
    context.executor.eventLoop.assertInEventLoop()
    // The head of an answer that is one message says how the message is written, and whether the call has failed.
    guard framing != .whole, state.sendMessage() == .sendHead else { return }
    exchange.sendHead(
      wire.head(
        AnswerHead(initial: answered(initial), trailing: Metadata(), compression: compression, codec: head.codec)))
  }

  /// Ends a reply that has any number of messages.
  package func succeed(trailing: Metadata) {
    context.executor.eventLoop.assertInEventLoop()
    // The head is out, or else `sendHead` would come first.
    guard state.finish() == .goOn else { return }
    wire.finish(exchange, trailing)
    ended()
  }

  /// Ends the call with an error; what has been sent so far stays sent.
  ///
  /// - Returns: What left of it, and false when the call was over already.
  @discardableResult
  package func fail(
    _ error: some TaxonomyError, initial: Metadata = Metadata(), trailing: [HeaderBlock.Field] = []
  ) -> (failure: CallFailure, wasSent: Bool) {
    context.executor.eventLoop.assertInEventLoop()
    let wire = wire
    let isSplit = state.hasSentHead || !initial.isEmpty
    let options = context.limits.errors(with: trailing, isSplit: isSplit, request: head.metadata)
    var failure = wire.failure(error, head, options)
    failure.requestID = options.requestID
    switch state.finish() {
    case .ignore: return (failure, false)
    case .goOn: wire.finish(exchange, failure, trailing)
    case .sendHead:
      let isBodiless = head.other?.isBodiless ?? false
      wire.fail(
        exchange, failure,
        FailedAnswer(initial: answered(initial), trailing: trailing, codec: head.codec, isBodiless: isBodiless))
    }
    if !isRejected { ended() }
    return (failure, true)
  }

  /// Ends the call, of which the handler, if there is one, learns.
  func end(
    with error: some TaxonomyError, initial: Metadata = Metadata(), trailing: [HeaderBlock.Field] = []
  ) {
    let call = call
    let (failure, wasSent) = fail(error, initial: initial, trailing: trailing)
    guard wasSent else { return }
    context.router.failed(error, failure: failure, path: head.path)
    call?.cancel(RPCError.lift(error))
  }

  func fail(_ fault: ServerCallState.Fault) {
    let fields = fault.fields(wire)
    guard wire.blamesCaller else {
      // gRPC has it in the end.
      return end(with: fault.error, trailing: fields.map { HeaderBlock.Field($0.name, $0.value) })
    }
    end(
      with: fault.callerError,
      initial: Metadata(entries: fields.map { .init(name: $0.name, value: .text($0.value)) }))
  }

  /// Answers what is no call as HTTP does.
  ///
  /// A request that goes on is not stopped at once: what is wrong with it further on is still answered as HTTP/2 asks,
  /// and a client that ends it soon does not find its stream reset. RFC 9113 §8.1 leaves that to the server.
  func refuse(_ error: any TaxonomyError, _ fields: Metadata, hasEnded: Bool) {
    state.refuse(hasEnded: hasEnded)
    if head.wire == nil {
      head.wire = PlainText.suits(head, context.protocols.served) ? PlainText.self : PlainJSON.self
    }
    isRejected = !hasEnded
    end(with: error, initial: fields)
    if isRejected { context.deadlines.add(self, at: .now() + Self.rejectedTime) }
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
