// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

/// How a call ended on the wire.
public struct CallEnd: Sendable {
  /// What ended the call.
  public enum Outcome: Sendable {
    /// The call succeeded.
    case success
    /// The failure that the server answered, or what stands for it when the server broke the protocol.
    case status(ReceivedStatus)
    /// This end gave up, or the connection is gone.
    case failure(any TaxonomyError)
  }

  /// What ended the call.
  public let outcome: Outcome
  /// The metadata of the trailers.
  public let trailing: Metadata
  /// Set when the server did not process the call: says how that is known.
  public let refusal: Refusal?

  /// An end.
  public init(outcome: Outcome, trailing: Metadata = Metadata(), refusal: Refusal? = nil) {
    self.outcome = outcome
    self.trailing = trailing
    self.refusal = refusal
  }
}

/// What a client does with what comes back. The stream calls the methods on the connection's event loop.
public protocol ClientCall: AnyObject {
  /// The metadata of the head.
  func receive(initial: Metadata)
  /// A message of the answer; the pointer is good during the call. An error ends the call.
  ///
  /// - Returns: The bytes of the stream's window that the message keeps until it has been read, at most `size`.
  func receive(
    _ message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
  ) throws(UndeclaredError) -> Int
  /// The call is over. Called once, and nothing after it.
  func receiveEnd(_ end: CallEnd)
  /// There is room again for what the call has to send.
  func hasRoom()
}

/// The client's side of one call on the wire.
///
/// Lives on the connection's event loop.
public final class ClientStream: HTTP2Stream {
  private let call: any ClientCall
  private let maxMessageSize: Int
  private let maxHeaderListSize: Int
  @exclusivity(unchecked) private var state: ClientCallState
  @exclusivity(unchecked) private var deframer: MessageDeframer
  @exclusivity(unchecked) private var compression: Compression?
  @exclusivity(unchecked) private var decompressor: Decompressor?
  @exclusivity(unchecked) private var fields = ResponseFields()
  /// Set once it is known that the server did not process the stream and will not.
  @exclusivity(unchecked) private var refusal: Refusal?
  @exclusivity(unchecked) private var isResetByServer = false
  /// What of the answer breaks HTTP/2.
  @exclusivity(unchecked) private var fault: String?
  /// Bytes of messages that wait to be read, and bytes that were received but may not be consumed before that.
  @exclusivity(unchecked) private var unread = 0
  @exclusivity(unchecked) private var unconsumed = 0

  /// A stream whose answer, of one message or many, goes to `call`; sizes in bytes.
  public init(call: any ClientCall, takesManyMessages: Bool, maxMessageSize: Int, maxHeaderListSize: Int) {
    self.call = call
    self.maxMessageSize = maxMessageSize
    self.maxHeaderListSize = maxHeaderListSize
    state = ClientCallState(takesManyMessages: takesManyMessages)
    deframer = MessageDeframer(limit: maxMessageSize)
  }

  /// Puts the one message of a request into the body and ends it.
  ///
  /// - Parameter session: Where the stream is to be opened; may have memory to spare for the body.
  /// - Throws: `CallError.MalformedMessage` when the message cannot be encoded.
  public func request(
    _ message: some Message, compression: CompressionSettings?, for session: HTTP2Session?
  ) throws(UndeclaredError) {
    outbound.adopt(session?.spareBuffer())
    var framer = MessageFramer(compression)
    try send(message, compress: nil, by: &framer)
    finish(trailers: nil)
  }

  /// Gives up: the server is told to stop, the call ends with the error. Nothing happens when the call is over.
  public func abandon(_ error: any TaxonomyError) {
    session?.assertOnLoop()
    guard state.abandon() else { return }
    session?.reset(self, errorCode: .cancel)
    end(.failure(error), trailing: Metadata())
  }

  public override func notProcessed() {
    // A server that has answered did process the stream, whatever its GOAWAY says.
    if state.wantsHead { refusal = .unprocessed }
  }

  public override func headersTooLarge(isHead: Bool) -> HeaderBlock? {
    let size = submittedHead?.sizeBound ?? 0
    abandon(
      CallError.HeadersTooLarge(
        what: "The request's header block", size: Int64(size), limit: Int64(HeaderBlock.maxSize)))
    return nil
  }

  public override func fieldTooLarge(size: Int, limit: Int) {
    abandon(
      CallError.HeadersTooLarge(what: "A header field of the answer", size: Int64(size), limit: Int64(limit)))
  }

  public override func receivedReset() { isResetByServer = true }

  public override func malformed(_ reason: String) { fault = reason }

  public override func received(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
    fields.size += name.count + value.count + 32
    guard fields.size <= maxHeaderListSize, let session else { return }
    fields.receive(name: name, value: value, cache: &session.headerCache)
  }

