// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonErrors

/// Where a channel connects: a name in gRPC's syntax for targets (gRPC naming document).
///
/// `dns:///host:port` and `host:port` (a name or an address; without a port: 443), `ipv4:address:port` and
/// `ipv6:[address]:port`, both also as lists with commas between, `unix:path` and `unix:///absolute/path`.
public struct Target: Sendable, Hashable, CustomStringConvertible {
  /// What there is to connect to.
  enum Address: Sendable, Hashable {
    /// A name that the system's resolver knows, or one literal address.
    case name(host: String, port: Int)
    /// Addresses in the order in which they were given; never none.
    case addresses([SocketAddress])
    /// What a closure connects, in this process.
    case socket
  }

  /// As it was given.
  public let description: String
  let address: Address
  /// What goes into `:authority`, unless the channel is configured otherwise.
  let authority: String

  /// Takes a name apart.
  ///
  /// - Throws: `SetupError.InvalidSetting` when it is none of the forms above.
  public init(_ text: String) throws(SetupError) {
    description = text
    func rest(_ prefix: String) -> Substring? { text.hasPrefix(prefix) ? text.dropFirst(prefix.count) : nil }
    let address: Address? =
      if let path = rest("unix://") ?? rest("unix:") {
        Self.unix(path)
      } else if let list = rest("ipv4:") {
        Self.addresses(list, .inet)
      } else if let list = rest("ipv6:") {
        Self.addresses(list, .inet6)
      } else if let name = rest("dns:///") ?? rest("dns:") ?? (text.contains("://") ? nil : text[...]) {
        Self.hostAndPort(name).map { .name(host: $0.host, port: $0.port) }
      } else {
        nil
      }
    guard let address else {
      throw .invalidSetting(
        name: "target", value: text,
        reason: "it must be dns:///host:port, ipv4:address:port, ipv6:[address]:port, a list of addresses with commas "
          + "between, or unix:path (of at most some 100 bytes)"
      )
    }
    self.address = address
    authority =
      switch address {
      case .name(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
      case .addresses(let addresses): addresses[0].port == nil ? "localhost" : addresses[0].text
      case .socket: "localhost"
      }
  }

  /// What is reached through a closure that connects sockets.
  init(socketNamed name: String) {
    description = name
    address = .socket
    authority = "localhost"
  }

  private static func unix(_ path: Substring) -> Address? {
    guard !path.isEmpty, let address = try? SocketAddress(unixDomainSocketPath: String(path)) else { return nil }
    return .addresses([address])
  }

  private static func addresses(_ list: Substring, _ family: NIOBSDSocket.ProtocolFamily) -> Address? {
    var addresses: [SocketAddress] = []
    for part in list.split(separator: ",", omittingEmptySubsequences: false) {
      guard let (host, port) = hostAndPort(part), let address = try? SocketAddress(ipAddress: host, port: port),
        address.protocol == family
      else { return nil }
      addresses.append(address)
    }
    return addresses.isEmpty ? nil : .addresses(addresses)
  }

  private static func hostAndPort(_ text: Substring) -> (host: String, port: Int)? {
    var host = text
    var port: Int? = 443
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { return nil }
      host = text[text.index(after: text.startIndex)..<end]
      let rest = text[text.index(after: end)...]
      if !rest.isEmpty { port = rest.hasPrefix(":") ? Int(rest.dropFirst()) : nil }
    } else if let colon = text.lastIndex(of: ":") {
      host = text[..<colon]
      port = Int(text[text.index(after: colon)...])
      if host.contains(":") { return nil }
    }
    guard let port, (1...65_535).contains(port), !host.isEmpty, !host.contains("/"), !host.contains(",") else {
      return nil
    }
    return (String(host), port)
  }

  /// The name that a server's certificate has to bear, without the port; nil for an address or a socket.
  var hostName: String? {
    guard case .name(let host, _) = address, (try? SocketAddress(ipAddress: host, port: 0)) == nil else { return nil }
    return host
  }
}

extension SocketAddress {
  /// As in a target: "127.0.0.1:50051", "[::1]:50051", "unix:/run/socket".
  var text: String {
    guard let ip = ipAddress, let port else { return "unix:\(pathname ?? "")" }
    return ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
  }
}
