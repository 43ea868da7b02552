// SPDX-License-Identifier: Apache-2.0
import NIOCore

extension Channel {
  /// Bytes and packets that were given to TCP and that the peer's TCP has not acknowledged; 0 where the system does not
  /// tell.
  func unsentBytes() -> EventLoopFuture<Int> {
    #if os(Linux)
      guard let provider = self as? any SocketOptionProvider else { return eventLoop.makeSucceededFuture(0) }
      return provider.unsafeGetSocketOption(level: .tcp, name: .tcp_info).map { (info: TCPState) in
        Int(info.unacknowledged) + Int(info.unsent)
      }.flatMapErrorThrowing { _ in 0 }
    #else
      return eventLoop.makeSucceededFuture(0)
    #endif
  }
}

#if os(Linux)
  /// The beginning of Linux's `struct tcp_info` (include/uapi/linux/tcp.h), of which libc's header lacks the last part.
  private struct TCPState: Sendable {
    var flags: UInt64 = 0
    var timeouts: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
    /// Packets.
    var unacknowledged: UInt32 = 0
    var counts: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32) =
      (0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    var moreCounts: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32) =
      (0, 0, 0, 0, 0, 0, 0, 0, 0)
    var rates: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    var segments: (UInt32, UInt32) = (0, 0)
    /// Bytes.
    var unsent: UInt32 = 0
    var roundTrip: UInt32 = 0
  }
#endif
