// SPDX-License-Identifier: Apache-2.0

/// How a server finds out that a peer is gone, how long it keeps a connection, and what it asks of the peers' own
/// keepalive (gRPC A8, A9 and its keepalive document).
public struct KeepaliveSettings: Sendable, Hashable {
  /// A peer that has not been heard of for so long is sent a PING. 1 ms or more.
  public var time: Duration = .seconds(2 * 60 * 60)
  /// How long it then has to be heard of, before the connection is closed. 1 ms or more.
  public var timeout: Duration = .seconds(20)
  /// A connection that has had no calls for so long is closed gracefully; nil: never. 1 ms or more.
  public var maxConnectionIdle: Duration?
  /// A connection that is so old, give or take a tenth, is closed gracefully, so that clients spread over servers anew;
  /// nil: never. 1 ms or more.
  public var maxConnectionAge: Duration?
  /// How long the calls of such a connection, old or idle, may go on; nil: as long as they like. 1 ms or more.
  public var maxConnectionAgeGrace: Duration?
  /// The least time between two PINGs of a client with no HEADERS and DATA in between. A client that is too quick three
  /// times gets GOAWAY with ENHANCE_YOUR_CALM and "too_many_pings". 0 or more.
  public var minPingInterval: Duration = .seconds(5 * 60)
  /// Whether clients may send PINGs, so often, while they have no calls; otherwise once in two hours.
  public var permitsPingsWithoutCalls = false

  /// The values above.
  public init() {}
}
