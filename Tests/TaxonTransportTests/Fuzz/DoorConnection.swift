// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOEmbedded
import TaxonTransport

/// Where a socket would be: keeps what is written, and closes its output without closing the channel.
private final class DoorSocket: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer

  private(set) var written: [UInt8] = []
  private(set) var isOutputClosed = false
  /// The channel takes no more behind the next write.
  var isFull = false
  private let channel: EmbeddedChannel

  init(_ channel: EmbeddedChannel) { self.channel = channel }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let bytes = unwrapOutboundIn(data)
    if bytes.readableBytes > 0 {
      precondition(!isOutputClosed, "a write behind the end of the output")
      precondition(channel.isWritable, "a write to a channel that takes no more")
      // What one loop's turn puts together: 256 KiB, and the answer with which it goes past them.
      precondition(bytes.readableBytes <= 512 * 1024, "a write of \(bytes.readableBytes) bytes")
      written.append(contentsOf: bytes.readableBytesView)
    }
    promise?.succeed()
    guard isFull, bytes.readableBytes > 0 else { return }
    isFull = false
    channel.isWritable = false
    context.fireChannelWritabilityChanged()
  }

  func flush(context: ChannelHandlerContext) {}

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    guard mode == .output else { return context.close(mode: mode, promise: promise) }
    precondition(!isOutputClosed, "the output is closed twice")
    isOutputClosed = true
    promise?.succeed()
  }
}

/// A server's connection behind its front door, on a channel whose bytes and time are the fuzzer's.
final class DoorConnection: HTTPConnectionDelegate {
  private let loop = EmbeddedEventLoop()
  private let channel: EmbeddedChannel
  private let socket: DoorSocket
  private let connection: HTTP1Connection
  private let configuration: HTTP1Configuration
  private let ledger = ConnectionLedger()
  /// What has to be asked before the channel is gone, with whom the loop keeps it.
  private final class Closings { var connection = 0, door = 0, http2 = 0 }
  private let closings = Closings()

  private(set) var calls: [DoorCall] = []
  /// For calls that begin from now on.
  var behaviour = DoorBehaviour.answersEnd
  var style = DoorHead.plain
  var consumes = true
  /// The channel was closed by this end of it, by an error, or by the clock: calls may go without an answer.
  private(set) var isCut = false

  /// - Parameter sharesTurns: The connection deals with what it reads in the turns of its loop, as those of a server do.
  init(_ configuration: HTTP1Configuration, sharesTurns: Bool) throws {
    self.configuration = configuration
    channel = EmbeddedChannel(loop: loop)
    socket = DoorSocket(channel)
    let closings = closings
    connection = HTTP1Connection(
      configuration, isEncrypted: false, ledger: ledger, turn: sharesTurns ? LoopTurn(loop) : nil, now: loop.now
    ) { _ in closings.connection += 1 }
    try channel.pipeline.syncOperations.addHandler(socket)
    try channel.pipeline.syncOperations.addHandler(
      FrontDoor(awaitsTLS: false) { [channel, connection] version in
        if version == .http1 { try connection.addHandlers(to: channel) } else { closings.http2 += 1 }
      } closed: { _ in
        closings.door += 1
      })
    connection.delegate = self
    channel.connect(to: try SocketAddress(unixDomainSocketPath: "/fuzz"), promise: nil)
    loop.run()
  }

  // MARK: From the connection

  func makeReceiver(for exchange: any HTTPExchange) -> (any HTTPExchangeReceiver)? {
    precondition(connection.fault == nil, "a request behind a fault")
    precondition(calls.last?.isOpen != true, "a request before the end of the one before")
    precondition(!socket.isOutputClosed && closings.connection == 0, "a request behind the end")
    guard behaviour != .isRefused, let exchange = exchange as? any ServerExchange else { return nil }
    let call = DoorCall(
      calls.count, exchange, behaviour, style, window: configuration.bodyWindow, consumes: consumes)
    calls.append(call)
    return call
  }

  func streamClosed() { precondition(open == nil, "a call was not told of its end") }

  func drained() {}

  // MARK: What happens

  var open: DoorCall? { calls.last.flatMap { $0.isOpen ? $0 : nil } }
  var fault: HTTP1Fault? { connection.fault }
  /// It goes by another protocol than HTTP/1.1, or by none.
  var isElsewhere: Bool { closings.http2 > 0 || closings.door > 0 }
  /// Nothing is read any more for the requests that it may have.
  var isEnding: Bool { fault != nil || socket.isOutputClosed || !channel.isActive || isElsewhere }
  var written: [UInt8] { socket.written }

  /// What the connection has last said of reading.
  var reads: Bool {
    guard channel.isActive else { return false }
    return channel.options.last { $0.option is ChannelOptions.Types.AutoReadOption }?.value as? Bool ?? true
  }

