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

  /// The values above.
  public init() {}
}
