// SPDX-License-Identifier: Apache-2.0
import Foundation
import NIOCore
import Synchronization
import TaxonProtobuf

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A socket of this process, which Linux shows in its files.
enum OpenSocket {
  /// The number that a socket has, in all descriptors of it; no other one ever gets it.
  static func inode(of descriptor: NIOBSDSocket.Handle) -> UInt64? {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return nil }
    return UInt64(status.st_ino)
  }

  /// The descriptors of this process, of whatever kind.
  static func descriptors() -> [NIOBSDSocket.Handle] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []).compactMap { CInt($0) }
  }

  /// The TCP ports of a socket's two ends; none for what is no such socket.
  static func ports(of descriptor: NIOBSDSocket.Handle) -> [Int] {
    [getsockname, getpeername].compactMap { name in
      var address = sockaddr_in6()
      var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
      let result = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { name(descriptor, $0, &size) }
      }
      guard result == 0, [AF_INET, AF_INET6].contains(CInt(address.sin6_family)) else { return nil }
      // In the same place in both families.
      return Int(UInt16(bigEndian: address.sin6_port))
    }
  }
}

/// Sockets that should be closed, of one test among those that run at the same time.
struct WatchedSockets {
  /// By their numbers, with what they are of.
  var inodes: [UInt64: String] = [:]
  /// All that lead to a port or listen on it, with what the port is.
  private var ports: [Int: String] = [:]
  private let number = Self.count.add(1, ordering: .relaxed).newValue

  private static let count = Atomic<Int>(0)
  /// Whose each port is: the system gives one that a test has done with to another test.
  private static let owners = Locked<[Int: Int]>([:])

  mutating func claim(_ port: Int, _ name: String) {
    ports[port] = name
    Self.owners.withLock { $0[port] = number }
  }

  /// What of them this process still has.
  func look() -> [String] {
    guard !inodes.isEmpty || !ports.isEmpty else { return [] }
    let owners = Self.owners.withLock { $0 }
    return OpenSocket.descriptors().compactMap { descriptor in
      if let inode = OpenSocket.inode(of: descriptor), let name = inodes[inode] { return "the socket of \(name)" }
      let ends = OpenSocket.ports(of: descriptor).filter { owners[$0] != nil }
      guard let port = ends.first, ends.allSatisfy({ owners[$0] == number }) else { return nil }
      return "a socket at port \(port), \(ports[port] ?? "")"
    }
  }
}
