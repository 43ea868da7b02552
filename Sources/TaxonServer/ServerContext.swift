// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// What a handler knows of its call beside the request, and what it can send beside the reply.
public final class ServerContext: CallContext {
  /// The method's path, such as "/octollm.v1.Orchestrator/GetTask".
  public let path: String
  /// Who calls: "ipv4:127.0.0.1:51234", "unix:", …
  public var peer: String { other.address }
  /// Whether the connection is encrypted by TLS.
  public var isEncrypted: Bool { other.isEncrypted }
  /// The certificate that the caller has shown, and that was found good; nil without one (`ServerTLS`).
  public var peerCertificate: PeerCertificate? { other.certificate }
  /// What came with the request.
  public let metadata: Metadata
  /// The request's id: the value of the header that `Server.Configuration.calls.requestIDHeader` names, which goes with errors
  /// and into the log. Nil where the server names none, where the request has none, or one that is not 1 to 128
  /// characters of visible ASCII.
  public var requestID: String? { reporter?.limits.requestID(metadata) }
  /// When the caller stops waiting; nil when it waits for ever. The task is cancelled then, and calls that the handler
  /// makes end no later.
  public let deadline: ContinuousClock.Instant?

  private struct Reply {
    var initial = Metadata()
    var trailing = Metadata()
    var compresses: Bool?
    var isRequestCompressed = false
    var isHeadSent = false
    var values = CallValues()
    /// Where headers can be sent; nil without a server, and once the handler has returned: who keeps the context keeps no
    /// stream.
    var stream: ServerStream?
  }

  // nonisolated(unsafe): reached under the peer's lock alone, which the calls of a connection share, since a lock for each
  // call would cost more than it guards.
  @exclusivity(unchecked) nonisolated(unsafe) private var fields = Reply()
  private let other: ConnectionPeer
  /// Nil without a server.
  private let reporter: CallReporter?
  /// What the method declares; nil without a server.
  private let failure: (any ErrorUnion.Type)?

  /// A context, for tests that call a service's methods without a server.
  public convenience init(
    path: String = "", peer: String = "", metadata: Metadata = Metadata(), deadline: ContinuousClock.Instant? = nil,
    isEncrypted: Bool = false, peerCertificate: PeerCertificate? = nil
  ) {
    self.init(
      path: path, peer: ConnectionPeer(address: peer, isEncrypted: isEncrypted, certificate: peerCertificate),
      metadata: metadata, deadline: deadline, reporter: nil, failure: nil)
  }

  convenience init(path: String, stream: ServerStream, reporter: CallReporter, failure: any ErrorUnion.Type) {
    self.init(
      path: path, peer: stream.context.peer, metadata: stream.metadata,
      deadline: stream.deadline.map { .now + Duration($0 - .now()) }, reporter: reporter, failure: failure)
    // Nobody else knows the context yet.
    fields.stream = stream
  }

  private init(
    path: String, peer: ConnectionPeer, metadata: Metadata, deadline: ContinuousClock.Instant?,
    reporter: CallReporter?, failure: (any ErrorUnion.Type)?
  ) {
    self.reporter = reporter
    self.failure = failure
    self.path = path
    other = peer
    self.metadata = metadata
    self.deadline = deadline
  }

  /// The verb and the target of a request that is not plain gRPC; nil for plain gRPC, without a server, and once the handler has
  /// returned. A call by gRPC-Web or Connect has them as much as one by REST.
  public var requestLine: HTTPRequestLine? { withFields { $0.stream }?.requestLine }

  /// A value that lives as long as the call: what an interceptor has set, the interceptors further in and the handler read.
  public subscript<Key: CallValueKey>(key: Key.Type) -> Key.Value? {
    get { withFields { $0.values[key] } }
    set {
      // Freed outside of the lock, which the calls of a connection share.
      let old = withFields { fields in
        let old = fields.values
        fields.values[key] = newValue
        return old
      }
      _ = old
    }
  }

  private func withFields<Result>(_ body: (inout Reply) -> Result) -> Result {
    other.lock.withLock { _ in body(&fields) }
  }

  /// Sent by `sendHeaders`, else before the first message of the reply, or before the error when there is none. A change
  /// after that has no effect, and is logged once a method.
  public var initialMetadata: Metadata {
    get { withFields { $0.initial } }
    set { set("initialMetadata") { $0.initial = newValue } }
  }

  /// Sent after the reply, or with the error.
  public var trailingMetadata: Metadata {
    get { withFields { $0.trailing } }
    set { withFields { $0.trailing = newValue } }
  }

  /// Whether this reply is compressed, if the caller accepts it; nil leaves it to the server's setting and the messages'
  /// size. To be set before the headers are sent, or the first message is written; it has no effect after that.
  public var compressesReply: Bool? {
    get { withFields { $0.compresses } }
    set { set("compressesReply") { $0.compresses = newValue } }
  }

