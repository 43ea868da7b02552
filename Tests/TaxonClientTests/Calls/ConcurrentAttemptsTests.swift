// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import NIOEmbedded
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonResilience
import TaxonTransport
import Testing

@testable import TaxonClient

/// Two attempts of one call that are under way at once, as a policy that hedges makes them.
@Suite struct ConcurrentAttemptsTests {
  private typealias Message = Google_Protobuf_BytesValue
  private typealias Unary = UnaryAttempt<Message, Message, RPCError>
  private typealias Streaming = StreamingCall<Message, Message, RPCError>

  private let loop = EmbeddedEventLoop()
  private let servers = ScriptedServers()
  private let plan = CallPlan(path: "/a/B", isIdempotent: true, options: CallOptions(), deadline: nil)

  private func makeChannel(
    _ target: String = "ipv4:10.0.0.1:443", _ balancing: TaxonClient.Channel.Balancing = .pickFirst,
    breaker: CircuitBreaker.Settings? = nil
  ) throws -> TaxonClient.Channel {
    loop.advanceTime(by: .hours(1))
    var configuration = TaxonClient.Channel.Configuration(policy: CallPolicy(retry: .none, breaker: breaker))
    configuration.balancing = balancing
    configuration.clock = LoopClock(loop: loop)
    configuration.logger = Logger(label: "attempts") { _ in SwiftLogNoOpLogHandler() }
    let channel = try TaxonClient.Channel(Target(target), configuration, dialer: servers, eventLoop: loop)
    channel.connect()
    loop.run()
    return channel
  }

  private func close(_ channel: TaxonClient.Channel) {
    channel.shutDown()
    loop.run()
    servers.close()
  }

  private func unary(_ channel: TaxonClient.Channel) -> Unary {
    Unary(plan, Message(value: Array("request".utf8)), on: channel.engine.dispatcher)
  }

  /// Makes an attempt in a task, which the loop runs. True in the box: the attempt is over, or has begun to succeed.
  private func perform(_ attempt: Attempt, on channel: TaxonClient.Channel) -> (task: Task<Void, Never>, Locked<Bool>) {
    let isDone = Locked(false)
    let task = Task(executorPreference: LoopExecutor(loop)) {
      await channel.engine.perform(attempt)
      isDone.withLock { $0 = true }
    }
    loop.run()
    return (task, isDone)
  }

  @Test func theOneThatIsAnsweredSucceedsAndTheOtherIsCancelled() throws {
    let channel = try makeChannel()
    let (slow, quick) = (unary(channel), unary(channel))
    let (slowTask, slowIsDone) = perform(slow, on: channel)
    let (_, quickIsDone) = perform(quick, on: channel)
    let server = servers.connections[0]
    #expect(server.streams == [1, 3])
    server.answer(3, "quick")
    #expect(quickIsDone.withLock { $0 } && !slowIsDone.withLock { $0 } && !slow.isOver)
    slowTask.cancel()
    loop.run()
    #expect(slowIsDone.withLock { $0 } && slow.error?.status == .cancelled)
    #expect(server.resets == [1: Int(HTTP2ErrorCode.cancel.rawValue)])
    #expect(quick.error == nil && String(decoding: quick.takeResponse().value, as: UTF8.self) == "quick")
    close(channel)
  }

