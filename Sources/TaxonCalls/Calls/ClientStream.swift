// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// How a call ended, or one attempt of it.
package struct CallEnd: Sendable {
  /// Nil when it succeeded.
  package var error: (any TaxonomyError)?
  /// The metadata of the answer's head. A stream hands it out when it comes, and leaves it to the call to put it here.
  package var initial = Metadata()
  /// The metadata of the trailers.
  package var trailing = Metadata()
  /// Set when the server did not process the call: says how that is known.
  package var refusal: Refusal?
  /// What the log should know of the answer.
  package var notes: [WireNote] = []

  /// An end; a good one without an error.
  package init(
    error: (any TaxonomyError)? = nil, initial: Metadata = Metadata(), trailing: Metadata = Metadata(),
    refusal: Refusal? = nil, notes: [WireNote] = []
  ) {
    self.error = error
    self.initial = initial
    self.trailing = trailing
    self.refusal = refusal
    self.notes = notes
  }
}

/// What a client does with what comes back. The stream calls the methods on the connection's event loop.
package protocol ClientCall: AnyObject {
  /// The metadata of the head.
  func receive(initial: Metadata)
  /// A message of the answer; the pointer is good during the call. An error ends the call.
  ///
  /// - Parameter size: Bytes on the wire, the prefix included.
  /// - Returns: What the message keeps until it has been read.
  func receive(
    _ message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
  ) throws(RPCError) -> KeptBytes
  /// The error that a failure of the server's stands for, or of an answer that breaks the protocol, and what the log should
  /// know of it. Called right before `receiveEnd`, which gets both.
  func error(for status: ReceivedStatus) -> (error: any TaxonomyError, notes: [WireNote])
  /// The call is over. Called once, and nothing after it.
  func receiveEnd(_ end: CallEnd)
  /// There is room again for what the call has to send.
  func becameWritable()
}

extension ClientCall {
  /// The error of a method that declares none.
  package func error(for status: ReceivedStatus) -> (error: any TaxonomyError, notes: [WireNote]) {
    let received = RPCError.received(status)
    return (received.error, received.notes)
  }
}

/// What the calls of a connection tell its owner, and ask: the delegate of the session, if it is one.
package protocol ClientStreamDelegate: AnyObject {
  /// A call was answered by somebody who does not speak gRPC; its stream is closed.
  func receivedOtherAnswer(_ answer: OtherAnswer)
  /// What a call ends with that the peer did not process, since the connection is about to end; nil for a plain UNAVAILABLE.
  func unprocessedError() -> (any TaxonomyError)?
}

