// SPDX-License-Identifier: Apache-2.0
import TaxonErrors

/// Where a channel connects: a name in gRPC's syntax for targets (gRPC naming document).
///
/// `dns:///host:port` and `host:port` (a name or an address; without a port: 443), `ipv4:address:port`,
/// `ipv6:[address]:port`, `unix:path` and `unix:///absolute/path`.
public struct Target: Sendable, Hashable, CustomStringConvertible {
  /// What there is to connect to.
  enum Address: Sendable, Hashable {
    case host(String, port: Int)
    case unix(path: String)
  }

  /// As it was given.
  public let description: String
  let address: Address

  /// Takes a name apart.
  ///
  /// - Throws: `SetupError.InvalidSetting` when it is none of the forms above.
  public init(_ text: String) throws(SetupError) {
    description = text
    func rest(_ prefix: String) -> Substring? { text.hasPrefix(prefix) ? text.dropFirst(prefix.count) : nil }
    let address: Address? =
      if let path = rest("unix://") ?? rest("unix:") {
        path.isEmpty ? nil : .unix(path: String(path))
      } else if let name = rest("dns:///") ?? rest("ipv4:") ?? rest("ipv6:") ?? rest("dns:") {
        Self.host(name)
      } else if text.contains("://") {
        nil
      } else {
        Self.host(text[...])
      }
    guard let address else {
      throw .invalidSetting(
        name: "target", value: text,
        reason: "it must be dns:///host:port, ipv4:address:port, ipv6:[address]:port or unix:path"
      )
    }
    self.address = address
  }

  private static func host(_ text: Substring) -> Address? {
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
    guard let port, (1...65_535).contains(port), !host.isEmpty, !host.contains("/") else { return nil }
    return .host(String(host), port: port)
  }

  /// What goes into `:authority`.
  var authority: String {
    switch address {
    case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix: "localhost"
    }
  }
}
