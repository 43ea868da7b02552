// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOTLS

/// The versions of HTTP that a server speaks.
package enum HTTPVersion: Sendable {
  /// HTTP/1.1, and 1.0.
  case http1
  /// HTTP/2.
  case http2
}

/// Finds out which version of HTTP a client speaks: by ALPN where there is TLS (`h2`; RFC 9113 §3.2), else by the first bytes.
/// Then it leaves the pipeline, and hands on what it has read.
package final class FrontDoor: ChannelInboundHandler, RemovableChannelHandler {
  /// Bytes of the peer.
  package typealias InboundIn = ByteBuffer
  /// The same.
  package typealias InboundOut = ByteBuffer

  private var awaitsTLS: Bool
  private let decided: (HTTPVersion) throws -> Void
  private let closed: (ConnectionFailure?) -> Void
  private var firstBytes = FirstBytes()
  private var read: ByteBuffer?
  private var failure: ConnectionFailure?
  private var isOver = false

  /// A handler that calls one of two closures, once.
  ///
  /// - Parameters:
  ///   - awaitsTLS: True when TLS is in the pipeline before this handler.
  ///   - decided: Puts the handlers of the version behind this one.
  ///   - closed: The channel is gone before anything was decided; with what went wrong, if anything.
  package init(
    awaitsTLS: Bool, decided: @escaping (HTTPVersion) throws -> Void, closed: @escaping (ConnectionFailure?) -> Void
  ) {
    self.awaitsTLS = awaitsTLS
    self.decided = decided
    self.closed = closed
  }

  /// Looks at the first bytes.
  package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isOver else { return context.fireChannelRead(data) }
    guard failure == nil, !awaitsTLS else { return }
    let bytes = unwrapInboundIn(data)
    if read?.writeImmutableBuffer(bytes) == nil { read = bytes }
    switch bytes.withUnsafeReadableBytes({ firstBytes.receive($0) }) {
    case nil: break
    case .http2?: decide(.http2, context)
    case .http1?: decide(.http1, context)
    case .tls?:
      // No record of TLS: the client learns from it what is wrong.
      context.write(NIOAny(ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n")), promise: nil)
      context.flush()
      refuse("the client speaks TLS, and the server is set to speak without (Server.Configuration.tls)", context)
    case .unknown?: refuse("the client speaks neither HTTP/1.1 nor HTTP/2", context)
    }
  }

  private func refuse(_ reason: String, _ context: ChannelHandlerContext) {
    failure = .otherProtocol(reason)
    context.close(promise: nil)
  }

  private func decide(_ version: HTTPVersion, _ context: ChannelHandlerContext) {
    isOver = true
    do {
      try decided(version)
    } catch {
      return context.fireErrorCaught(error)
    }
    if let read = read.take() { context.fireChannelRead(wrapInboundOut(read)) }
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
  }

  /// Knows the version when the TLS handshake is over. A client that agrees on none by ALPN speaks HTTP/1.1.
  package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if awaitsTLS, !isOver, case TLSUserEvent.handshakeCompleted(let chosen)? = event as? TLSUserEvent {
      awaitsTLS = false
      decide(chosen == "h2" ? .http2 : .http1, context)
    }
    context.fireUserInboundEventTriggered(event)
  }

  /// The channel is gone.
  package func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  /// A channel that was never connected goes without becoming inactive.
  package func handlerRemoved(context: ChannelHandlerContext) { end() }

  private func end() {
    guard !isOver else { return }
    isOver = true
    closed(failure)
  }

  /// Closes: a channel with an error is of no use.
  package func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard !isOver else { return context.fireErrorCaught(error) }
    if failure == nil { failure = ConnectionFailure(error, on: context.channel, as: .server) }
    context.close(promise: nil)
  }
}
