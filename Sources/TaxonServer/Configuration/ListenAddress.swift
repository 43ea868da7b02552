// SPDX-License-Identifier: Apache-2.0

/// Where a server listens.
public enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
  /// A name or an address, such as "127.0.0.1", "::" or "localhost", and a port, 0 to 65,535; 0 takes any free port,
  /// which `Server.port` then tells.
  case tcp(host: String, port: Int)
  /// A Unix socket. What the server makes is removed when it shuts down; a socket that another process left behind, and
  /// on which nobody listens, is replaced.
  case unix(path: String)
  /// Nowhere: connections come another way.
  case none

  /// As gRPC writes targets.
  public var description: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    case .none: "none"
    }
  }
}
