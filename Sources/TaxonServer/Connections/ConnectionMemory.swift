// SPDX-License-Identifier: Apache-2.0
import Dispatch
import NIOCore
import TaxonProtobuf

#if canImport(Glibc)
import Glibc
#endif

/// Gives memory back to the system that connections have used and freed. glibc keeps it otherwise: where large blocks were
/// freed, it reckons that large blocks will be wanted again.
enum FreedMemory {
  #if canImport(Glibc)
  private typealias Trim = @convention(c) (Int) -> CInt

  // malloc_trim, which Swift's Glibc lacks; nil where another allocator is at work that has none.
  private static let trim = dlsym(nil, "malloc_trim").map { unsafeBitCast($0, to: Trim.self) }
  private static let isScheduled = Locked(false)
  #endif

  /// Does so in a quarter of a second, at most once a second, and not on the thread of the caller: it takes milliseconds.
  static func giveBackSoon() {
    #if canImport(Glibc)
    guard let trim else { return }
    let isFirst = isScheduled.withLock { isScheduled in
      defer { isScheduled = true }
      return !isScheduled
    }
    guard isFirst else { return }
    DispatchQueue.global(qos: .utility).asyncAfter(deadline: .now() + 0.25) {
      isScheduled.withLock { $0 = false }
      _ = trim(0)
    }
    #endif
  }
}

/// How much a connection reads at once: what it brought of late, 2 to 64 KiB.
///
/// NIO keeps the memory of one read for the next ones. Here that is the smallest; larger reads get memory of their own,
/// which goes with them, so that a connection that was busy once does not keep 64 KiB for ever. To be used with one read a
/// turn of the loop (`maxMessagesPerRead`), or NIO keeps what it reads after the first.
struct ReadSizes: RecvByteBufferAllocator {
  static let smallest = 2 * 1024
  private static let largest = 64 * 1024
  private var next = Self.smallest
  private var isSmall = false

  func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { allocator.buffer(capacity: next) }

  /// - Returns: True when the memory that is kept is too small for the next read.
  mutating func record(actualReadBytes count: Int) -> Bool {
    if count >= next {
      next = min(2 * next, Self.largest)
      isSmall = false
    } else if count <= next / 2, next > Self.smallest {
      // Once is no sign yet: the last part of a large message is small.
      if isSmall { next /= 2 }
      isSmall.toggle()
    } else {
      isSmall = false
    }
    return next > Self.smallest
  }
}
