// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1

/// Stands before NIO's decoder: gives the bytes of the peer to the connection, which gives the decoder what it may have.
package final class HTTP1Handler: ChannelInboundHandler {
  /// Bytes of the peer.
  package typealias InboundIn = ByteBuffer
  /// Bytes for the decoder.
  package typealias InboundOut = ByteBuffer
  /// Bytes for the peer.
  package typealias OutboundOut = ByteBuffer

  /// What the channel carries.
  package let connection: HTTP1Connection

  init(_ connection: HTTP1Connection) { self.connection = connection }

  package func handlerAdded(context: ChannelHandlerContext) { connection.added(context) }

  /// Ends the exchange: a channel that was never connected goes without becoming inactive.
  package func handlerRemoved(context: ChannelHandlerContext) { connection.removed() }

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

/// Stands behind NIO's decoder: gives what it has read to the connection.
final class HTTP1RequestHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart

  private let connection: HTTP1Connection

  init(_ connection: HTTP1Connection) { self.connection = connection }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) { connection.receive(unwrapInboundIn(data)) }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { connection.decoderFailed(error) }
}
