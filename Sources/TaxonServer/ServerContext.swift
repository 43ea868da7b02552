// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonHTTP2
import TaxonProtobuf

/// What a handler knows of its call beside the request, and what it can send beside the reply.
public final class ServerContext: Sendable {
  /// The method's path, such as "/octollm.v1.Orchestrator/GetTask".
  public let path: String
  /// Who calls: "ipv4:127.0.0.1:51234", "unix:", …
  public let peer: String
  /// Whether the connection is encrypted by TLS.
  public let isEncrypted: Bool
  /// The certificate that the caller has shown, and that was found good; nil without one (`ServerTLS`).
  public let peerCertificate: PeerCertificate?
  /// What came with the request.
  public let metadata: Metadata
  /// When the caller stops waiting; nil when it waits for ever. The task is cancelled then, and calls that the handler
  /// makes end no later.
  public let deadline: ContinuousClock.Instant?

  private struct Reply {
    var initial = Metadata()
    var trailing = Metadata()
    var compresses: Bool?
    var isRequestCompressed = false
    var isHeadSent = false
  }

  // Reached under the lock alone, which the calls of a connection share: a lock a call would cost more than it guards.
  @exclusivity(unchecked) nonisolated(unsafe) private var fields = Reply()
  private let lock: SharedLock
  // Reached on its loop alone.
  nonisolated(unsafe) private let stream: ServerStream?

  /// A context, for tests that call a service's methods without a server.
  public convenience init(
    path: String = "", peer: String = "", metadata: Metadata = Metadata(), deadline: ContinuousClock.Instant? = nil,
    isEncrypted: Bool = false, peerCertificate: PeerCertificate? = nil
  ) {
    self.init(
      path: path, peer: peer, metadata: metadata, deadline: deadline, isEncrypted: isEncrypted,
      peerCertificate: peerCertificate, lock: SharedLock(0), stream: nil)
  }

  convenience init(path: String, stream: ServerStream) {
    self.init(
      path: path, peer: stream.context.peer, metadata: stream.metadata,
      deadline: stream.deadline.map { .now + Duration($0 - .now()) }, isEncrypted: stream.context.isEncrypted,
      peerCertificate: stream.context.peerCertificate, lock: stream.context.lock, stream: stream)
  }

  private init(
    path: String, peer: String, metadata: Metadata, deadline: ContinuousClock.Instant?, isEncrypted: Bool,
    peerCertificate: PeerCertificate?, lock: SharedLock, stream: ServerStream?
  ) {
    self.stream = stream
    self.path = path
    self.peer = peer
    self.isEncrypted = isEncrypted
    self.peerCertificate = peerCertificate
    self.metadata = metadata
    self.deadline = deadline
    self.lock = lock
  }

  private func withFields<Result>(_ body: (inout Reply) -> Result) -> Result {
    lock.withLock { _ in body(&fields) }
  }

  /// Sent by `sendHeaders`, else before the first message of the reply, or before the error when there is none. A change
  /// after that has no effect.
  public var initialMetadata: Metadata {
    get { withFields { $0.initial } }
    set { withFields { $0.initial = newValue } }
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
    set { withFields { if !$0.isHeadSent { $0.compresses = newValue } } }
  }

  /// Sends the headers with `initialMetadata` at once, before there is a message or an error to send. Without it they go
  /// with the first message, or with the end.
  ///
  /// - Returns: False when they are out already, or the context is one without a server; nothing happens then.
  @discardableResult
  public func sendHeaders() -> Bool {
    guard let stream else { return false }
    let wish = withFields { fields -> Bool?? in
      guard !fields.isHeadSent else { return nil }
      fields.isHeadSent = true
      return fields.compresses
    }
    guard let wish else { return false }
    let initial = initialMetadata
    let compression = stream.compression(wish: wish)?.compression
    let loop = stream.context.executor.eventLoop
    // Reached on the loop alone.
    nonisolated(unsafe) let target = stream
    if loop.inEventLoop {
      target.sendHead(initial, compression: compression)
    } else {
      loop.execute { target.sendHead(initial, compression: compression) }
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

  var replyFields: (initial: Metadata, trailing: Metadata, compresses: Bool?) {
    withFields { ($0.initial, $0.trailing, $0.compresses) }
  }
}