  @Test func eachHasAPermitOfItsOwnAndGivesItBack() throws {
    let channel = try makeChannel(
      breaker: .init(failureThreshold: 1, openDuration: .seconds(60), halfOpenPermits: 2))
    let breaker = try #require(channel.breaker)
    try breaker.acquire().settle(.failure)
    loop.advanceTime(by: .seconds(60))
    // Two probes may be under way.
    let (first, second) = (unary(channel), unary(channel))
    let (firstTask, _) = perform(first, on: channel)
    _ = perform(second, on: channel)
    let server = servers.connections[0]
    #expect(server.streams == [1, 3] && breaker.state == .halfOpen)
    let third = unary(channel)
    _ = perform(third, on: channel)
    #expect(third.error?.as(ConnectionError.CircuitOpen.self)?.endpoint == "ipv4:10.0.0.1:443")
    // A cancelled one says nothing of the server, and makes room.
    firstTask.cancel()
    loop.run()
    #expect(first.error?.status == .cancelled && breaker.state == .halfOpen)
    let fourth = unary(channel)
    let (fourthTask, _) = perform(fourth, on: channel)
    #expect(server.streams == [1, 3, 5] && !fourth.isOver)
    server.answer(3, "second")
    #expect(second.error == nil && breaker.state == .closed)
    fourthTask.cancel()
    loop.run()
    #expect(fourth.error?.status == .cancelled && breaker.state == .closed)
    close(channel)
  }

  @Test func eachHasTheBreakerOfItsServer() throws {
    let channel = try makeChannel("ipv4:10.0.0.1:443,10.0.0.2:443", .roundRobin, breaker: .init(failureThreshold: 1))
    let (first, second) = (unary(channel), unary(channel))
    _ = perform(first, on: channel)
    _ = perform(second, on: channel)
    #expect(servers.connections.map(\.streams) == [[1], [1]])
    servers.connections[0].fail(1, .unavailable)
    #expect(first.error?.status == .unavailable && !second.isOver)
    servers.connections[1].answer(1, "second")
    #expect(second.error == nil)
    // The next two go past the server that has failed.
    let next = [unary(channel), unary(channel)]
    for attempt in next { _ = perform(attempt, on: channel) }
    #expect(servers.connections.map(\.streams) == [[1], [1, 3, 5]])
    close(channel)
  }

  @Test func aPolicyTakesTheFirstAnswerAndGivesUpTheOther() throws {
    let channel = try makeChannel()
    let attempts = [unary(channel), unary(channel)]
    let winner = Locked<Int?>(nil)
    let engine = channel.engine
    Task(executorPreference: LoopExecutor(loop)) {
      await withTaskGroup(of: Int.self) { group in
        for (index, attempt) in attempts.enumerated() {
          group.addTask {
            await engine.perform(attempt)
            return index
          }
        }
        let first = await group.next()
        group.cancelAll()
        winner.withLock { $0 = first }
      }
    }
    loop.run()
    #expect(servers.connections[0].streams == [1, 3])
    servers.connections[0].answer(3, "second")
    #expect(winner.withLock { $0 } == 1 && attempts[0].error?.status == .cancelled && attempts[1].error == nil)
    #expect(servers.connections[0].resets.keys.sorted() == [1])
    close(channel)
  }

  // MARK: Calls that stream

  private let request = Message(value: Array("request".utf8))

  private func streaming(_ channel: TaxonClient.Channel, _ ends: Locked<[CallEnd]>) -> Streaming {
    StreamingCall(
      sendsManyMessages: false, takesManyMessages: true, compression: nil, intercepted: nil, head: ResponseHead(),
      on: channel.engine
    ) { end in ends.withLock { $0.append(end) } }
  }

  /// Reads in a task until the end.
  private func read(_ call: Streaming) -> Locked<[String]> {
    let read = Locked<[String]>([])
    Task(executorPreference: LoopExecutor(loop)) {
      while let message = try? await call.inbound.next() {
        read.withLock { $0.append(String(decoding: message.content.value, as: UTF8.self)) }
      }
    }
    loop.run()
    return read
  }

