// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix
import TaxonProtobuf

/// A server that says what a script has it say, frame by frame, and hears what comes: for what no real server would do.
///
/// ```swift
/// let peer = try await ScriptedPeer { connection in
///   let call = try await connection.expect(.headers)
///   connection.send(.answer(call.stream), .reset(call.stream, code: 8))
/// }
/// let channel = try Channel(peer.target)
/// …
/// await peer.close()
/// #expect(peer.failures.isEmpty)
/// ```
///
/// A script of frames runs once for each connection. SETTINGS go out before it, and those of the client are answered by themselves.
public final class ScriptedPeer: Sendable {
  /// Where it listens, on 127.0.0.1.
  public let port: Int
  /// What a channel takes to call it.
  public var target: String { "ipv4:127.0.0.1:\(port)" }
  private let listening: any NIOCore.Channel
  private let state: Locked<State>

  private struct State {
    var channels: [any NIOCore.Channel] = []
    var scripts: [Task<Void, Never>] = []
    var failures: [any Error] = []
  }

  /// Is told of what listens, and of each connection; for tests that look for what is left behind.
  @TaskLocal package static var observer: (@Sendable (_ channel: any NIOCore.Channel, _ name: String) -> Void)?

  /// A peer with a script.
  ///
  /// - Parameter script: Runs for each connection; the connection stays open when it returns. What it throws is in `failures`.
  /// - Throws: When there is no port to listen on.
  public convenience init(
    _ script: @escaping @Sendable (_ connection: ScriptedConnection) async throws -> Void
  ) async throws {
    try await self.init { channel, state in
      let (frames, continuation) = AsyncStream<HTTP2Frame>.makeStream()
      let connection = ScriptedConnection(channel, frames)
      try channel.pipeline.syncOperations.addHandler(FrameHandler(continuation))
      let task = Task {
        do {
          try await script(connection)
        } catch {
          state.withLock { $0.failures.append(error) }
        }
      }
      state.withLock { $0.scripts.append(task) }
    }
  }

  /// A peer that sends `greeting` when a connection begins, and `answer` when the head of a request has come, once a connection;
  /// whatever bytes these are.
  ///
  /// - Throws: When there is no port to listen on.
  public convenience init(greeting: [UInt8] = [], answer: [UInt8] = []) async throws {
    try await self.init { channel, _ in
      try channel.pipeline.syncOperations.addHandler(ByteHandler(greeting: greeting, answer: answer))
    }
  }

  private init(
    _ accept: @escaping @Sendable (_ channel: any NIOCore.Channel, _ state: Locked<State>) throws -> Void
  ) async throws {
    let state = Locked(State())
    self.state = state
    let observer = Self.observer
    listening = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        state.withLock { $0.channels.append(channel) }
        return channel.eventLoop.makeCompletedFuture {
          try accept(channel, state)
          observer?(channel, "a connection of a scripted peer")
        }
      }
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { observer?(channel, "what a scripted peer listens with") }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    port = listening.localAddress?.port ?? 0
  }

  /// What scripts threw: expectations that were not met.
  public var failures: [any Error] { state.withLock { $0.failures } }
  /// How many connections there have been.
  public var connections: Int { state.withLock { $0.channels.count } }

  /// Closes what is open, and waits for the scripts.
  public func close() async {
    try? await listening.close()
    let (channels, scripts) = state.withLock { ($0.channels, $0.scripts) }
    for channel in channels { try? await channel.close() }
    for script in scripts { await script.value }
    state.withLock { $0.scripts = [] }
  }

  /// Hands frames to a script.
  private final class FrameHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let frames: AsyncStream<HTTP2Frame>.Continuation
    private var reader = HTTP2FrameReader()

    init(_ frames: AsyncStream<HTTP2Frame>.Continuation) { self.frames = frames }

    func channelActive(context: ChannelHandlerContext) { send(.settings(), context) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      for frame in reader.read(unwrapInboundIn(data).readableBytesView) {
        if frame.kind == .settings, frame.flags & 1 == 0 { send(.settingsAck, context) }
        frames.yield(frame)
      }
    }

    func channelInactive(context: ChannelHandlerContext) { frames.finish() }

    private func send(_ frame: HTTP2Frame, _ context: ChannelHandlerContext) {
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: frame.bytes)), promise: nil)
    }
  }

  /// Says bytes.
  private final class ByteHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let greeting: [UInt8]
    private var answer: [UInt8]
    private var reader = HTTP2FrameReader()

    init(greeting: [UInt8], answer: [UInt8]) {
      self.greeting = greeting
      self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) { send(greeting, context) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      for frame in reader.read(unwrapInboundIn(data).readableBytesView) where frame.kind == .headers {
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

/// One connection to a scripted peer. One task reads from it.
public final class ScriptedConnection: Sendable {
  private let channel: any NIOCore.Channel
  private let frames: Locked<AsyncStream<HTTP2Frame>.AsyncIterator>

  init(_ channel: any NIOCore.Channel, _ frames: AsyncStream<HTTP2Frame>) {
    self.channel = channel
    self.frames = Locked(frames.makeAsyncIterator())
  }

  /// Sends frames.
  public func send(_ frames: HTTP2Frame...) { send(frames.flatMap(\.bytes)) }

  /// Sends bytes, which need not be frames.
  public func send(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }

  /// The next frame, whatever it is.
  ///
  /// - Throws: `ScriptedPeerError` when the client closes the connection instead.
  public func next() async throws -> HTTP2Frame {
    var iterator = frames.withLock { $0 }
    guard let frame = await iterator.next() else { throw ScriptedPeerError("the client closed the connection") }
    return frame
  }

  /// The next frame but for SETTINGS, WINDOW_UPDATE and PING, which a client sends when it likes.
  ///
  /// - Throws: `ScriptedPeerError` when it is of another type, or when the client closes the connection instead.
  @discardableResult
  public func expect(_ kind: HTTP2Frame.Kind, stream: UInt32? = nil) async throws -> HTTP2Frame {
    while true {
      let frame = try await next()
      if frame.kind == kind, stream == nil || stream == frame.stream { return frame }
      switch frame.kind {
      case .settings, .windowUpdate, .ping: continue
      default: throw ScriptedPeerError("expected \(kind), and \(frame) came")
      }
    }
  }

  /// Closes the connection.
  public func close() { channel.close(promise: nil) }
}

/// What a scripted peer heard instead of what its script expected.
public struct ScriptedPeerError: Error, Hashable, CustomStringConvertible {
  /// For people.
  public let description: String

  init(_ description: String) { self.description = description }
}
