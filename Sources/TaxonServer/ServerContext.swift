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
  }

  // Reached under the lock alone, which the calls of a connection share: a lock a call would cost more than it guards.
  @exclusivity(unchecked) nonisolated(unsafe) private var fields = Reply()
  private let lock: SharedLock

  /// A context, for tests that call a service's methods without a server.
  public convenience init(
    path: String = "", peer: String = "", metadata: Metadata = Metadata(), deadline: ContinuousClock.Instant? = nil,
    isEncrypted: Bool = false, peerCertificate: PeerCertificate? = nil
  ) {
    self.init(
      path: path, peer: peer, metadata: metadata, deadline: deadline, isEncrypted: isEncrypted,
      peerCertificate: peerCertificate, lock: SharedLock(0))
  }

  convenience init(path: String, stream: ServerStream) {
    self.init(
      path: path, peer: stream.context.peer, metadata: stream.metadata,
      deadline: stream.deadline.map { .now + Duration($0 - .now()) }, isEncrypted: stream.context.isEncrypted,
      peerCertificate: stream.context.peerCertificate, lock: stream.context.lock)
  }

  private init(
    path: String, peer: String, metadata: Metadata, deadline: ContinuousClock.Instant?, isEncrypted: Bool,
    peerCertificate: PeerCertificate?, lock: SharedLock
  ) {
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

  /// Sent before the first message of the reply, or with the error when there is none.
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
  /// size. To be set before the first message is written.
  public var compressesReply: Bool? {
    get { withFields { $0.compresses } }
    set { withFields { $0.compresses = newValue } }
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