  public override func receivedHeaders(endStream: Bool) {
    let fields = exchange(&fields, with: ResponseFields())
    guard fields.size <= maxHeaderListSize else {
      let message = "Response headers of \(fields.size) bytes are over the limit of \(maxHeaderListSize) bytes"
      abandon(UndeclaredError(.resourceExhausted, message))
      return
    }
    switch state.receivedHeaders(fields, endStream: endStream, isAtBoundary: deframer.isAtBoundary) {
    case .deliver:
      compression = Compression(rawValue: fields.encoding)
      call.receive(initial: fields.metadata)
    case .succeed: end(.success, trailing: fields.metadata)
    case .end(let status): end(.status(status), trailing: fields.metadata)
    case .fail(let status): fail(status, trailing: fields.metadata)
    case .ignore: break
    }
  }

  public override func received(data: UnsafeRawBufferPointer, isLast: Bool) {
    if !isLast { unconsumed += data.count }
    if state.wantsMessages {
      do throws(MessageDeframer.Failure) {
        try deframer.process(data) { isCompressed, message in
          completedMessages += 1
          if let status = state.receivedMessage(isCompressed: isCompressed) {
            fail(status, trailing: Metadata())
          } else if state.wantsMessages {
            deliver(message, isCompressed: isCompressed)
          }
        }
      } catch {
        switch error {
        case .tooLarge(let size, let limit):
          abandon(CallError.MessageTooLarge(size: Int64(size), limit: Int64(limit)))
        case .invalidFlag(let flag):
          abandon(CallError.ProtocolViolation(reason: ServerCallState.Fault.invalidFlag(flag).reason))
        }
      }
    }
    consume()
  }

  private func deliver(_ message: UnsafeRawBufferPointer, isCompressed: Bool) {
    switch isCompressed ? decompress(message) : hand(message, size: message.count, isCompressed: false) {
    case .success(let count): unread += count
    case .failure(let error): abandon(error)
    }
  }

  private func hand(
    _ message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
  ) -> Result<Int, UndeclaredError> {
    do throws(UndeclaredError) {
      return .success(try call.receive(message, size: size, isCompressed: isCompressed))
    } catch {
      return .failure(error)
    }
  }

  private func decompress(_ message: UnsafeRawBufferPointer) -> Result<Int, UndeclaredError> {
    // The state lets no compressed message through without it.
    guard let compression else { return .success(0) }
    do throws(CompressionError) {
      let decompressor = if let decompressor { decompressor } else { try Decompressor(compression) }
      self.decompressor = decompressor
      return try decompressor.decompress(message, limit: maxMessageSize) {
        hand($0, size: message.count, isCompressed: true)
      }
    } catch {
      return .failure(error.undeclared)
    }
  }

  /// The call has read messages that kept so many bytes of the window.
  public func read(_ count: Int) {
    session?.assertOnLoop()
    unread -= count
    consume()
  }

  /// Opens the window by what was received and does not wait to be read.
  private func consume() {
    let count = unconsumed - unread
    guard count > 0 else { return }
    unconsumed -= count
    session?.consume(self, count)
  }

  public override func outboundHasRoom() { call.hasRoom() }

  public override func receivedEnd() {
    if let status = state.receivedEnd() { end(.status(status), trailing: Metadata()) }
  }

  public override func closed(errorCode: UInt32) {
    if errorCode == HTTP2ErrorCode.refusedStream.rawValue, state.wantsHead, refusal == nil { refusal = .refusedStream }
    let code = refusal != nil ? HTTP2ErrorCode.refusedStream.rawValue : errorCode
    let closing: ClientCallState.Closing =
      refusal == .unprocessed
      ? .unprocessed
      : isResetByServer || refusal != nil
        ? .reset
        // nghttp2 closes what a GOAWAY names as unprocessed, though the answer has begun.
        : errorCode == HTTP2ErrorCode.refusedStream.rawValue ? .unprocessed : .malformed(fault)
    if let status = state.closed(errorCode: code, closing) { end(.status(status), trailing: Metadata()) }
  }

  /// The connection is gone: ends the call with the error, unless it is over.
  ///
  /// - Parameter refusal: `.unprocessed` when the stream never left.
  public func connectionLost(_ error: any TaxonomyError, refusal: Refusal? = nil) {
    if let refusal, state.wantsHead { self.refusal = refusal }
    if state.abandon() { end(.failure(error), trailing: Metadata()) }
  }

  private func fail(_ status: ReceivedStatus, trailing: Metadata) {
    _ = state.abandon()
    session?.reset(self, errorCode: .cancel)
    end(.status(status), trailing: trailing)
  }

  private func end(_ outcome: CallEnd.Outcome, trailing: Metadata) {
    // A server that answered before it read all of the request would keep the stream open.
    if outboundCount > 0 || !isOutboundFinished || session?.hasUnsentEnd(self) == true {
      session?.reset(self, errorCode: .cancel)
    }
    call.receiveEnd(CallEnd(outcome: outcome, trailing: trailing, refusal: refusal))
  }
}
