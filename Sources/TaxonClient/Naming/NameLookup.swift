// SPDX-License-Identifier: Apache-2.0
import NIOCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Asks for the addresses of a name; may block. A channel calls it on a thread pool.
package typealias NameLookup = @Sendable (_ host: String, _ port: Int) throws -> [SocketAddress]

/// Why a name could not be resolved.
struct NameLookupError: Error, CustomStringConvertible {
  let description: String
}

/// The addresses that the system has for a name, IPv6 and IPv4, in the system's order of preference (RFC 6724).
///
/// - Throws: `NameLookupError` when there are none.
func systemNameLookup(_ host: String, _ port: Int) throws -> [SocketAddress] {
  var hints = addrinfo()
  #if canImport(Glibc)
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
  #else
    hints.ai_socktype = SOCK_STREAM
  #endif
  var first: UnsafeMutablePointer<addrinfo>?
  let code = getaddrinfo(host, String(port), &hints, &first)
  guard code == 0 else {
    throw NameLookupError(description: "the name \(host) cannot be resolved: \(String(cString: gai_strerror(code)))")
  }
  defer { freeaddrinfo(first) }
  var addresses: [SocketAddress] = []
  var entry = first
  while let current = entry {
    entry = current.pointee.ai_next
    guard let bytes = current.pointee.ai_addr else { continue }
    let address: SocketAddress? =
      switch current.pointee.ai_family {
      case AF_INET: bytes.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { SocketAddress($0.pointee, host: "") }
      case AF_INET6: bytes.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { SocketAddress($0.pointee, host: "") }
      default: nil
      }
    if let address, !addresses.contains(address) { addresses.append(address) }
  }
  if addresses.isEmpty { throw NameLookupError(description: "the name \(host) has no address") }
  return addresses
}