  /// Changes what goes with the headers, if they are not out.
  private func set(_ property: String, _ change: (inout Reply) -> Void) {
    let isInTime = withFields { fields in
      if !fields.isHeadSent { change(&fields) }
      return !fields.isHeadSent
    }
    if !isInTime { reporter?.setTooLate(property, path: path) }
  }

  /// Sends the headers with `initialMetadata` at once, before there is a message or an error to send. Without it they go
  /// with the first message, or with the end.
  ///
  /// - Returns: False when they are out already, the handler has returned, or the context is one without a server;
  ///   nothing happens then.
  @discardableResult
  public func sendHeaders() -> Bool {
    let head = withFields { fields -> (stream: ServerStream, initial: Metadata, wish: Bool?)? in
      guard let stream = fields.stream, !fields.isHeadSent else { return nil }
      fields.isHeadSent = true
      return (stream, fields.initial, fields.compresses)
    }
    guard let head else { return false }
    let compression = head.stream.compression(wish: head.wish)?.compression
    let loop = head.stream.context.executor.eventLoop
    if loop.inEventLoop {
      head.stream.sendHead(head.initial, compression: compression)
    } else {
      // nonisolated(unsafe): reached on the loop alone.
      nonisolated(unsafe) let stream = head.stream
      loop.execute { [initial = head.initial] in stream.sendHead(initial, compression: compression) }
    }
    return true
  }

  /// The first message goes: says what its head has.
  func takeHead() -> Metadata {
    withFields { fields in
      fields.isHeadSent = true
      return fields.initial
    }
  }

  /// Whether the request, or the message of it that was read last, came compressed.
  public internal(set) var isRequestCompressed: Bool {
    get { withFields { $0.isRequestCompressed } }
    set { withFields { $0.isRequestCompressed = newValue } }
  }

  /// The handler has returned: says what goes with its reply, or with its error, and lets go of the stream.
  func takeReply() -> (initial: Metadata, trailing: Metadata, compresses: Bool?) {
    let (stream, reply) = withFields { fields in
      fields.isHeadSent = true
      return (fields.stream.take(), (fields.initial, fields.trailing, fields.compresses))
    }
    // Let go of outside of the lock.
    _ = stream
    return reply
  }
}

extension ServerContext {
  /// What the call's method declares; nil without a server.
  package var declaredErrors: (any ErrorUnion.Type)? { failure }

  /// Breaks the call's stream or its connection, on the connection's loop. Does nothing without a server, and once the
  /// handler has returned.
  package func suffer(_ fault: ConnectionFault) async {
    guard let stream = withFields({ $0.stream }) else { return }
    let loop = stream.context.executor.eventLoop
    if loop.inEventLoop { return stream.suffer(fault) }
    // nonisolated(unsafe): reached on the loop alone.
    nonisolated(unsafe) let bound = stream
    await withCheckedContinuation { continuation in
      loop.execute {
        bound.suffer(fault)
        continuation.resume()
      }
    }
  }
}

extension ServerStream {
  /// Breaks the stream, or the connection that it is on.
  fileprivate func suffer(_ fault: ConnectionFault) {
    let owner = exchange.owner
    let connection = (owner as? HTTP2Transport)?.connection ?? owner as? ServerConnection
    switch fault {
    case .reset(let code): exchange.reset(code)
    case .goAway: connection?.beginShutdown(reason: "a fault was injected")
    case .close: connection?.close()
    }
  }
}

extension ServerContext {
  /// The error as one that the call's method does not declare; nil when it may leave as it is.
  func undeclared(_ error: RPCError) -> RPCError.Undeclared? {
    guard let failure, let reporter else { return nil }
    return error.undeclared(by: failure, passes: reporter.undeclaredErrors.passes)
  }

  /// The deadline is over. The server's timer answers with DEADLINE_EXCEEDED then, and so does a handler that comes before
  /// it with an error that its method does not declare: a call made for this one has the same deadline, and may notice
  /// first that it is over.
  var isLate: Bool { deadline.map { $0 <= .now } ?? false }

  /// What the caller gets for what was thrown.
  func sent(for error: any Error) -> any TaxonomyError {
    let lifted = lift(error)
    guard let outcome = lifted as? RPCError else { return lifted }
    guard let undeclared = undeclared(outcome) else { return outcome.asSent }
    return isLate ? CallError.DeadlineExceeded() : undeclared.sent
  }

  /// A member of what the method declares, else an `RPCError`.
  private func lift(_ error: any Error) -> any TaxonomyError {
    func lift<Failure: ErrorUnion>(_ failure: Failure.Type) -> any TaxonomyError {
      let union = Failure.lift(error)
      return Failure.self == RPCError.self ? union : union.wrapped
    }
    guard let failure else { return RPCError.lift(error) }
    return lift(failure)
  }
}