  @Test func theFirstThatIsAnsweredCarriesAStreamAndTheOthersEndChangesNothing() throws {
    let channel = try makeChannel()
    let ends = Locked<[CallEnd]>([])
    let call = streaming(channel, ends)
    let (slow, quick) = (
      call.makeAttempt(plan, request, wasRefused: false), call.makeAttempt(plan, request, wasRefused: false)
    )
    let (slowTask, _) = perform(slow, on: channel)
    let (_, quickIsDone) = perform(quick, on: channel)
    let server = servers.connections[0]
    for stream in [1, 3] { server.sendHead(stream) }
    server.sendMessage(3, "first")
    #expect(quickIsDone.withLock { $0 } && !quick.isOver && !slow.isOver)
    slowTask.cancel()
    loop.run()
    #expect(slow.error?.status == .cancelled && server.resets == [1: Int(HTTP2ErrorCode.cancel.rawValue)])
    #expect(ends.withLock { $0.isEmpty })
    let messages = read(call)
    // More than the window: what is read opens that of the stream that carries the call.
    for _ in 0..<20 { server.sendMessage(3, String(repeating: "x", count: 16_000)) }
    server.sendEnd(3)
    #expect(messages.withLock { $0.map(\.count) } == [5] + [Int](repeating: 16_000, count: 20))
    #expect(ends.withLock { $0.map { $0.error == nil } } == [true])
    close(channel)
  }

  @Test func messagesOfTheOtherAttemptAreNotHandedOut() throws {
    let channel = try makeChannel()
    let ends = Locked<[CallEnd]>([])
    let call = streaming(channel, ends)
    let (quick, late) = (
      call.makeAttempt(plan, request, wasRefused: false), call.makeAttempt(plan, request, wasRefused: false)
    )
    for attempt in [quick, late] { _ = perform(attempt, on: channel) }
    let server = servers.connections[0]
    for stream in [1, 3] { server.sendHead(stream) }
    server.sendMessage(1, "quick")
    server.sendMessage(3, "late")
    #expect(late.error?.status == .cancelled && server.resets.keys.sorted() == [3])
    let messages = read(call)
    server.sendMessage(1, "second")
    server.sendEnd(1)
    #expect(messages.withLock { $0 } == ["quick", "second"])
    #expect(ends.withLock { $0.map { $0.error == nil } } == [true])
    close(channel)
  }

  @Test func anAttemptWhoseFirstMessageIsMalformedCarriesNothing() throws {
    let channel = try makeChannel()
    let ends = Locked<[CallEnd]>([])
    let call = streaming(channel, ends)
    let (bad, good) = (
      call.makeAttempt(plan, request, wasRefused: false), call.makeAttempt(plan, request, wasRefused: false)
    )
    for attempt in [bad, good] { _ = perform(attempt, on: channel) }
    let server = servers.connections[0]
    for stream in [1, 3] { server.sendHead(stream) }
    server.send(FrameBytes.data(1, FrameBytes.message([0xFF])))
    #expect(bad.error?.status == .internalError && !good.isOver && ends.withLock { $0.isEmpty })
    server.sendMessage(3, "good")
    server.sendEnd(3)
    #expect(read(call).withLock { $0 } == ["good"] && ends.withLock { $0.map { $0.error == nil } } == [true])
    close(channel)
  }

  @Test func aStreamThatIsCancelledEndsWithTheAttemptThatCarriesIt() throws {
    let channel = try makeChannel()
    let ends = Locked<[CallEnd]>([])
    let call = streaming(channel, ends)
    let (first, second) = (
      call.makeAttempt(plan, request, wasRefused: false), call.makeAttempt(plan, request, wasRefused: false)
    )
    for attempt in [first, second] { _ = perform(attempt, on: channel) }
    let server = servers.connections[0]
    server.sendHead(1)
    server.sendMessage(1, "first")
    // The other one fails meanwhile.
    server.fail(3, .unavailable)
    #expect(second.error?.status == .unavailable && ends.withLock { $0.isEmpty })
    call.cancel()
    loop.run()
    #expect(first.isOver && server.resets.keys.sorted() == [1])
    #expect(ends.withLock { $0.map { $0.error?.status } } == [.cancelled])
    close(channel)
  }
}
