// SPDX-License-Identifier: Apache-2.0
import TaxonErrors

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
  /// True: the server did not process the call at all (REFUSED_STREAM, or a GOAWAY below the stream), and it may be
  /// sent again whatever the method (gRPC A6, "Transparent Retries").
  public let isRefused: Bool

  /// An end.
  public init(outcome: Outcome, trailing: Metadata = Metadata(), isRefused: Bool = false) {
    self.outcome = outcome
    self.trailing = trailing
    self.isRefused = isRefused
  }
}

/// What a client does with what comes back. The stream calls the methods on the connection's event loop.
public protocol ClientCall: AnyObject {
  /// The metadata of the head.
  func receive(initial: Metadata)
  /// A message of the answer; the pointer is good during the call. An error ends the call.
  func receive(_ message: UnsafeRawBufferPointer) throws(UndeclaredError)
  /// The call is over. Called once, and nothing after it.
  func receiveEnd(_ end: CallEnd)
}

/// The client's side of one call on the wire.
///
/// Lives on the connection's event loop.
public final class ClientStream: HTTP2Stream {
  private let call: any ClientCall
  private let maxMessageSize: Int
  private let maxHeaderListSize: Int
  private var state = ClientCallState()
  private var deframer: MessageDeframer
  private var fields = ResponseFields()
  /// True once it is known that the server did not process the stream and will not.
  private var isRefused = false

  /// A stream whose answer goes to `call`; sizes in bytes.
  public init(call: any ClientCall, maxMessageSize: Int, maxHeaderListSize: Int) {
    self.call = call
    self.maxMessageSize = maxMessageSize
    self.maxHeaderListSize = maxHeaderListSize
    deframer = MessageDeframer(limit: maxMessageSize)
  }

  /// Puts the one message of a unary request into the body and ends it. `body` fills all of the `size` bytes.
  public func request(_ size: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
    send(size + 5) { target in
      target[0] = 0
      target.storeBytes(of: UInt32(size).bigEndian, toByteOffset: 1, as: UInt32.self)
      body(UnsafeMutableRawBufferPointer(rebasing: target[5...]))
    }
    finish(trailers: nil)
  }

  /// Gives up: the server is told to stop, the call ends with the error. Nothing happens when the call is over.
  public func abandon(_ error: any TaxonomyError) {
    guard state.abandon() else { return }
    session?.reset(self, errorCode: .cancel)
    end(.failure(error), trailing: Metadata())
  }

  public override func notSent() {
    isRefused = true
  }

  public override func headersTooLarge() {
    abandon(UndeclaredError(.resourceExhausted, "The request's headers are larger than HTTP/2 carries (64 KiB)"))
  }

  public override func received(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
    fields.size += name.count + value.count + 32
    if fields.size <= maxHeaderListSize { fields.receive(name: name, value: value) }
  }

  public override func receivedHeaders(endStream: Bool) {
    let fields = fields
    self.fields = ResponseFields()
    guard fields.size <= maxHeaderListSize else {
      let message = "Response headers of \(fields.size) bytes are over the limit of \(maxHeaderListSize) bytes"
      abandon(UndeclaredError(.resourceExhausted, message))
      return
    }
    switch state.receivedHeaders(fields, endStream: endStream) {
    case .deliver: call.receive(initial: fields.metadata)
    case .succeed where !deframer.isAtBoundary:
      let status = ReceivedStatus(code: .internalError, message: "The answer ended inside a message")
      end(.status(status), trailing: fields.metadata)
    case .succeed: end(.success, trailing: fields.metadata)
    case .end(let status): end(.status(status), trailing: fields.metadata)
    case .fail(let status): fail(status, trailing: fields.metadata)
    case .ignore: break
    }
  }

  public override func received(data: UnsafeRawBufferPointer) {
    if state.wantsMessages {
      do throws(MessageDeframer.Failure) {
        try deframer.process(data) { isCompressed, message in
          if let status = state.receivedMessage(isCompressed: isCompressed) {
            fail(status, trailing: Metadata())
          } else if state.wantsMessages {
            deliver(message)
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
    session?.consume(self, data.count)
  }

  private func deliver(_ message: UnsafeRawBufferPointer) {
    do throws(UndeclaredError) {
      try call.receive(message)
    } catch {
      abandon(error)
    }
  }

  public override func receivedEnd() {
    if let status = state.receivedEnd() { end(.status(status), trailing: Metadata()) }
  }

  public override func closed(errorCode: UInt32) {
    if errorCode == HTTP2ErrorCode.refusedStream.rawValue, state.wantsHead { isRefused = true }
    let code = isRefused ? HTTP2ErrorCode.refusedStream.rawValue : errorCode
    if let status = state.closed(errorCode: code) { end(.status(status), trailing: Metadata()) }
  }

  /// The connection is gone: ends the call with the error, unless it is over.
  public func connectionLost(_ error: any TaxonomyError) {
    if state.abandon() { end(.failure(error), trailing: Metadata()) }
  }

  private func fail(_ status: ReceivedStatus, trailing: Metadata) {
    _ = state.abandon()
    session?.reset(self, errorCode: .cancel)
    end(.status(status), trailing: trailing)
  }

  private func end(_ outcome: CallEnd.Outcome, trailing: Metadata) {
    // A server that answered before it read all of the request would keep the stream open.
    if outboundCount > 0 { session?.reset(self, errorCode: .cancel) }
    call.receiveEnd(CallEnd(outcome: outcome, trailing: trailing, isRefused: isRefused))
  }
}
