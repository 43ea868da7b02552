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
  @exclusivity(unchecked) private var isEnded = false
  /// How the connection ends.
  private let end: LingeringClose
  @exclusivity(unchecked) private var failure: ConnectionFailure?
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
    end = LingeringClose(limit: closeLimit, waitsForPeer: session.role == .server)
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

  /// Called each time that the end of the connection waits on for the peer, once a second: tests wait for it.
  package var lingers: (() -> Void)? {
    get { end.lingers }
    set { end.lingers = newValue }
  }

  /// Ends every stream, if that has not happened: a channel that was never connected goes without becoming inactive.
  package func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    lose()
  }

  /// Sends what the session has to say first.
  package func channelActive(context: ChannelHandlerContext) {
    flush()
    context.fireChannelActive()
  }

  /// Ends every stream: the channel is gone.
  package func channelInactive(context: ChannelHandlerContext) {
    lose()
    context.fireChannelInactive()
  }

  private func lose() {
    guard !isEnded else { return }
    isEnded = true
    end.cancel()
    closed(failure)
    session.connectionLost()
  }

  /// Gives bytes to the session, which calls what they cause.
  package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if end.isOutputClosed { end.heard(context.eventLoop.now) }
    guard failure == nil, !end.isOutputClosed else { return }
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
    guard let context, !isReading, !awaitsTLS, !end.isOutputClosed else { return }
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
    guard session.isFinished || failure != nil || session.exceeded != nil else { return }
    end.begin(context, isGood: failure == nil && session.exceeded == nil)
  }
}
