// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonTransport

// The bodies of requests: from bytes to messages, and what is kept of them in between.
extension ServerStream {
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
  func process(_ data: UnsafeRawBufferPointer) {
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
  func processEnd() {
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

  func release(_ count: Int) {
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
  func consume() {
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
}
