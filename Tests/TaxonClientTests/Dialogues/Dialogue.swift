// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import NIOEmbedded
import TaxonErrors
import TaxonResilience
import TaxonTransport

@testable import TaxonClient

/// Holds one dialogue, in no time: a channel with all that it has, but for the sockets, on an event loop and with a clock
/// that are moved by hand. The calls' tasks run on the loop too, so that a dialogue is the same each time it is held.
// Reached on one thread alone.
final class Dialogue: @unchecked Sendable {
  let script: DialogueScript
  let loop = EmbeddedEventLoop()
  let executor: LoopExecutor
  private(set) var calls: [DialogueCall] = []
  private(set) var connections: [ServerConnection] = []
  private(set) var isShutDown = false
  /// Connections that could not be made, or came late.
  private(set) var hasHinderedDials = false
  /// What went wrong.
  private(set) var violations: [String] = []
  /// What happened, when somebody wants to read it.
  private(set) var log: [String]?
  private let began: NIODeadline
  private var dials = 0

  init(_ script: DialogueScript, logs: Bool = false) {
    self.script = script
    executor = LoopExecutor(loop)
    // What reckons back from now has room before it.
    loop.advanceTime(by: .hours(1))
    began = loop.now
    log = logs ? [] : nil
    calls = script.calls.map { DialogueCall($0, in: self) }
  }

  func violate(_ text: String) { if violations.count < 10 { violations.append(text) } }

  func note(_ text: @autoclosure () -> String) {
    guard log != nil else { return }
    let time = Double((loop.now - began).nanoseconds) / 1e6
    log?.append("\(time) ms: \(text())")
  }

  /// Does something, so many milliseconds later, and never inside the call.
  func after(_ milliseconds: Int, _ body: @escaping () -> Void) {
    loop.scheduleTask(in: .milliseconds(Int64(milliseconds)), body)
  }

  // MARK: The course

  func hold() {
    weak var dispatcher: CallDispatcher?
    do {
      let channel = try makeChannel()
      dispatcher = channel.engine.dispatcher
      for call in calls {
        after(call.script.start) { call.begin(on: channel) }
      }
      loop.advanceTime(by: .seconds(10))
      for call in calls where !call.isOver {
        if let deadline = call.deadline { violate("call \(call.script.number) lives past its deadline \(deadline)") }
        // The server said nothing, or has asked for a long pause.
        call.cancel(task: true)
      }
      loop.run()
      for call in calls where !call.isOver { violate("call \(call.script.number) does not end when it is cancelled") }
      for call in calls where !call.isFinished {
        violate("the task of call \(call.script.number) hangs")
      }
      if channel.engine.dispatcher.deadlines.count > 0 { violate("deadlines are left") }
      isShutDown = true
      channel.shutDown()
    } catch {
      violate("no channel: \(error)")
    }
    // The longest that a connection takes to close.
    loop.advanceTime(by: .seconds(10))
    for connection in connections where !connection.isClosed {
      violate("connection \(connection.number) is left open, \(connection.fault ?? "which was good")")
      connection.close()
      loop.run()
    }
    if dispatcher != nil { violate("the dispatcher is left") }
    if let timers = loop.timerCount, timers > 0 { violate("\(timers) timers are left") }
    for connection in connections { for text in connection.violations { violate(text) } }
    for call in calls { judge(call) }
    for connection in connections { _ = try? connection.channel.finish(acceptAlreadyClosed: true) }
    // Ends what is left of the timers.
    try? loop.syncShutdownGracefully()
    for text in connections.flatMap({ $0.clientEnd?.leftovers ?? [] }) { violate(text) }
  }