  /// Bytes of the client come, in one read.
  ///
  /// - Parameter goesOn: Another read follows at once.
  func receive(_ bytes: ArraySlice<UInt8>, goesOn: Bool = false) {
    guard channel.isActive, !bytes.isEmpty else { return }
    let held = open.flatMap { isHeld($0) ? $0 : nil }
    channel.pipeline.fireChannelRead(ByteBuffer(bytes: bytes))
    guard !goesOn else { return }
    complete()
    if let held, held.isOpen, isHeld(held) { precondition(!reads || isEnding, "it reads on though there is no room") }
  }

  /// Nothing that comes is of use before the answer is out, or before the call has consumed something.
  private func isHeld(_ call: DoorCall) -> Bool {
    call.hasEnd || call.unconsumed == configuration.bodyWindow && !call.isFinished
  }

  func complete() {
    channel.pipeline.fireChannelReadComplete()
    loop.run()
  }

  func run() { loop.run() }

  func wait(_ time: TimeAmount) { loop.advanceTime(by: time) }

  func setWritable(_ isWritable: Bool) {
    if isWritable { socket.isFull = false }
    // What nothing was written to has room.
    guard channel.isActive, channel.isWritable != isWritable, isWritable || !written.isEmpty else { return }
    channel.isWritable = isWritable
    channel.pipeline.fireChannelWritabilityChanged()
    loop.run()
  }

  /// The channel takes no more behind the next write.
  func fill() { socket.isFull = true }

  func beginShutdown() {
    connection.beginShutdown()
    loop.run()
  }

  func trim() { connection.trim() }

  func fail() {
    guard channel.isActive else { return }
    isCut = true
    channel.pipeline.fireErrorCaught(ChannelError.inputClosed)
    loop.run()
  }

  func close() {
    guard channel.isActive else { return }
    isCut = true
    channel.close(promise: nil)
    loop.run()
  }

  /// Has a call say and take what it has not.
  func finish(_ call: DoorCall) {
    call.answer()
    call.giveUp()
    call.consume(call.unconsumed)
    loop.run()
    // It may wait a little for the rest of the request.
    if call.isOpen { wait(.milliseconds(50)) }
    precondition(!call.isOpen, "a call that was answered is not over")
  }

  // MARK: The end

  /// Holds the connection to what has to be true when nothing more can come of what was received.
  func checkAnswers() {
    precondition(open == nil || isCut, "a call that was answered is not over")
    precondition(isCut || connection.outboundCount == 0, "bytes are left")
    // Of a request with the method PRI the decoder makes nothing.
    precondition(
      fault?.reason != "The request ends where it should not" || calls.last?.code ?? 0 == 0,
      "the guards and the decoder do not agree")
    let answers = DoorAnswers(written) { calls.count > $0 && calls[$0].method == "HEAD" }.list
    let finals = answers.filter { !$0.isInterim }
    for (place, answer) in finals.enumerated() {
      guard let number = answer.call else {
        // The connection's own: it may be in the place of the last call's, or behind it.
        precondition(place == finals.count - 1 && answer.status >= 400 && answer.closes, "an answer of no call")
        precondition(place + 1 >= calls.count, "a call has no answer")
        continue
      }
      precondition(number == place && number < calls.count, "the answers are not in the order of the requests")
      check(answer, of: calls[number])
    }
    for (place, call) in calls.enumerated() where place >= finals.count {
      precondition(isCut || call.code != 0, "a call that has ended well has no answer")
    }
    for call in calls { precondition(!call.isReset || call.code != 0, "a call that was given up has ended well") }
    for call in calls.dropLast() { precondition(call.code == 0, "a request behind one that was given up") }
  }

  private func check(_ answer: DoorAnswer, of call: DoorCall) {
    precondition(answer.status == call.status, "another status than the call's")
    precondition(answer.isComplete || isCut || call.code != 0, "an answer of a call that has ended well is cut off")
    if answer.framing != .none {
      precondition(call.sent.starts(with: answer.body), "another body than the call's")
      if answer.isComplete, answer.framing != .close {
        precondition(
          call.isFinished && answer.body.count == call.sent.count, "an answer ends before the call has ended it")
      }
    }
    // Without chunks there is no room behind the body: what is not known with the head is not said.
    guard answer.isComplete, answer.framing == .chunked else { return }
    precondition(answer.trailers == call.trailers, "other trailers than the call's")
  }

  /// The channel goes, and with it everything.
  func end() {
    loop.run()
    close()
    // A timer of the shutdown has a second.
    loop.advanceTime(by: .seconds(2))
    precondition(open == nil && connection.exchange == nil, "an exchange is left")
    precondition(connection.outboundCount == 0 && ledger.received == 0, "bytes are left")
    precondition(closings.connection <= 1 && closings.door <= 1, "an end is told twice")
    precondition(closings.connection + closings.door + closings.http2 >= 1, "nobody was told of the end")
    // The loop stops the process when it goes with a timer.
  }
}
