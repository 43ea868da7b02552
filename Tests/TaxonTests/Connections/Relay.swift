// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix
import Taxon
import TaxonFixtures

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

/// A peer that says what it was told to say to each connection, and then nothing.
final class ScriptedPeer: Sendable {
  let port: Int
  private let listening: any NIOCore.Channel
  private let channels = Locked<[any NIOCore.Channel]>([])

  /// An empty SETTINGS frame.
  static let settings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]

  /// A GOAWAY frame that processed no stream.
  static func goAway(_ code: UInt8, _ text: String, lastStream: UInt8 = 0) -> [UInt8] {
    let size = UInt8(8 + text.utf8.count)
    return [0, 0, size, 7, 0, 0, 0, 0, 0, 0, 0, 0, lastStream, 0, 0, 0, code] + Array(text.utf8)
  }

  /// A peer that sends `greeting` when a connection begins, and `answer` when a request has come.
  init(greeting: [UInt8] = [], answer: [UInt8] = []) async throws {
    let channels = channels
    let leftovers = Leftovers.ofThisTest
    listening = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channels.withLock { $0.append(channel) }
        return channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Script(greeting: greeting, answer: answer))
          leftovers.watch(channel, "a connection of a scripted peer")
        }
      }
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { leftovers.watch(channel, "what a scripted peer listens with") }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    port = listening.localAddress?.port ?? 0
  }

  func close() async {
    try? await listening.close()
    for channel in channels.withLock({ $0 }) { try? await channel.close() }
  }

  private final class Script: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let greeting: [UInt8]
    private var answer: [UInt8]
    private var frames = FrameReader(hasPreface: true)

    init(greeting: [UInt8], answer: [UInt8]) {
      self.greeting = greeting
      self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) { send(greeting, context) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      for frame in frames.read(unwrapInboundIn(data)) where frame.type == 1 {
        send(answer, context)
        answer = []
      }
    }

    private func send(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
      guard !bytes.isEmpty else { return }
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    }
  }
}
