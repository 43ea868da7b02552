// SPDX-License-Identifier: Apache-2.0

/// What a server allows its connections.
public struct ConnectionLimits: Sendable, Hashable {
  /// How long a connection may take for the TLS handshake, the client's preface and its answer to SETTINGS. 1 ms or more.
  public var setupTimeout: Duration = .seconds(10)
  /// How many connections there may be at once; those that come on top are closed at once. 1 to 10,000,000.
  public var maxConnections = 65_536
  /// How many calls of one connection may be there at once, those that the client has given up and whose handlers still
  /// run included; further ones are refused with REFUSED_STREAM. 1 to 1,000,000.
  public var maxRunningCalls = 200
  /// Bytes that the system takes for a peer that does not read before this end stops reading as well, 1 to 2^30. Reading
  /// goes on when half of them are gone.
  public var outboundHighWater = 1024 * 1024
  /// Bytes of replies that may wait for a peer's windows, on all of its calls; calls that come beyond that wait to be
  /// started until there is room. 1 to 2^40.
  public var maxBufferedBytes = 16 * 1024 * 1024

  /// Bytes of replies that may wait for peers' windows, on all connections; beyond that, calls of connections that have
  /// more than 64 KiB waiting, or whose peers' windows are closed, wait to be started, and their handlers' writes wait.
  /// Where the windows are closed, and requests hold more than 64 KiB, they end with `CallError.ServerOverloaded`. 1 to
  /// 2^40.
  public var maxTotalBufferedBytes = 12 * 1024 * 1024
  /// Bytes that a connection's requests may hold: messages that wait to be read (decoded, an empty one as its place in a
  /// list), requests whose handlers run, and parts of messages. Beyond that, windows are not opened, but for one stream.
  /// What the windows of 100 streams let through at the beginning comes on top. 1 to 2^40.
  public var maxUnreadBytes = 16 * 1024 * 1024
  /// The same on all connections. Beyond that, calls of connections that hold more than 64 KiB are ended with
  /// `CallError.ServerOverloaded` when more of them comes. 1 to 2^40.
  public var maxTotalUnreadBytes = 128 * 1024 * 1024
  /// How long a peer may take less than 16 KiB of the replies that wait for its windows while one of the bounds is
  /// reached: then the streams are reset, or the connection is ended with ENHANCE_YOUR_CALM when the peer takes nothing at
  /// all. Not to be confused with a slow reader below the bounds, who may take as long as it likes. 1 ms or more.
  public var stallTimeout: Duration = .seconds(20)

  /// The values above.
  public init() {}
}