/// The client's side of one call on the wire.
///
/// Lives on the connection's event loop.
package final class ClientStream: HTTPExchangeReceiver, LedgerWaiter {
  /// What carries the call.
  package let exchange: any HTTPExchange
  private let call: any ClientCall
  private let maxMessageSize: Int
  private let maxHeaderListSize: Int
  private let cache: HeaderCache
  @exclusivity(unchecked) private var state: ClientCallState
  @exclusivity(unchecked) private var deframer: MessageDeframer
  @exclusivity(unchecked) private var compression: Compression?
  @exclusivity(unchecked) private var decompressor: Decompressor?
  @exclusivity(unchecked) private var fields = ResponseFields()
  /// Set once it is known that the server did not process the stream and will not.
  @exclusivity(unchecked) private var refusal: Refusal?
  /// Says so in the words of the connection, which has yet to read the GOAWAY.
  private weak var refuser: (any ClientStreamDelegate)?
  @exclusivity(unchecked) private var isResetByServer = false
  /// Set when somebody answered who does not speak gRPC.
  @exclusivity(unchecked) private var otherAnswer: OtherAnswerReader?
  /// What of the answer breaks HTTP/2.
  @exclusivity(unchecked) private var fault: String?
  /// Bytes of messages that wait to be read, and bytes that were received but may not be consumed before that.
  @exclusivity(unchecked) private var unread = 0
  @exclusivity(unchecked) private var unconsumed = 0
  /// What the connection's ledger has of the stream: decoded messages, and bytes that are not messages yet.
  @exclusivity(unchecked) private var ledger: ConnectionLedger?
  @exclusivity(unchecked) private var decoded = 0
  @exclusivity(unchecked) private var raw = 0
  /// Bytes that came and may not be taken apart before messages are read, and what came behind them.
  @exclusivity(unchecked) private var backlog: [UInt8] = []
  @exclusivity(unchecked) private var behindBacklog: [() -> Void] = []
  @exclusivity(unchecked) private var isWaiting = false
  @exclusivity(unchecked) private var isProcessing = false

  /// A stream whose answer, of one message or many, goes to `call`; sizes in bytes.
  ///
  /// - Parameter cache: What came before on the connection.
  package init(
    _ exchange: any HTTPExchange, call: any ClientCall, takesManyMessages: Bool, maxMessageSize: Int,
    maxHeaderListSize: Int,
    cache: HeaderCache = HeaderCache()
  ) {
    self.exchange = exchange
    self.cache = cache
    self.call = call
    self.maxMessageSize = maxMessageSize
    self.maxHeaderListSize = maxHeaderListSize
    state = ClientCallState(takesManyMessages: takesManyMessages)
    deframer = MessageDeframer(limit: maxMessageSize)
  }

  /// Puts the one message of a request into the body and ends it.
  ///
  /// - Throws: `CallError.MalformedMessage` when the message cannot be encoded.
  package func request(_ message: some Message, compression: CompressionSettings?) throws(RPCError) {
    var framer = MessageFramer(compression)
    try exchange.send(message, compress: nil, by: &framer)
    exchange.finish(trailers: nil)
  }

  /// Gives up: the server is told to stop, the call ends with the error. Nothing happens when the call is over.
  package func abandon(_ error: any TaxonomyError) {
    exchange.assertOnLoop()
    guard state.abandon() else { return }
    exchange.reset(.cancel)
    end(error, trailing: Metadata())
  }

  package func notProcessed() {
    // A server that has answered did process the stream, whatever its GOAWAY says.
    guard state.wantsHead else { return }
    refusal = .unprocessed
    refuser = exchange.owner as? any ClientStreamDelegate
  }

  package func cannotSend(headersOfSize size: Int, isHead: Bool) -> HeaderBlock? {
    abandon(
      CallError.HeadersTooLarge(
        what: "The request's header block", size: Int64(size), limit: Int64(HeaderBlock.maxSize)))
    return nil
  }

  package func fieldTooLarge(size: Int, limit: Int) {
    abandon(
      CallError.HeadersTooLarge(what: "A header field of the answer", size: Int64(size), limit: Int64(limit)))
  }

  package func receivedReset() { isResetByServer = true }

  package func malformed(_ reason: String?, endStream: Bool) {
    if let reason {
      fault = reason
    } else if state.wantsHead, fields.httpStatus == nil {
      fault = "its head has no :status"
    } else if !state.wantsHead, !endStream {
      fault = "headers came after its head that do not end it"
    } else {
      fault = Self.wrongLength
    }
  }

  private static let wrongLength = "its body is not as long as its content-length says"

  /// What nghttp2 resets streams for without saying so.
  private func fault(_ errorCode: UInt32) -> String? {
    switch HTTP2ErrorCode(rawValue: errorCode) {
    case .flowControlError: "more came than the stream's window allows"
    case .protocolError: state.wantsHead ? "its body came before its head" : Self.wrongLength
    default: nil
    }
  }

  package func received(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
    fields.size += name.count + value.count + 32
    guard fields.size <= maxHeaderListSize else { return }
    fields.receive(name: name, value: value, cache: cache)
  }

  package func receivedHeaders(endStream: Bool) {
    if isHeldUp {
      // They are the trailers, and stay in `fields`.
      behindBacklog.append { [unowned self] in receivedHeaders(endStream: endStream) }
      return
    }
    let fields = Swift.exchange(&fields, with: ResponseFields())
    guard fields.size <= maxHeaderListSize else { return abandonHeaders("\(fields.size)") }
    let isHead = state.wantsHead
    switch state.receivedHeaders(fields, endStream: endStream, truncation: deframer.truncation) {
    case .deliver:
      compression = Compression(rawValue: fields.encoding)
      call.receive(initial: fields.metadata)
    case .succeed: end(nil, trailing: fields.metadata)
    case .end(let status): end(status, trailing: fields.metadata)
    case .fail(let status):
      if isHead, fields.httpStatus != 200 || !fields.isGRPC {
        otherAnswer = OtherAnswerReader(status.message, exchange.owner as? any ClientStreamDelegate)
      }
      fail(status, trailing: fields.metadata)
    case .ignore: break
    }
  }

  package func headersTooLarge(size: Int) { abandonHeaders("more than \(size - 1)") }

  private func abandonHeaders(_ size: String) {
    let message = "Response headers of \(size) bytes are over the limit of \(maxHeaderListSize) bytes"
    abandon(RPCError(.resourceExhausted, message))
  }

  package func received(data: UnsafeRawBufferPointer, isLast: Bool) {
    if !isLast { unconsumed += data.count }
    if isHeldUp {
      backlog.append(contentsOf: data)
      // The ledger bounds it, whatever is in it.
      exchange.completedMessage()
      noteRaw()
    } else if state.wantsMessages {
      process(data)
    } else if let otherAnswer {
      otherAnswer.receive(data)
    }
    consume()
  }

  /// True while bytes wait that may not be taken apart.
  private var isHeldUp: Bool { isWaiting && (!backlog.isEmpty || deframer.hasMessage) }

  /// Takes bytes apart, as far as messages may be decoded.
  private func process(_ data: UnsafeRawBufferPointer) {
    if ledger == nil { ledger = exchange.ledger }
    isProcessing = true
    do throws(MessageDeframer.Failure) {
      let rest = try deframer.process(data) { isCompressed, message in
        guard mayDecode else { return false }
        exchange.completedMessage()
        if let status = state.receivedMessage(isCompressed: isCompressed) {
          fail(status, trailing: Metadata())
        } else if state.wantsMessages {
          deliver(message, isCompressed: isCompressed)
        }
        return true
      }
      if rest > 0 { backlog.append(contentsOf: data[(data.count - rest)...]) }
    } catch {
      switch error {
      case .tooLarge(let size, let limit):
        abandon(CallError.MessageTooLarge(size: Int64(size), limit: Int64(limit)))
      case .invalidFlag(let flag):
        abandon(CallError.ProtocolViolation(reason: ServerCallState.Fault.invalidFlag(flag).reason))
      }
    }
    isProcessing = false
    if state.wantsMessages { noteRaw() } else { forgetAnswer() }
  }

  /// False while the messages that wait to be read are as many as may be.
  private var mayDecode: Bool {
    guard let ledger, state.wantsMessages else { return true }
    return !ledger.isFullOfMessages && decoded < ledger.streamLimit
  }

  private func noteRaw() {
    let now = backlog.count + deframer.heldCount
    let change = now - raw
    guard change != 0 else { return }
    raw = now
    if deframer.partCount == 0 { ledger?.leave(self) }
    ledger?.change(raw: change)
  }

  /// The call is over.
  private func forgetAnswer() {
    guard !isProcessing, let ledger else { return }
    if isWaiting {
      isWaiting = false
      ledger.forget(self)
    }
    ledger.leave(self)
    backlog = []
    behindBacklog = []
    deframer.clear()
    ledger.change(raw: -raw)
    ledger.change(decoded: -decoded)
    (raw, decoded, unread) = (0, 0, 0)
  }

  package func ledgerHasRoom() -> Bool {
    guard isWaiting else { return true }
    guard !isProcessing else { return false }
    if isHeldUp {
      guard mayDecode else { return false }
      let bytes = Swift.exchange(&backlog, with: [])
      bytes.withUnsafeBytes { process($0) }
      // The call may be over.
      guard isWaiting else { return true }
      if isHeldUp {
        consume()
        return false
      }
      for event in Swift.exchange(&behindBacklog, with: []) { event() }
      guard isWaiting else { return true }
    }
    consume()
    guard keptOfInput() == 0 else { return false }
    isWaiting = false
    return true
  }

  private func deliver(_ message: UnsafeRawBufferPointer, isCompressed: Bool) {
    let size = message.count + MessageFramer.prefixSize
    switch isCompressed ? decompress(message) : hand(message, size: size, isCompressed: false) {
    case .success(let kept):
      guard kept.window > 0, state.wantsMessages else { return }
      unread += kept.window
      decoded += kept.memory
      ledger?.change(decoded: kept.memory)
    case .failure(let error): abandon(error)
    }
  }

  private func hand(
    _ message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
  ) -> Result<KeptBytes, RPCError> {
    do throws(RPCError) {
      return .success(try call.receive(message, size: size, isCompressed: isCompressed))
    } catch {
      return .failure(error)
    }
  }

  private func decompress(_ message: UnsafeRawBufferPointer) -> Result<KeptBytes, RPCError> {
    // The state lets no compressed message through without it.
    guard let compression else { return .success(.none) }
    do throws(CompressionError) {
      let decompressor = if let decompressor { decompressor } else { try Decompressor(compression) }
      self.decompressor = decompressor
      return try decompressor.decompress(message, limit: maxMessageSize) {
        hand($0, size: message.count + MessageFramer.prefixSize, isCompressed: true)
      }
    } catch {
      return .failure(error.undeclared)
    }
  }

  /// The call has read messages that kept so much.
  package func read(_ kept: KeptBytes) {
    exchange.assertOnLoop()
    unread -= min(unread, kept.window)
    let memory = min(decoded, kept.memory)
    decoded -= memory
    ledger?.change(decoded: -memory)
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
    guard let ledger, exchange.ledger != nil || isHeldUp else { return 0 }
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

  package func becameWritable() { call.becameWritable() }

  package func receivedEnd() {
    if isHeldUp {
      behindBacklog.append { [unowned self] in receivedEnd() }
      return
    }
    if let status = state.receivedEnd(truncation: deframer.truncation) { end(status, trailing: Metadata()) }
  }

  package func closed(errorCode: UInt32) {
    otherAnswer.take()?.finish()
    // What came before a good end is still read.
    if isHeldUp, errorCode == HTTP2ErrorCode.noError.rawValue {
      behindBacklog.append { [unowned self] in closed(errorCode: errorCode) }
      return
    }
    if errorCode == HTTP2ErrorCode.refusedStream.rawValue, state.wantsHead, refusal == nil { refusal = .refusedStream }
    let code = refusal != nil ? HTTP2ErrorCode.refusedStream.rawValue : errorCode
    let closing: ClientCallState.Closing =
      refusal == .unprocessed
      ? .unprocessed
      : isResetByServer || refusal != nil
        ? .reset
        // nghttp2 closes what a GOAWAY names as unprocessed, though the answer has begun.
        : errorCode == HTTP2ErrorCode.refusedStream.rawValue ? .unprocessed : .malformed(fault ?? fault(errorCode))
    guard let status = state.closed(errorCode: code, closing) else { return }
    if refusal == .unprocessed, let error = refuser?.unprocessedError() {
      return end(error, trailing: Metadata())
    }
    end(status, trailing: Metadata())
  }

  /// The connection is gone: ends the call with the error, unless it is over.
  ///
  /// - Parameter refusal: `.unprocessed` when the stream never left.
  package func connectionLost(_ error: any TaxonomyError, refusal: Refusal? = nil) {
    if let refusal, state.wantsHead { self.refusal = refusal }
    if state.abandon() { end(error, trailing: Metadata()) }
  }

  private func fail(_ status: ReceivedStatus, trailing: Metadata) {
    _ = state.abandon()
    // What came of the body with the head is for the log.
    if otherAnswer == nil { exchange.reset(.cancel) } else { exchange.resetWhenAnswered() }
    end(status, trailing: trailing)
  }

  @inline(never)
  private func end(_ status: ReceivedStatus, trailing: Metadata) {
    let (error, notes) = call.error(for: status)
    end(error, trailing: trailing, notes: notes)
  }

  private func end(_ error: (any TaxonomyError)?, trailing: Metadata, notes: [WireNote] = []) {
    // A server that answered before it read all of the request would keep the stream open.
    if otherAnswer == nil, exchange.hasUnsentBody {
      exchange.reset(.cancel)
    }
    forgetAnswer()
    call.receiveEnd(CallEnd(error: error, trailing: trailing, refusal: refusal, notes: notes))
  }
}
