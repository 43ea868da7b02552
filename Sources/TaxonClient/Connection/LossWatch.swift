// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// Fails a promise when the channel goes before it is kept, and says where the channel leads once it does. Stands behind
/// the connection's handler.
final class LossWatch: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let promise: EventLoopPromise<Void>

  private let connected: (SocketAddress?) -> Void

  init(_ promise: EventLoopPromise<Void>, connected: @escaping (SocketAddress?) -> Void) {
    self.promise = promise
    self.connected = connected
  }

  func handlerAdded(context: ChannelHandlerContext) {
    if context.channel.isActive { connected(context.remoteAddress) }
  }

  func channelActive(context: ChannelHandlerContext) {
    connected(context.remoteAddress)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    promise.fail(ChannelError.eof)
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    promise.fail(ChannelError.eof)
  }
}
