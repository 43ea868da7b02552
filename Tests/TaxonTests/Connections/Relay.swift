// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix
import Taxon
import TaxonFixtures
import TaxonTesting

/// Passes bytes on between a client and a server, until it is told to stop: a peer on the other side of it then looks
/// like one whose machine has gone.
final class Relay: Sendable {
  let port: Int
  private let listening: any NIOCore.Channel
  private let channels = Locked<[any NIOCore.Channel]>([])
  private let count = Locked(0)

  /// - Parameter pings: Counts the PINGs that clients send of their own accord.
  init(to port: Int, pings: Tally? = nil) async throws {
    let channels = channels
    let count = count
    let leftovers = Leftovers.ofThisTest
    listening = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { inbound in
        count.withLock { $0 += 1 }
        // Nothing is read before there is somebody to pass it to.
        return inbound.setOption(.autoRead, value: false).flatMap {
          ClientBootstrap(group: inbound.eventLoop).connect(host: "127.0.0.1", port: port)
        }.flatMapThrowing { outbound in
          channels.withLock { $0 += [inbound, outbound] }
          if let pings { try inbound.pipeline.syncOperations.addHandler(PingWatch(pings, hasPreface: true)) }
          try inbound.pipeline.syncOperations.addHandler(Forwarder(to: outbound))
          try outbound.pipeline.syncOperations.addHandler(Forwarder(to: inbound))
          leftovers.watch(inbound, "a connection to a relay")
          leftovers.watch(outbound, "a connection of a relay")
        }.flatMap { inbound.setOption(.autoRead, value: true) }
      }
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { leftovers.watch(channel, "what a relay listens with") }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    self.port = listening.localAddress?.port ?? 0
  }

  /// How many connections there have been.
  var connections: Int { count.withLock { $0 } }

  /// Passes nothing on any more; the connections stay open.
  func freeze() async throws {
    for channel in channels.withLock({ $0 }) { try await channel.setOption(.autoRead, value: false).get() }
  }

  func close() async {
    try? await listening.close()
    for channel in channels.withLock({ $0 }) { try? await channel.close() }
  }

  private final class Forwarder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let target: any NIOCore.Channel

    init(to target: any NIOCore.Channel) { self.target = target }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      target.writeAndFlush(unwrapInboundIn(data), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { target.close(promise: nil) }
  }
}

extension ScriptedPeer {
  /// An empty SETTINGS frame.
  static let settings = HTTP2Frame.settings().bytes

  /// A GOAWAY frame that processed no stream above the last.
  static func goAway(_ code: UInt8, _ text: String, lastStream: UInt8 = 0) -> [UInt8] {
    HTTP2Frame.goAway(lastStream: UInt32(lastStream), code: UInt32(code), text).bytes
  }
}
