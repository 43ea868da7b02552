// SPDX-License-Identifier: Apache-2.0

/// The limits of a server's connections that speak HTTP/1.1.
public struct HTTP1Configuration: Sendable, Hashable {
  /// How long the head of a request may take from its first byte to its end, and how long a new connection may take to send
  /// any; the request is then answered 408, and the connection closed. 1 ms or more.
  public var headTimeout: Duration = .seconds(10)
  /// A connection that has had no request for so long is closed; nil: never. 1 ms or more.
  public var idleTimeout: Duration? = .seconds(60)
  /// How long the peer may send nothing of a body that is waited for; it is then answered 408, and the connection closed. A
  /// call that takes a stream of messages may pause between them for as long as it likes. 1 ms or more.
  public var bodyTimeout: Duration = .seconds(20)
  /// Bytes a second that a body has to bring once it was waited for for `bodyTimeout`, on average over the time in which it was;
  /// 0 asks nothing. The time between the messages of a stream does not count. 0 to 1,000,000.
  public var minBodyRate = 500
  /// Chunks of fewer than 256 bytes; a larger one gives four back, as does a message that a chunk completes. A peer that goes
  /// past it is answered 400, and the connection closed.
  public var smallChunks = FloodLimits.Budget(burst: 100_000, perSecond: 1000)
  /// Requests whose bodies were still coming when they were answered; a peer that goes past it loses the connection.
  public var unreadBodies = FloodLimits.Budget(burst: 1000, perSecond: 100)

  /// Bytes of a head, each field counted with 32 bytes on top (RFC 9113 §6.5.2). Set by the limits of the calls.
  package var maxHeaderListSize = 16 * 1024
  /// Bytes of a body that may wait to be consumed. Set by the window of HTTP/2's streams.
  package var bodyWindow = 256 * 1024

  /// The values above.
  public init() {}
}
