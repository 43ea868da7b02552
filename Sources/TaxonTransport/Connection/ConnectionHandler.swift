// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOTLS

/// Moves bytes between a NIO channel and an HTTP/2 session: everything that one read brings is dealt with before
/// anything is written, and then written at once.
package final class ConnectionHandler: ChannelInboundHandler, HTTP2SessionTransport {
  /// Bytes of the peer.
  package typealias InboundIn = ByteBuffer
  /// Bytes for the peer.
  package typealias OutboundOut = ByteBuffer

  /// The protocol of the connection.
  package let session: HTTP2Session
  private let closed: (ConnectionFailure?) -> Void
  /// True until the TLS handshake is over: nothing is sent before.
  @exclusivity(unchecked) private var awaitsTLS: Bool
  @exclusivity(unchecked) private var context: ChannelHandlerContext?
  @exclusivity(unchecked) private var output = ByteBuffer()
  @exclusivity(unchecked) private var isReading = false
  /// When the peer was last heard of.
  @exclusivity(unchecked) package private(set) var lastRead = NIODeadline.now()
  @exclusivity(unchecked) private var isFlushScheduled = false
  @exclusivity(unchecked) private var isClosing = false
  @exclusivity(unchecked) private var isOutputClosed = false
  @exclusivity(unchecked) private var isEnded = false
  private var lingerTimer: Scheduled<Void>?
  /// Called each time that the end of the connection waits on for the peer, once a second: tests wait for it.
  @exclusivity(unchecked) package var lingers: (() -> Void)?
  @exclusivity(unchecked) private var failure: ConnectionFailure?
  private let closeLimit: TimeAmount
  /// What still comes is read for so long, once the peer has all that was written.
  private static let lingering = TimeAmount.seconds(1)
  private static let writeSize = 256 * 1024
  private static let keptCapacity = 32 * 1024
  private static let leastCapacity = 1024
  /// Bytes for which `output` has memory when a write begins: what writes had lately.
  @exclusivity(unchecked) private var usualSize = leastCapacity

  /// False while the TLS handshake goes on.
  package var isReady: Bool { !awaitsTLS }

  /// A handler that calls `closed` once, when the channel is gone and before the streams are ended, with what went
  /// wrong, if anything.
  ///
  /// - Parameter awaitsTLS: True when TLS is in the pipeline before this handler: it then waits for the handshake, and
  ///   closes if the peers do not agree on HTTP/2.
  /// - Parameter closeLimit: How long it may take the peer to read what is left when the connection ends well.
  package init(
    session: HTTP2Session, awaitsTLS: Bool = false, closeLimit: Duration = .seconds(1),
    closed: @escaping (ConnectionFailure?) -> Void
  ) {
    self.closeLimit = TimeAmount(saturating: max(closeLimit, .seconds(1)))
    self.session = session
    self.awaitsTLS = awaitsTLS
    self.closed = closed
    session.transport = self
  }

  deinit { session.transport = nil }

  /// Sends what the session has to say first.
  package func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    lastRead = context.eventLoop.now
    if context.channel.isActive { flush() }
  }

  /// Ends every stream, if that has not happened: a channel that was never connected goes without becoming inactive.
  package func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    end()
  }

  /// Sends what the session has to say first.
  package func channelActive(context: ChannelHandlerContext) {
    flush()
    context.fireChannelActive()
  }

  /// Ends every stream: the channel is gone.
  package func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  private func end() {
    guard !isEnded else { return }
    isEnded = true
    lingerTimer?.cancel()
    closed(failure)
    session.connectionLost()
  }

  /// Gives bytes to the session, which calls what they cause.
  package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if isOutputClosed { lastRead = context.eventLoop.now }
    guard failure == nil, !isOutputClosed else { return }
    isReading = true
    lastRead = context.eventLoop.now
    unwrapInboundIn(data).withUnsafeReadableBytes { bytes in
      do throws(HTTP2Error) {
        try session.receive(bytes)
      } catch {
        failure = .http2(error)
      }
    }
  }

  /// Writes what the read has caused.
  package func channelReadComplete(context: ChannelHandlerContext) {
    isReading = false
    flush()
    context.fireChannelReadComplete()
  }

  /// Goes on writing. A server stops reading while it cannot write: a peer that asks and does not read must not fill its
  /// memory. A client always reads, or two ends that cannot write would wait for each other for ever.
  package func channelWritabilityChanged(context: ChannelHandlerContext) {
    if session.role == .server {
      context.channel.setOption(ChannelOptions.autoRead, value: context.channel.isWritable).whenFailure { _ in }
    }
    if context.channel.isWritable { flush() }
    context.fireChannelWritabilityChanged()
  }

  /// Begins to speak HTTP/2 when the TLS handshake is over and the peers agree on it.
  package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if awaitsTLS, case TLSUserEvent.handshakeCompleted(let chosen)? = event as? TLSUserEvent {
      if chosen == "h2" {
        awaitsTLS = false
        flush()
      } else {
        failure = .notHTTP2(chosen: chosen)
        context.close(promise: nil)
      }
    }
    context.fireUserInboundEventTriggered(event)
  }

  /// Closes: a channel with an error is of no use.
  package func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if failure == nil { failure = ConnectionFailure(error, on: context.channel, as: session.role) }
    context.close(promise: nil)
  }

  /// Writes what the session has, after the read that is going on, or soon.
  package func scheduleFlush() {
    guard let context, !isReading, !isFlushScheduled else { return }
    isFlushScheduled = true
    context.eventLoop.assumeIsolated().execute {
      self.isFlushScheduled = false
      self.flush()
    }
  }

  /// In debug builds, stops the process when this is not the connection's event loop.
  package func assertOnLoop() { context?.eventLoop.assertInEventLoop() }

  private func closeWhenWritten(_ context: ChannelHandlerContext) {
    guard !isClosing else { return }
    isClosing = true
    // One who broke the protocol is not waited for.
    let isGood = failure == nil && session.exceeded == nil
    let end = context.eventLoop.now + (isGood ? closeLimit : Self.lingering)
    context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in
      self.closeOutput(context)
    }
    linger(context.channel, until: end)
  }

  /// Says that nothing more comes, and reads on until the peer closes its end. TCP answers with a reset when a socket is
  /// closed of which not all has been read, or to which something comes afterwards; the peer may lose by that what it has
  /// not read yet, and takes the end for a fault of the network (RFC 9112 §9.6 has the same for HTTP/1.1).
  private func closeOutput(_ context: ChannelHandlerContext) {
    guard session.role == .server else { return context.close(promise: nil) }
    isOutputClosed = true
    lastRead = context.eventLoop.now
    context.close(mode: .output).assumeIsolated().whenFailure { _ in context.close(promise: nil) }
  }

  /// Closes when the peer, which may read slowly, has had everything for a second and said nothing more meanwhile; at the
  /// end in any case.
  private func linger(_ channel: any Channel, until end: NIODeadline) {
    guard !isEnded else { return }
    lingers?()
    let now = channel.eventLoop.now
    let quiet = lastRead + Self.lingering
    // Looked at every second, since a timer for the end would outlive the connection for long.
    let next = isOutputClosed && quiet > now ? quiet : now + Self.lingering
    lingerTimer = channel.eventLoop.assumeIsolated().scheduleTask(deadline: min(next, end)) { [weak self] in
      guard let self, let context = self.context else { return }
      let now = channel.eventLoop.now
      if now >= end { return context.close(promise: nil) }
      let isQuiet = self.isOutputClosed && self.lastRead + Self.lingering <= now
      guard isQuiet else { return self.linger(channel, until: end) }
      channel.unsentBytes().assumeIsolated().whenComplete { result in
        if (try? result.get()) ?? 0 > 0 { self.linger(channel, until: end) } else { context.close(promise: nil) }
      }
    }
  }

  /// Gives up memory that is kept for the next calls.
  package func trim() {
    usualSize = Self.leastCapacity
    if output.readableBytes == 0 { output = ByteBuffer() }
    session.trim()
  }

  /// Takes what the session has into `output`, up to the size of one write.
  ///
  /// - Returns: What `output` had no room for, and whether the session has more.
  private func drain() -> (rest: ByteBuffer, hasMore: Bool) {
    output.clear(minimumCapacity: usualSize)
    // The buffer's own writing costs 100 instructions a frame: frames are copied into its memory as long as they fit.
    var rest = ByteBuffer()
    var hasMore = false
    let count = output.withVeryUnsafeMutableBytes { room in
      var count = 0
      do throws(HTTP2Error) {
        try session.drain { bytes in
          if rest.readableBytes == 0, bytes.count <= room.count - count {
            UnsafeMutableRawBufferPointer(rebasing: room[count...]).copyMemory(from: bytes)
            count += bytes.count
          } else {
            rest.writeBytes(bytes)
          }
          hasMore = count + rest.readableBytes >= Self.writeSize
          return !hasMore
        }
      } catch {
        failure = .http2(error)
      }
      return count
    }
    output.moveWriterIndex(to: count)
    if rest.readableBytes > 0 { usualSize = min(Self.keptCapacity, count + rest.readableBytes) }
    return (rest, hasMore)
  }

  /// Writes what the session has, as far as the channel takes it; closes the channel when both sides are done.
  package func flush() {
    guard let context, !isReading, !awaitsTLS, !isOutputClosed else { return }
    let channel = context.channel
    var hasMore = true
    while hasMore, channel.isWritable {
      let rest: ByteBuffer
      (rest, hasMore) = drain()
      if output.readableBytes > 0 { context.write(wrapOutboundOut(output), promise: nil) }
      if rest.readableBytes > 0 { context.write(wrapOutboundOut(rest), promise: nil) }
      if output.readableBytes + rest.readableBytes == 0 { break }
      context.flush()
      // A buffer kept for the next write should not be what an idle connection costs.
      if output.capacity > Self.keptCapacity { output = ByteBuffer() }
    }
    if session.isFinished || failure != nil || session.exceeded != nil { closeWhenWritten(context) }
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
