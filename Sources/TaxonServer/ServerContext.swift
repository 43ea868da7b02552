// SPDX-License-Identifier: Apache-2.0
import Synchronization
import TaxonHTTP2

/// What a handler knows of its call beside the request, and what it can send beside the reply.
public final class ServerContext: Sendable {
  /// The method's path, such as "/octollm.v1.Orchestrator/GetTask".
  public let path: String
  /// Who calls: "ipv4:127.0.0.1:51234", "unix:", …
  public let peer: String
  /// What came with the request.
  public let metadata: Metadata
  /// When the caller stops waiting; nil when it waits for ever. The task is cancelled then.
  public let deadline: ContinuousClock.Instant?

  private let reply = Mutex<(initial: Metadata, trailing: Metadata)>((Metadata(), Metadata()))

  /// A context, for tests that call a service's methods without a server.
  public init(
    path: String = "", peer: String = "", metadata: Metadata = Metadata(), deadline: ContinuousClock.Instant? = nil
  ) {
    self.path = path
    self.peer = peer
    self.metadata = metadata
    self.deadline = deadline
  }

  /// Sent before the reply.
  public var initialMetadata: Metadata {
    get { reply.withLock { $0.initial } }
    set { reply.withLock { $0.initial = newValue } }
  }

  /// Sent after the reply, or with the error.
  public var trailingMetadata: Metadata {
    get { reply.withLock { $0.trailing } }
    set { reply.withLock { $0.trailing = newValue } }
  }

  var replyMetadata: (initial: Metadata, trailing: Metadata) { reply.withLock { $0 } }
}
