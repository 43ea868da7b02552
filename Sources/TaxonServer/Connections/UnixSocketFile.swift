// SPDX-License-Identifier: Apache-2.0
import TaxonErrors

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The file of a Unix socket on which a server listens.
struct UnixSocketFile: Sendable {
  let path: String
  private let device: UInt64
  private let inode: UInt64

  /// Remembers the file that the server has made; nil when it is gone already.
  init?(made path: String) {
    var info = stat()
    guard lstat(path, &info) == 0 else { return nil }
    self.path = path
    device = UInt64(truncatingIfNeeded: info.st_dev)
    inode = UInt64(truncatingIfNeeded: info.st_ino)
  }

  /// Removes the file, unless another has taken its place.
  func remove() {
    var info = stat()
    guard lstat(path, &info) == 0, UInt64(truncatingIfNeeded: info.st_dev) == device,
      UInt64(truncatingIfNeeded: info.st_ino) == inode
    else { return }
    unlink(path)
  }

  /// Makes sure that a server can make a socket at the path: removes one that a process left behind.
  ///
  /// - Throws: `SetupError` when the path cannot be that of a socket, or is taken.
  static func prepare(_ path: String) throws(SetupError) {
    let limit = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1
    guard (1...limit).contains(path.utf8.count), !path.utf8.contains(0) else {
      throw .invalidSetting(
        name: "address", value: "unix:\(path)", reason: "the path of a Unix socket has 1 to \(limit) bytes, and no NUL")
    }
    var info = stat()
    guard lstat(path, &info) == 0 else { return }
    guard info.st_mode & S_IFMT == S_IFSOCK else {
      throw .addressUnavailable(address: "unix:\(path)", reason: "the file is there and is no socket")
    }
    guard !isListenedOn(path) else {
      throw .addressUnavailable(address: "unix:\(path)", reason: "a server listens on the socket")
    }
    unlink(path)
  }

  /// True unless the system says that nobody listens there.
  private static func isListenedOn(_ path: String) -> Bool {
    #if canImport(Glibc)
      let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    #else
      let descriptor = socket(AF_UNIX, SOCK_STREAM, 0)
    #endif
    guard descriptor >= 0 else { return true }
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    // A full backlog says EAGAIN: somebody is there.
    return result == 0 || errno != ECONNREFUSED
  }
}
