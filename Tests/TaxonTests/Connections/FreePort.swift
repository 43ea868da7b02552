// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Taxon

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// A port on which nobody listens, and which the system gives to nobody who asks for any: it takes those from 32,768 up.
func freePort() -> Int {
  while true {
    let port = Int.random(in: 20_000..<32_000)
    if usedPorts.withLock({ $0.insert(port).inserted }), isFree(port) { return port }
  }
}

/// Bound and never listened on: a program that another test begins has a copy of each socket for a moment, and one that listens
/// would be connected to.
private func isFree(_ port: Int) -> Bool {
  #if canImport(Glibc)
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
  #else
  let descriptor = socket(AF_INET, SOCK_STREAM, 0)
  #endif
  defer { close(descriptor) }
  return (try? SocketAddress(ipAddress: "127.0.0.1", port: port))?.withSockAddr { bind(descriptor, $0, socklen_t($1)) }
    == 0
}

private let usedPorts = Locked(Set<Int>())
