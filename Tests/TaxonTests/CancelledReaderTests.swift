// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonFixtures
import Testing

/// Calls whose task is cancelled, while what `cancel()` is called on is still held.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct CancelledReaderTests {
  private typealias Text = TextService.Text
  private typealias Responses = ResponseStream<Text, ConnectionError>

  /// Answers nothing, or without end, until it is cancelled, and says so.
  private struct EndlessService: RPCService {
    static let serviceName = "test.Endless"
    static func method(_ kind: Kind) -> TextService.Method {
      TextService.Method(service: serviceName, method: kind.rawValue, idempotency: .noSideEffects)
    }

    let started = Signal()
    let cancelled = Signal()
    var answersWithoutEnd = false

    private func go(_ responses: ResponseWriter<Text, ConnectionError>?) async throws(ConnectionError) {
      started.send()
      do throws(ConnectionError) {
        while answersWithoutEnd, let responses { try await responses.write(Text(value: "more")) }
      } catch {
        cancelled.send()
        throw error
      }
      await withTaskCancellationHandler {
        await cancelled.wait()
      } onCancel: {
        cancelled.send()
      }
    }

    func register(in registry: inout ServiceRegistry) {
      registry.add(Self.method(.unary)) { request, _ async throws(ConnectionError) in
        try await go(nil)
        return request
      }
      registry.add(serverStreaming: Self.method(.serverStreaming)) { _, responses, _ async throws(ConnectionError) in
        try await go(responses)
      }
      registry.add(clientStreaming: Self.method(.clientStreaming)) { _, _ async throws(ConnectionError) in
        try await go(nil)
        return Text()
      }
      registry.add(bidirectional: Self.method(.bidirectional)) { _, responses, _ async throws(ConnectionError) in
        try await go(responses)
      }
    }
  }

  /// A call that is begun, or will begin with the first read: what it is held by, and what reads its next message.
  private func call(_ kind: Kind, on channel: Channel) -> (held: any Sendable, next: @Sendable () async throws -> Text?)
  {
    let method = EndlessService.method(kind)
    let options = CallOptions()
    switch kind {
    case .unary: return (channel, { try await channel.unary(method, Text(), options: options) })
    case .serverStreaming:
      let stream = channel.serverStreaming(method, Text(), options: options)
      return (stream, { try await Self.next(stream) })
    case .clientStreaming:
      let call = channel.clientStreaming(method, options: options)
      return (call, { try await call.response() })
    case .bidirectional:
      let call = channel.bidirectional(method, options: options)
      return (call, { try await Self.next(call.responses) })
    }
  }

  private static func next(_ stream: Responses) async throws -> Text? {
    var iterator = stream.makeAsyncIterator()
    return try await iterator.next()
  }

  @Test(arguments: Kind.allCases) func aReaderThatWaitsIsCancelledAndTheServerIsTold(_ kind: Kind) async throws {
    let service = EndlessService()
    try await withChannel(to: [service]) { channel, _ async throws in
      let (held, next) = call(kind, on: channel)
      let reading = Task { try await next() }
      await service.started.wait()
      reading.cancel()
      let error = await #expect(throws: ConnectionError.self) { try await reading.value }
      #expect(error?.status == .cancelled)
      await service.cancelled.wait()
      withExtendedLifetime(held) {}
    }
  }

  @Test(arguments: [Kind.serverStreaming, .bidirectional])
  func aReaderThatNeverHasToWaitIsCancelledToo(_ kind: Kind) async throws {
    var service = EndlessService()
    service.answersWithoutEnd = true
    try await withChannel(to: [service]) { [service] channel, _ async throws in
      let (held, next) = call(kind, on: channel)
      let reading = Task {
        for _ in 0..<100 { #expect(try await next()?.value == "more") }
        withUnsafeCurrentTask { $0?.cancel() }
        return try await next()
      }
      let error = await #expect(throws: ConnectionError.self) { try await reading.value }
      #expect(error?.status == .cancelled)
      await service.cancelled.wait()
      withExtendedLifetime(held) {}
    }
  }

  @Test func aTaskThatIsCancelledBeginsNoCall() async throws {
    let service = EndlessService()
    try await withChannel(to: [service]) { channel, _ async throws in
      let (_, next) = call(.serverStreaming, on: channel)
      let reading = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return try await next()
      }
      let error = await #expect(throws: ConnectionError.self) { try await reading.value }
      #expect(error?.status == .cancelled)
      #expect(channel.state == .idle)
    }
  }

  /// Writing may be another task's than reading, and ends alone.
  @Test func aWriterThatIsCancelledLeavesTheCallToItsReader() async throws {
    let mayRead = Signal()
    try await withChannel(to: [CountingService(mayRead: mayRead)]) { channel, _ async throws in
      let call = channel.clientStreaming(CountingService.method, options: CallOptions())
      let message = Text(value: String(repeating: "x", count: 32 * 1024))
      let written = Locked(0)
      let writing = Task {
        // Until nothing more is taken, which is when it notices.
        while true {
          try await call.write(message)
          written.withLock { $0 += 1 }
        }
      }
      writing.cancel()
      let error = await #expect(throws: ConnectionError.self) { try await writing.value }
      #expect(error?.status == .cancelled)
      mayRead.send()
      let count = try #require(Int(try await call.response().value))
      // The message whose writer had to wait is on its way.
      #expect((0...1).contains(count - written.withLock { $0 }))
    }
  }

  /// Counts messages once it may read them.
  private struct CountingService: RPCService {
    static let serviceName = "test.Counting"
    static let method = TextService.Method(service: serviceName, method: "Count")
    let mayRead: Signal

    func register(in registry: inout ServiceRegistry) {
      registry.add(clientStreaming: Self.method) { requests, _ async throws(ConnectionError) in
        await mayRead.wait()
        var count = 0
        for try await _ in requests { count += 1 }
        return Text(value: "\(count)")
      }
    }
  }
}
