// SPDX-License-Identifier: Apache-2.0
import Foundation
import NIOCore

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

  /// The numbers of all sockets that this process has descriptors of.
  static func inodes() -> Set<UInt64> {
    let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    return Set(descriptors.compactMap { CInt($0) }.compactMap(inode(of:)))
  }
}
