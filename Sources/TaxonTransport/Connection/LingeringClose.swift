// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// Ends a connection so that the peer gets all that was written to it.
///
/// TCP answers with a reset when a socket is closed of which not all has been read, or to which something comes afterwards; the
/// peer may lose by that what it has not read yet, and takes the end for a fault of the network (RFC 9112 §9.6). So this end
/// says that nothing more comes, and reads on until the peer closes its own.
final class LingeringClose {
  private let limit: TimeAmount
  private let waitsForPeer: Bool
  private var isBegun = false
  /// Nothing is written any more.
  @exclusivity(unchecked) private(set) var isOutputClosed = false
  private var lastRead = NIODeadline.uptimeNanoseconds(0)
  private var isCancelled = false
  private var timer: Scheduled<Void>?
  private weak var channel: (any Channel)?
  /// Called each time that the end waits on for the peer, once a second.
  var lingers: (() -> Void)?
  /// What still comes is read for so long, once the peer has all that was written.
  private static let lingering = TimeAmount.seconds(1)

  /// - Parameters:
  ///   - limit: How long it may take the peer to read what is left when the connection ends well; a second at least.
  ///   - waitsForPeer: False: closes once everything is written (client).
  init(limit: Duration, waitsForPeer: Bool = true) {
    self.limit = TimeAmount(saturating: max(limit, .seconds(1)))
    self.waitsForPeer = waitsForPeer
  }

  /// Something came though nothing is written any more.
  func heard(_ now: NIODeadline) { lastRead = now }

  /// The channel is gone.
  func cancel() {
    isCancelled = true
    timer?.cancel()
  }

  /// Closes once what was written before has left; once only.
  ///
  /// - Parameter isGood: False: the peer broke the protocol, and is not waited for.
  func begin(_ context: ChannelHandlerContext, isGood: Bool) {
    guard !isBegun else { return }
    isBegun = true
    let channel = context.channel
    self.channel = channel
    let end = context.eventLoop.now + (isGood ? limit : Self.lingering)
    context.writeAndFlush(NIOAny(ByteBuffer())).assumeIsolated().whenComplete { _ in
      self.closeOutput(context)
    }
    linger(until: end)
  }

  /// Says that nothing more comes.
  private func closeOutput(_ context: ChannelHandlerContext) {
    guard waitsForPeer else { return context.close(promise: nil) }
    isOutputClosed = true
    lastRead = context.eventLoop.now
    context.close(mode: .output).assumeIsolated().whenFailure { _ in context.close(promise: nil) }
  }

  /// Closes when the peer, which may read slowly, has had everything for a second and said nothing more meanwhile; at the
  /// end in any case.
  private func linger(until end: NIODeadline) {
    guard !isCancelled, let channel else { return }
    lingers?()
    let now = channel.eventLoop.now
    let quiet = lastRead + Self.lingering
    // Looked at every second, since a timer for the end would outlive the connection for long.
    let next = isOutputClosed && quiet > now ? quiet : now + Self.lingering
    timer = channel.eventLoop.assumeIsolated().scheduleTask(deadline: min(next, end)) { [weak self] in
      guard let self, !isCancelled, let channel = self.channel else { return }
      let now = channel.eventLoop.now
      if now >= end { return channel.close(promise: nil) }
      guard isOutputClosed, lastRead + Self.lingering <= now else { return linger(until: end) }
      channel.unsentBytes().assumeIsolated().whenComplete { result in
        if (try? result.get()) ?? 0 > 0 { self.linger(until: end) } else { channel.close(promise: nil) }
      }
    }
  }
}

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
