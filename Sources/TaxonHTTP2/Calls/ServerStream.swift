// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonErrors

/// What a server does with one call. The stream calls the methods on the connection's event loop.
public protocol ServerCall: AnyObject {
  /// A message of the request; the pointer is good during the call. An error ends the call.
  func receive(_ message: UnsafeRawBufferPointer) throws(UndeclaredError)
  /// The request is complete: do the work.
  func receiveEnd()
  /// The peer is gone, has given up, or the deadline has passed: what the call would answer is no longer wanted.
  func cancel()
}

/// The one who knows the methods and sees how calls end.
public protocol ServerRouter: AnyObject, Sendable {
  /// The call for a head, or nil when there is no such method.
  func makeCall(_ head: RequestHead, stream: ServerStream) -> (any ServerCall)?
  /// A call failed before, or without, a handler.
  func failed(_ error: any TaxonomyError, status: WireStatus, path: String)
}

/// What a server allows one call.
public struct ServerCallLimits: Sendable {
  /// Bytes of one message of a request.
  public var maxMessageSize = 4 * 1024 * 1024
  /// Bytes of a request's headers, each field counted with 32 on top.
  public var maxHeaderListSize = 16 * 1024
  /// Bytes of the trailers that carry an error, counted in the same way.
  public var maxTrailersSize = WireStatus.defaultBudget

  /// The values above.
  public init() {}
}

/// The server's side of one call on the wire: takes headers and bytes apart, puts the reply together.
///
/// Lives on the connection's event loop.
public final class ServerStream: HTTP2Stream {
  /// The headers with which the call began.
  public private(set) var head = RequestHead()
  /// When the caller stops waiting, if it said so.
  public private(set) var deadline: NIODeadline?
  /// Runs what the call does on the connection's loop.
  public let executor: LoopExecutor
  /// Who calls, as far as the connection knows.
  public let peer: String

  private let router: any ServerRouter
  private let limits: ServerCallLimits
  private var state = ServerCallState()
  private var deframer: MessageDeframer
  private var call: (any ServerCall)?
  private var timer: Scheduled<Void>?
  /// Asks the connection to write what the session has.
  private let flush: () -> Void

  /// A stream of a connection on the executor's loop; `flush` is called when there may be something to write.
  public init(
    executor: LoopExecutor, peer: String, router: any ServerRouter, limits: ServerCallLimits,
    flush: @escaping () -> Void
  ) {
    self.executor = executor
    self.peer = peer
    self.router = router
    self.limits = limits
    self.flush = flush
    deframer = MessageDeframer(limit: limits.maxMessageSize)
  }

  // MARK: From the peer

  public override func received(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
    // Trailers of a request mean nothing to gRPC, and are no part of its head.
    guard state.wantsHead else { return }
    head.size += name.count + value.count + 32
    // Past the limit fields are still decoded, so that the header table stays in step, and then forgotten.
    if head.size <= limits.maxHeaderListSize { head.receive(name: name, value: value) }
  }

  public override func receivedHeaders(endStream: Bool) {
    switch state.receivedHead(head, sizeLimit: limits.maxHeaderListSize) {
    case .begin: begin()
    case .fail(let fault): fail(fault)
    case .rejectHTTP(let status, let reason): rejectHTTP(status, reason)
    case .ignore: break
    }
    if endStream { receivedEnd() }
  }

