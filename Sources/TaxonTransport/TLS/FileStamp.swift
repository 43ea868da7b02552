// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Tells one state of a file from another.
struct FileStamp: Hashable {
  private let device: UInt64
  private let inode: UInt64
  private let size: Int64
  private let seconds: Int
  private let nanoseconds: Int

  /// Nil when there is no such file. Links are followed, since certificates are often swapped by a link.
  init?(_ path: String) {
    var info = stat()
    guard stat(path, &info) == 0 else { return nil }
    device = UInt64(truncatingIfNeeded: info.st_dev)
    inode = UInt64(truncatingIfNeeded: info.st_ino)
    size = Int64(info.st_size)
    #if canImport(Darwin)
    seconds = info.st_mtimespec.tv_sec
    nanoseconds = info.st_mtimespec.tv_nsec
    #else
    seconds = info.st_mtim.tv_sec
    nanoseconds = info.st_mtim.tv_nsec
    #endif
  }
}
