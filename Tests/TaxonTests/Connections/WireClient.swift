// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import NIOPosix
import Taxon
import TaxonFixtures
import TaxonTransport
import Testing

/// A client that does what it is told, frame by frame, and sees what a server does with its connection.
// Reached on its loop alone, but for the promises.
final class WireClient: HTTP2SessionDelegate, @unchecked Sendable {
  struct GoAway: Equatable {
    let errorCode: UInt32
    let text: String
  }

  struct Answer: Equatable {
    var fields: [String: String] = [:]
    var body: [UInt8] = []
    /// How many header blocks came, those of trailers included.
    var blocks = 0
    /// The HTTP/2 error code with which the stream ended.
    var errorCode: UInt32 = 0

    var status: String? { fields["grpc-status"] }
  }

  private final class Stream: HTTPExchangeReceiver {
    let exchange: HTTP2Stream
    var answer = Answer()
    let promise: EventLoopPromise<Answer>
    init(_ exchange: HTTP2Stream, _ promise: EventLoopPromise<Answer>) {
      self.exchange = exchange
      self.promise = promise
    }

    func received(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
      answer.fields[String(decoding: name, as: UTF8.self)] = String(decoding: value, as: UTF8.self)
    }
    var onHeaders: (@Sendable (Answer) -> Void)?
    func receivedHeaders(endStream: Bool) {
      answer.blocks += 1
      onHeaders?(answer)
    }
    func received(data: UnsafeRawBufferPointer, isLast: Bool) {
      answer.body += Array(data)
      exchange.consume(data.count)
    }
    func receivedEnd() {}
    func closed(errorCode: UInt32) {
      answer.errorCode = errorCode
      promise.succeed(answer)
    }
  }

  let channel: any NIOCore.Channel
  private var handler: ConnectionHandler?
  private let closedPromise: EventLoopPromise<String>
  private let settingsPromise: EventLoopPromise<Void>
  private var goAways: [GoAway] = []
  /// PINGs that the server has sent of its own accord.
  let pings = Tally()
  private let pingAcks = Tally()

  private init(_ channel: any NIOCore.Channel) {
    self.channel = channel
    closedPromise = channel.eventLoop.makePromise()
    settingsPromise = channel.eventLoop.makePromise()
  }

  enum Address {
    case port(Int)
    case unix(String)
    case socket(CInt)
  }

  /// - Parameter speaksHTTP2: False: nothing is sent but what the test writes.
  static func connect(
    _ address: Address, tls: ClientTLS? = nil, serverName: String? = nil, speaksHTTP2: Bool = true,
    configuration: HTTP2Configuration = HTTP2Configuration()
  ) async throws -> WireClient {
    let source = try tls.map { try TLSContextSource($0, logger: quiet) }
    let made = Locked<WireClient?>(nil)
    let leftovers = Leftovers.ofThisTest
    let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).channelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        try source?.addClientHandler(to: channel, serverName: serverName ?? tls?.serverName)
        let client = WireClient(channel)
        made.withLock { $0 = client }
        try client.start(speaksHTTP2: speaksHTTP2, awaitsTLS: source != nil, configuration: configuration)
        leftovers.watch(channel, "a connection of a client on the wire")
      }
    }
    switch address {
    case .port(let port):
      _ = try await bootstrap.connect(host: "127.0.0.1", port: port).get()
    case .unix(let path): _ = try await bootstrap.connect(unixDomainSocketPath: path).get()
    case .socket(let socket): _ = try await bootstrap.withConnectedSocket(socket).get()
    }
    return try #require(made.withLock { $0 })
  }

  private func start(speaksHTTP2: Bool, awaitsTLS: Bool, configuration: HTTP2Configuration) throws {
    guard speaksHTTP2 else {
      channel.closeFuture.whenComplete { _ in
        self.closedPromise.succeed("closed")
        self.settingsPromise.fail(ChannelError.eof)
      }
      return
    }
    let session = try HTTP2Session(role: .client, configuration: configuration)
    session.delegate = self
    let handler = ConnectionHandler(session: session, awaitsTLS: awaitsTLS) { [self] failure in
      self.handler = nil
      closedPromise.succeed(failure.map { "\($0)" } ?? "closed")
      settingsPromise.fail(ChannelError.eof)
    }
    self.handler = handler
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandler(PingWatch(pings, hasPreface: false))
    try pipeline.addHandler(handler)
  }

  /// Calls a method with the bytes as body.
  func call(
    _ path: String = "/test.Text/Call", _ body: [UInt8] = [0, 0, 0, 0, 0], timeout: Duration? = nil
  ) async throws -> Answer {
    try await begin(path, body, timeout: timeout).get()
  }

  /// Calls a method, and returns at once. A timeout is the server's to keep: the client does not look at the clock.
  func begin(
    _ path: String = "/test.Text/Call", _ body: [UInt8] = [0, 0, 0, 0, 0], timeout: Duration? = nil,
    onHeaders: (@Sendable (Answer) -> Void)? = nil
  ) -> EventLoopFuture<Answer> {
    let promise = channel.eventLoop.makePromise(of: Answer.self)
    channel.eventLoop.execute {
      guard let handler = self.handler else { return promise.fail(ChannelError.eof) }
      let exchange = handler.session.makeStream()
      let stream = Stream(exchange, promise)
      stream.onHeaders = onHeaders
      exchange.send(body.count) { $0.copyBytes(from: body) }
      exchange.finish(trailers: nil)
      let timeout = timeout.map { HeaderBlock.Field("grpc-timeout", "\(Int($0 / .milliseconds(1)))m") }
      do {
        try handler.session.submitRequest(
          exchange, to: stream,
          head: HeaderBlock(
            [
              .init(":method", "POST"), .init(":scheme", "http"), .init(":path", path), .init(":authority", "test"),
              .init("te", "trailers"), .init("content-type", "application/grpc"),
            ] + [timeout].compactMap { $0 }))
      } catch {
        promise.fail(error)
      }
      handler.flush()
    }
    return promise.futureResult
  }

  /// Does something on the connection's loop, and writes what comes of it.
  func perform(_ body: @escaping @Sendable (HTTP2Session) -> Void) async throws {
    try await channel.eventLoop.submit {
      guard let handler = self.handler else { return }
      body(handler.session)
      handler.flush()
    }.get()
  }

  /// Sends a PING, and returns when the server has answered: it has seen by then what was sent before.
  func ping() async throws {
    let count = pingAcks.count
    try await perform { $0.submitPing(1) }
    await pingAcks.reaches(count + 1)
  }

  /// Writes bytes past the session.
  func write(_ bytes: [UInt8]) async throws {
    try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
  }

  /// Why the connection ended, when it has.
  var closed: String { get async throws { try await closedPromise.futureResult.get() } }

  /// Returns when the server's SETTINGS are there.
  func ready() async throws { try await settingsPromise.futureResult.get() }

  /// The GOAWAYs that came so far.
  var receivedGoAways: [GoAway] {
    get async throws { try await channel.eventLoop.submit { self.goAways }.get() }
  }

  func close() async { try? await channel.close() }

  func makeReceiver(for exchange: any HTTPExchange) -> (any HTTPExchangeReceiver)? { nil }
  func receivedGoAway(lastStreamID: Int32, errorCode: UInt32, debugData: [UInt8]) {
    goAways.append(GoAway(errorCode: errorCode, text: String(decoding: debugData, as: UTF8.self)))
  }
  func receivedSettings() { settingsPromise.succeed() }
  func receivedPingAck(_ payload: UInt64) { pingAcks.add() }
  func streamClosed() {}
}
