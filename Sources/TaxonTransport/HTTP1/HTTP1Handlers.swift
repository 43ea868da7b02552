// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1

/// Gives the bytes of the peer to the connection, which gives NIO's decoder what it may have. The decoder hands on what it
/// reads in the name of this handler.
package final class HTTP1Handler: ChannelInboundHandler {
  /// Bytes of the peer.
  package typealias InboundIn = ByteBuffer
  /// What the decoder reads.
  package typealias InboundOut = HTTPServerRequestPart
  /// Bytes for the peer.
  package typealias OutboundOut = ByteBuffer

  /// What the channel carries.
  package let connection: HTTP1Connection

  init(_ connection: HTTP1Connection) { self.connection = connection }

  package func handlerAdded(context: ChannelHandlerContext) { connection.added(context) }

  /// Ends the exchange: a channel that was never connected goes without becoming inactive.
  package func handlerRemoved(context: ChannelHandlerContext) { connection.removed(context) }

  /// Ends the exchange: the channel is gone.
  package func channelInactive(context: ChannelHandlerContext) {
    connection.lose()
    context.fireChannelInactive()
  }

  package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    connection.receive(unwrapInboundIn(data), context)
  }

  package func channelReadComplete(context: ChannelHandlerContext) { connection.readCompleted() }

  package func channelWritabilityChanged(context: ChannelHandlerContext) { connection.flush() }

  /// Closes: a channel with an error is of no use.
  package func errorCaught(context: ChannelHandlerContext, error: any Error) { connection.failed(error) }
}

/// Gives what the decoder has read to the connection.
final class HTTP1RequestHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart

  private let connection: HTTP1Connection

  init(_ connection: HTTP1Connection) { self.connection = connection }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) { connection.receive(unwrapInboundIn(data)) }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { connection.decoderFailed(error) }
}
