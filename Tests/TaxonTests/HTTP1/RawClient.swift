// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix
import NIOSSL
import TaxonFixtures
import Testing

/// A client that writes bytes and sees which come back.
// Reached on its loop alone.
final class RawClient: ChannelInboundHandler, @unchecked Sendable {
  typealias InboundIn = ByteBuffer

  private var received: [UInt8] = []
  private var isClosed = false
  private var waiting: [(isDone: ([UInt8], Bool) -> Bool, promise: EventLoopPromise<String>)] = []
  private var channel: (any Channel)?

  /// - Parameter tls: Certificate authority and protocols of ALPN; nil: no TLS.
  static func connect(_ port: Int, tls: (authority: String, protocols: [String])? = nil) async throws -> RawClient {
    let context = try tls.map { tls in
      var configuration = TLSConfiguration.makeClientConfiguration()
      configuration.trustRoots = .file(tls.authority)
      configuration.applicationProtocols = tls.protocols
      return try NIOSSLContext(configuration: configuration)
    }
    let leftovers = Leftovers.ofThisTest
    let client = RawClient()
    _ = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).channelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        client.channel = channel
        if let context {
          try channel.pipeline.syncOperations.addHandler(
            NIOSSLClientHandler(context: context, serverHostname: "localhost"))
        }
        try channel.pipeline.syncOperations.addHandler(client)
        leftovers.watch(channel, "a connection of a raw client")
      }
    }.connect(host: "127.0.0.1", port: port).get()
    return client
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received += Array(buffer: unwrapInboundIn(data))
    wake()
  }

  func channelInactive(context: ChannelHandlerContext) {
    isClosed = true
    channel = nil
    wake()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func wake() {
    waiting.removeAll { wait in
      guard wait.isDone(received, isClosed) || isClosed else { return false }
      wait.promise.succeed(String(decoding: received, as: UTF8.self))
      return true
    }
  }

  func write(_ text: String) async throws { try await write(Array(text.utf8)) }

  func write(_ bytes: [UInt8]) async throws {
    guard let channel else { return }
    // The server may have closed before.
    try? await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
  }

  /// All that came, once so many of a text have come, or the connection is closed.
  func receive(_ count: Int = 1, of text: String) async throws -> String {
    let text = Array(text.utf8)
    return try await receive { bytes, _ in
      var found = 0
      for start in bytes.indices where bytes[start...].starts(with: text) { found += 1 }
      return found >= count
    }
  }

  /// All that came, once the connection is closed.
  var all: String { get async throws { try await receive { _, isClosed in isClosed } } }

  private func receive(until isDone: @escaping @Sendable ([UInt8], Bool) -> Bool) async throws -> String {
    guard let channel else { return String(decoding: received, as: UTF8.self) }
    let promise = channel.eventLoop.makePromise(of: String.self)
    channel.eventLoop.execute {
      self.waiting.append((isDone, promise))
      self.wake()
    }
    return try await promise.futureResult.get()
  }

  func close() async { try? await channel?.close() }
}
