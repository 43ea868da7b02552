// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOEmbedded

@testable import TaxonTransport

/// A server's connection behind its front door, on a channel without a socket, whose clock the test moves. The test is the client,
/// and says what the calls do: unless told otherwise, they answer with their path and the size of their body.
final class HTTP1Dialogue {
  let channel = EmbeddedChannel()
  let connection: HTTP1Connection
  private let server: ScriptedServer
  private let slowReader = SlowReader()
  private let ending: Ending

  /// How the connection has ended.
  private final class Ending {
    var isOver = false
    var failure: ConnectionFailure?
  }

  /// - Parameters:
  ///   - knowsVersion: Nothing has to come before it is known that the client speaks HTTP/1.1, as after a handshake of TLS.
  ///   - sharesTurns: As a server's connections do.
  init(
    _ configuration: HTTP1Configuration = HTTP1Configuration(), knowsVersion: Bool = false, sharesTurns: Bool = true,
    script: @escaping (ScriptedCall, ScriptedCall.Step) -> Void = HTTP1Dialogue.echo
  ) throws {
    let (channel, ending) = (channel, Ending())
    self.ending = ending
    server = ScriptedServer(script)
    let ledger = ConnectionLedger(
      LedgerLimits(), shared: SharedLedger(received: 1 << 30, sent: 1 << 30), eventLoop: channel.eventLoop)
    let connection = HTTP1Connection(
      configuration, isEncrypted: false, ledger: ledger, turn: sharesTurns ? LoopTurn(channel.eventLoop) : nil,
      now: channel.eventLoop.now
    ) {
      ending.isOver = true
      ending.failure = $0
    }
    connection.delegate = server
    self.connection = connection
    let door = FrontDoor(awaitsTLS: false) { version in
      guard version == .http1 else { throw ChannelError.operationUnsupported }
      try connection.addHandlers(to: channel)
    } closed: {
      ending.isOver = true
      ending.failure = $0
    }
    try channel.pipeline.syncOperations.addHandler(slowReader)
    if knowsVersion {
      try connection.addHandlers(to: channel)
    } else {
      try channel.pipeline.syncOperations.addHandler(door)
    }
    try channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
  }

  deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }

  /// Answers a request, once it is complete, with its path and the size of its body.
  static func echo(_ call: ScriptedCall, _ step: ScriptedCall.Step) {
    if step == .end { call.answer("\(call.path) \(call.body.count)") }
  }

  /// Answers a request as soon as its head is there.
  static func answersHeads(_ call: ScriptedCall, _ step: ScriptedCall.Step) {
    if step == .head { call.answer("\(call.path) early") }
  }

  /// The calls so far.
  var calls: [ScriptedCall] { server.calls }
  var maxCalls: Int {
    get { server.maxCalls }
    set { server.maxCalls = newValue }
  }
  /// The server has closed its end.
  var isClosed: Bool { !channel.isActive }
  var failure: ConnectionFailure? { ending.failure }
  var isOver: Bool { ending.isOver }
  /// The server takes what the client says.
  var isReading: Bool {
    let option = channel.options.last { $0.option is ChannelOptions.Types.AutoReadOption }
    return option?.value as? Bool ?? true
  }

  /// The client says something, in pieces of so many bytes.
  func say(_ text: String, by size: Int = .max) throws { try say(Array(text.utf8), by: size) }

  func say(_ bytes: [UInt8], by size: Int = .max) throws {
    var rest = bytes[...]
    while !rest.isEmpty, channel.isActive {
      try channel.writeInbound(ByteBuffer(bytes: rest.prefix(size)))
      run()
      rest = rest.dropFirst(size)
    }
    run()
  }

  /// What the server has said since this was last asked.
  func hear() throws -> String {
    run()
    var all = ByteBuffer()
    while var part = try channel.readOutbound(as: ByteBuffer.self) { all.writeBuffer(&part) }
    return String(buffer: all)
  }

  /// Has the loop do what is due.
  func run() { channel.embeddedEventLoop.run() }

  /// Time passes.
  func wait(_ time: TimeAmount) { channel.embeddedEventLoop.advanceTime(by: time) }

  /// The client takes one more piece of what the server has to say.
  func readOnce() throws -> String {
    slowReader.isSlow = true
    setWritable(true)
    slowReader.isSlow = false
    return try hear()
  }

  /// The client reads, or does not.
  func setWritable(_ isWritable: Bool) {
    guard channel.isWritable != isWritable else { return }
    channel.isWritable = isWritable
    channel.pipeline.fireChannelWritabilityChanged()
    run()
  }
}

/// A channel that takes one piece and is full, if it is slow.
private final class SlowReader: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer
  var isSlow = false

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    context.write(data, promise: promise)
    if isSlow { (context.channel as? EmbeddedChannel)?.isWritable = false }
  }
}

/// Makes the calls of a dialogue.
private final class ScriptedServer: HTTPConnectionDelegate {
  private let script: (ScriptedCall, ScriptedCall.Step) -> Void
  var calls: [ScriptedCall] = []
  var maxCalls = Int.max

  init(_ script: @escaping (ScriptedCall, ScriptedCall.Step) -> Void) { self.script = script }

  func makeReceiver(for exchange: any HTTPExchange) -> (any HTTPExchangeReceiver)? {
    guard calls.count < maxCalls, let exchange = exchange as? HTTP1Exchange else { return nil }
    let call = ScriptedCall(exchange, script: script)
    calls.append(call)
    return call
  }

  func streamClosed() {}
  func drained() {}
}

extension HTTP1Configuration {
  /// The default with some other values.
  static func with(_ change: (inout HTTP1Configuration) -> Void) -> HTTP1Configuration {
    var configuration = HTTP1Configuration()
    change(&configuration)
    return configuration
  }
}

/// Requests of HTTP/1.1.
enum HTTP1Text {
  /// A request without a body.
  static func get(_ path: String, _ fields: String = "") -> String {
    "GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
  }

  /// A request with a body of so many bytes, or the head of one.
  static func post(_ path: String, _ count: Int, sent: Int? = nil, _ fields: String = "") -> String {
    "POST \(path) HTTP/1.1\r\nHost: a\r\n\(fields)Content-Length: \(count)\r\n\r\n"
      + String(repeating: "x", count: sent ?? count)
  }

  /// The head of a request whose body comes in chunks.
  static func chunked(_ path: String, _ fields: String = "") -> String {
    "POST \(path) HTTP/1.1\r\nHost: a\r\n\(fields)Transfer-Encoding: chunked\r\n\r\n"
  }

  static func chunk(_ count: Int) -> String {
    String(count, radix: 16) + "\r\n" + String(repeating: "x", count: count) + "\r\n"
  }

  static let lastChunk = "0\r\n\r\n"
}

extension String {
  /// How often a text is in this one.
  func count(of text: String) -> Int {
    var (count, rest) = (0, Substring(self))
    while let range = rest.firstRange(of: text) {
      count += 1
      rest = rest[range.upperBound...]
    }
    return count
  }
}
