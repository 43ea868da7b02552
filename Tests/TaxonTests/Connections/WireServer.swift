// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix
import Taxon
import TaxonFixtures
import TaxonTesting
import TaxonTransport

/// A server that does what it is told, stream by stream: what a client does then is the test.
final class WireServer: Sendable {
  /// What has come of a stream.
  enum Event { case head, data, end }

  /// One stream of a connection; to be used inside the script.
  final class Stream: HTTPExchangeReceiver {
    let exchange: any HTTPExchange
    var id: Int32 { (exchange as? HTTP2Stream)?.id ?? 0 }
    /// Which stream of the server it is, the first being 1, over all connections.
    let number: Int
    fileprivate(set) var fields: [String: String] = [:]
    fileprivate(set) var body: [UInt8] = []
    private let connection: Connection
    private let script: (Stream, Event) -> Void
    private var isHeadSent = false
    /// Called when the stream is over.
    var closes: () -> Void = {}

    fileprivate init(
      _ exchange: any HTTPExchange, _ number: Int, _ connection: Connection, _ script: @escaping (Stream, Event) -> Void
    ) {
      self.exchange = exchange
      self.number = number
      self.connection = connection
      self.script = script
    }

    func received(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
      fields[String(decoding: name, as: UTF8.self)] = String(decoding: value, as: UTF8.self)
    }
    func receivedHeaders(endStream: Bool) { script(self, .head) }
    func received(data: UnsafeRawBufferPointer, isLast: Bool) {
      body += Array(data)
      exchange.consume(data.count)
      script(self, .data)
    }
    func receivedEnd() { script(self, .end) }
    func closed(errorCode: UInt32) { closes() }

    /// RST_STREAM.
    func reset(_ code: HTTP2ErrorCode) { exchange.reset(code) }

    /// A GOAWAY that names the stream before this one as the last; the connection takes nothing any more.
    func goAwayBelow(code: UInt8 = 0) {
      connection.write(ScriptedPeer.goAway(code, "", lastStream: UInt8(max(id - 2, 0))))
    }

    /// A GOAWAY; the connection takes nothing any more.
    func goAway(last: UInt8, code: UInt8) { write(ScriptedPeer.goAway(code, "", lastStream: last)) }

    /// Bytes past the session, after what it has to say.
    func write(_ bytes: [UInt8]) { connection.write(bytes) }

    func head(_ fields: [(String, String)] = []) {
      guard !isHeadSent else { return }
      isHeadSent = true
      let all = [(":status", "200"), ("content-type", "application/grpc")] + fields
      exchange.sendHead(HeaderBlock(all.map { .init($0.0, $0.1) }))
    }

    /// A text of the tests' services.
    func message(_ text: String) {
      head()
      let bytes = [0x0a, UInt8(text.utf8.count)] + Array(text.utf8)
      exchange.send(5 + bytes.count) { $0.copyBytes(from: [0, 0, 0, 0, UInt8(bytes.count)] + bytes) }
    }

    func end(_ status: StatusCode = .ok, _ fields: [(String, String)] = []) {
      let all = [("grpc-status", "\(status.rawValue)")] + fields
      if isHeadSent {
        exchange.finish(trailers: HeaderBlock(all.map { .init($0.0, $0.1) }))
      } else {
        let head = [(":status", "200"), ("content-type", "application/grpc")]
        exchange.sendHeadersOnly(HeaderBlock((head + all).map { .init($0.0, $0.1) }))
      }
    }
  }

  let port: Int
  private let listening: any NIOCore.Channel
  private let channels: Locked<[any NIOCore.Channel]>
  private let count = Locked(0)
  private let heard = Tally()
  /// PINGs that clients have sent of their own accord.
  let pings = Tally()

  /// - Parameters:
  ///   - settings: False: nothing is sent before the test says so.
  ///   - script: Called on a connection's loop when the head of a request has come, each piece of its body, and its end.
  init(settings: Bool = true, _ script: @escaping @Sendable (Stream, Event) -> Void) async throws {
    let channels = Locked<[any NIOCore.Channel]>([])
    self.channels = channels
    let (count, heard, pings) = (count, heard, pings)
    let leftovers = Leftovers.ofThisTest
    listening = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channels.withLock { $0.append(channel) }
        return channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          if !settings { try pipeline.addHandler(Gate()) }
          try pipeline.addHandler(Counter(heard))
          try pipeline.addHandler(PingWatch(pings, hasPreface: true))
          try pipeline.addHandler(try Connection(channel, count, script).handler)
          leftovers.watch(channel, "a connection of a server on the wire")
        }
      }
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { leftovers.watch(channel, "what a server on the wire listens with") }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    port = listening.localAddress?.port ?? 0
  }

  /// How many connections there have been.
  var connections: Int { channels.withLock { $0.count } }

  /// How many streams there have been.
  var streams: Int { count.withLock { $0 } }

  /// Returns when so many bytes have come.
  func hears(_ count: Int) async {
    await heard.reaches(count)
  }

  /// Lets the sessions speak.
  func sendSettings() async throws { try await each { $0.open() } }

  private func each(_ body: @escaping @Sendable (Gate) -> Void) async throws {
    for channel in channels.withLock({ $0 }) {
      try await channel.eventLoop.submit { body(try channel.pipeline.syncOperations.handler(type: Gate.self)) }.get()
    }
  }

  func close() async {
    try? await listening.close()
    for channel in channels.withLock({ $0 }) { try? await channel.close() }
  }

  /// Keeps what is written until it is opened.
  private final class Gate: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    private var isOpen = false
    private var waiting: [NIOAny] = []
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
      if isOpen { return context.write(data, promise: promise) }
      waiting.append(data)
      promise?.succeed()
    }

    func open() {
      isOpen = true
      for data in waiting { context?.write(data, promise: nil) }
      context?.flush()
    }
  }

  private final class Counter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let heard: Tally
    init(_ heard: Tally) { self.heard = heard }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      heard.add(unwrapInboundIn(data).readableBytes)
      context.fireChannelRead(data)
    }
  }

  // Lives on its channel's loop.
  fileprivate final class Connection: HTTP2SessionDelegate {
    private(set) var handler: ConnectionHandler!
    private let channel: any NIOCore.Channel
    private let count: Locked<Int>
    private let script: (Stream, Event) -> Void

    init(
      _ channel: any NIOCore.Channel, _ count: Locked<Int>, _ script: @escaping @Sendable (Stream, Event) -> Void
    ) throws {
      self.channel = channel
      self.count = count
      self.script = script
      let session = try HTTP2Session(role: .server, configuration: HTTP2Configuration())
      session.delegate = self
      // The handler keeps the connection alive.
      handler = ConnectionHandler(session: session) { [self] _ in self.handler = nil }
    }

    func write(_ bytes: [UInt8]) {
      // In a read the handler keeps what the session has to say.
      channel.eventLoop.assumeIsolated().execute { [self] in
        handler?.flush()
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
      }
    }

    func makeReceiver(for exchange: any HTTPExchange) -> (any HTTPExchangeReceiver)? {
      let number = count.withLock { count in
        count += 1
        return count
      }
      return Stream(exchange, number, self, script)
    }
    func receivedGoAway(lastStreamID: Int32, errorCode: UInt32, debugData: [UInt8]) {}
    func receivedSettings() {}
    func receivedPingAck(_ payload: UInt64) {}
    func streamClosed() {}
  }
}