  private func makeChannel() throws -> TaxonClient.Channel {
    var configuration = TaxonClient.Channel.Configuration()
    configuration.policy = CallPolicy(
      retry: script.retries
        ? RetryPolicy(maxRetries: 2, backoff: Backoff(base: .milliseconds(10), cap: .milliseconds(100), jitter: 1...1))
        : .none,
      breaker: script.hasBreaker
        ? .init(failureThreshold: DialogueScript.breakerThreshold, openDuration: .milliseconds(200)) : nil)
    configuration.limits.maxMessageSize = DialogueScript.maxMessageSize
    configuration.connectTimeout = .milliseconds(DialogueScript.connectTimeout)
    configuration.backoff = Backoff(base: .milliseconds(20), factor: 1.6, cap: .milliseconds(100), jitter: 1...1)
    configuration.clock = LoopClock(loop: loop)
    configuration.logger = Logger(label: "dialogue") { _ in SwiftLogNoOpLogHandler() }
    if script.keepalive {
      configuration.keepalive = .init(time: .seconds(1))
      configuration.keepalive.minimum = .milliseconds(500)
      configuration.keepalive.timeout = .milliseconds(500)
    }
    return try TaxonClient.Channel(
      Target(socketNamed: "dialogue"), configuration, dialer: DialogueDialer(dialogue: self), eventLoop: loop)
  }

  fileprivate func dial(
    timeout: TimeAmount, _ initializer: @escaping (any NIOCore.Channel) -> EventLoopFuture<Void>
  ) -> EventLoopFuture<any NIOCore.Channel> {
    var script = ConnectionScript()
    if dials < self.script.connections.count { script = self.script.connections[dials] }
    let number = dials
    dials += 1
    let promise = loop.makePromise(of: (any NIOCore.Channel).self)
    switch script.connect {
    case .comes(let delay):
      if delay > 20 { hasHinderedDials = true }
      let connection = ServerConnection(script, number: number, in: self)
      connections.append(connection)
      after(delay) { self.connect(connection, initializer, promise) }
    case .fails(let delay):
      hasHinderedDials = true
      after(delay) { promise.fail(IOError(errnoCode: 111, reason: "connect")) }
    case .hangs:
      hasHinderedDials = true
      loop.scheduleTask(in: timeout) { promise.fail(ChannelError.connectTimeout(timeout)) }
    }
    return promise.futureResult
  }

  private func connect(
    _ connection: ServerConnection, _ initializer: (any NIOCore.Channel) -> EventLoopFuture<Void>,
    _ promise: EventLoopPromise<any NIOCore.Channel>
  ) {
    let channel = connection.channel
    note("connection \(connection.number): made")
    do {
      try channel.pipeline.syncOperations.addHandler(Wire(connection))
    } catch {
      return promise.fail(error)
    }
    initializer(channel).assumeIsolated().whenComplete { result in
      switch result {
      case .failure(let error): promise.fail(error)
      case .success:
        do { try connection.begin() } catch { return promise.fail(error) }
        promise.succeed(channel)
      }
    }
  }
}

extension ConnectionScript {
  /// A connection of which nothing is said.
  init() {
    var random = RandomSource(seed: 0)
    self.init(good: &random)
    connect = .comes(after: 0)
    readSize = 0
  }
}

// Used on the dialogue's thread alone.
private struct DialogueDialer: Dialer, @unchecked Sendable {
  unowned let dialogue: Dialogue

  func dial(
    _ addresses: [SocketAddress], on eventLoop: any EventLoop, timeout: TimeAmount,
    initializer: @escaping @Sendable (any NIOCore.Channel) -> EventLoopFuture<Void>
  ) -> EventLoopFuture<any NIOCore.Channel> {
    dialogue.dial(timeout: timeout, initializer)
  }
}

/// Stands where the socket would be.
private final class Wire: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let connection: ServerConnection
  private var written: [(ByteBuffer, EventLoopPromise<Void>?)] = []

  init(_ connection: ServerConnection) { self.connection = connection }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    written.append((unwrapOutboundIn(data), promise))
  }

  func flush(context: ChannelHandlerContext) {
    connection.clientEnd?.noteStreams()
    let pieces = written
    written = []
    for (bytes, promise) in pieces {
      connection.receive(Array(bytes.readableBytesView))
      promise?.succeed()
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    for (_, promise) in written { promise?.fail(ChannelError.ioOnClosedChannel) }
    written = []
    connection.ended()
    context.fireChannelInactive()
  }
}

extension EmbeddedEventLoop {
  /// How many timers wait; nil when the loop does not show it.
  var timerCount: Int? {
    var child = Mirror(reflecting: self).children.first { $0.label == "scheduledTasks" }?.value
    // A queue, which has a heap, which has an array.
    while let value = child {
      let mirror = Mirror(reflecting: value)
      if mirror.displayStyle == .collection { return mirror.children.count }
      child = mirror.children.first?.value
    }
    return nil
  }
}