  private func begin() {
    if let timeout = head.timeout {
      let deadline = NIODeadline.now() + TimeAmount(timeout)
      self.deadline = deadline
      timer = executor.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in
        self?.deadlinePassed()
      }
    }
    guard let call = router.makeCall(head, stream: self) else {
      fail(CallError.MethodNotFound(path: head.path))
      return
    }
    self.call = call
  }

  public override func received(data: UnsafeRawBufferPointer) {
    do throws(MessageDeframer.Failure) {
      try deframer.process(data) { isCompressed, message in
        switch state.receivedMessage(isCompressed: isCompressed) {
        case .deliver: deliver(message)
        case .fail(let fault): fail(fault)
        case .ignore: break
        }
      }
    } catch {
      switch error {
      case .tooLarge(let size, let limit): fail(.messageTooLarge(size: size, limit: limit))
      case .invalidFlag(let flag): fail(.invalidFlag(flag))
      }
    }
    session?.consume(self, data.count)
  }

  private func deliver(_ message: UnsafeRawBufferPointer) {
    do throws(UndeclaredError) {
      try call?.receive(message)
    } catch {
      fail(error)
    }
  }

  public override func headersTooLarge() {
    let error = UndeclaredError(.resourceExhausted, "The answer's headers are larger than HTTP/2 carries (64 KiB)")
    router.failed(error, status: WireStatus(error), path: head.path)
  }

  public override func receivedEnd() {
    switch state.receivedEnd(isAtBoundary: deframer.isAtBoundary) {
    case .invoke: call?.receiveEnd()
    case .fail(let fault): fail(fault)
    case .ignore: break
    }
  }

  public override func closed(errorCode: UInt32) {
    timer?.cancel()
    timer = nil
    if state.closed() { call?.cancel() }
    call = nil
  }

  private func deadlinePassed() {
    let call = call
    fail(CallError.DeadlineExceeded())
    call?.cancel()
  }

  // MARK: To the peer

  /// Sends the one message of a unary reply and ends the call. `body` fills all of the `size` bytes.
  public func reply(
    _ size: Int, initial: Metadata, trailing: Metadata, _ body: (UnsafeMutableRawBufferPointer) -> Void
  ) {
    executor.eventLoop.preconditionInEventLoop()
    guard state.sendMessage() == .sendHead else { return }
    send(size + 5) { target in
      target[0] = 0
      target.storeBytes(of: UInt32(size).bigEndian, toByteOffset: 1, as: UInt32.self)
      body(UnsafeMutableRawBufferPointer(rebasing: target[5...]))
    }
    _ = state.finish()
    finish(trailers: trailing.isEmpty ? Self.okTrailers : Self.trailers(trailing))
    session?.submitResponse(self, head: initial.isEmpty ? Self.okHead : Self.okHead(initial))
    ended()
  }

  /// Ends the call with an error; what has been sent so far stays sent.
  ///
  /// - Returns: False when the call was over already.
  @discardableResult
  public func fail(_ status: WireStatus, initial: Metadata = Metadata(), trailing: Metadata = Metadata()) -> Bool {
    executor.eventLoop.preconditionInEventLoop()
    switch state.finish() {
    case .ignore: return false
    case .goOn: finish(trailers: Self.errorTrailers(status, isHead: false, initial: initial, trailing: trailing))
    case .sendHead:
      let head = Self.errorTrailers(status, isHead: true, initial: initial, trailing: trailing)
      session?.submitHeadersOnly(self, head: head)
    }
    ended()
    return true
  }

  private func fail(_ error: some TaxonomyError) {
    let status = WireStatus(error, budget: limits.maxTrailersSize)
    if fail(status) { router.failed(error, status: status, path: head.path) }
  }

  private func fail(_ fault: ServerCallState.Fault) {
    switch fault {
    case .messageTooLarge(let size, let limit):
      fail(CallError.MessageTooLarge(size: Int64(size), limit: Int64(limit)))
    case .unsupportedEncoding(let encoding):
      fail(CallError.UnsupportedEncoding(encoding: encoding, supported: ["identity"]))
    case .headersTooLarge(let size, let limit):
      fail(UndeclaredError(.resourceExhausted, "Request headers of \(size) bytes are over the limit of \(limit) bytes"))
    default: fail(CallError.ProtocolViolation(reason: fault.reason))
    }
  }

  private func rejectHTTP(_ status: Int, _ reason: String) {
    guard state.finish() == .sendHead else { return }
    session?.submitHeadersOnly(
      self, head: HeaderBlock([.init(":status", "\(status)"), .init("x-taxon-reason", reason)]))
    ended()
  }

  /// The reply is over: stop the clock, and stop a peer that is still sending.
  private func ended() {
    timer?.cancel()
    timer = nil
    flush()
    if state.wantsReset { session?.resetWhenAnswered(self) }
  }
}
