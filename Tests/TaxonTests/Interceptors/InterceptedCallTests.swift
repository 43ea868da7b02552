// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonFixtures
import TaxonTransport
import Testing

/// What a client's interceptors learn of a call's attempts, and that they see its end, however it ends.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct InterceptedCallTests {
  /// Writes down what happens to calls.
  private final class Watching: ClientInterceptor {
    private struct State {
      var lines: [String] = []
      var peers: [String] = []
      var starts = 0
      var ends: [String] = []
    }

    /// Each call that has ended.
    let ended = Tally()
    private let state = Locked(State())

    var lines: [String] { state.withLock { $0.lines } }
    var peers: [String] { state.withLock { $0.peers } }
    var starts: Int { state.withLock { $0.starts } }
    var ends: [String] { state.withLock { $0.ends } }

    private func see(_ line: String) { state.withLock { $0.lines.append(line) } }

    func intercept(_ call: ClientContext, next: () async throws -> Void) async throws {
      defer { ended.add() }
      state.withLock { $0.starts += 1 }
      call.onAttempt { [self] event in
        switch event {
        case .began(let attempt, let peer):
          see("\(attempt) began")
          state.withLock { $0.peers.append(peer) }
        case .ended(let attempt, let error): see("\(attempt) ended: \(error?.code ?? "OK")")
        case .decided(let attempt, let decision):
          if case .retry(_, let reason) = decision {
            see("\(attempt) retries: \(reason)")
          } else {
            see("\(attempt) stops")
          }
        }
      }
      do {
        try await next()
        state.withLock { $0.ends.append("OK") }
      } catch {
        state.withLock { $0.ends.append((error as? any TaxonomyError)?.code ?? "\(error)") }
        throw error
      }
    }

    func sending(_ message: inout any Message, of call: ClientContext) throws { see("sends") }
    func receiving(_ message: inout any Message, of call: ClientContext) throws { see("receives") }
  }

  /// Refuses the first calls on the server's side, before a message is written.
  private final class Refusing: ServerInterceptor {
    private let count: Int
    private let attempts = Locked(0)

    init(_ count: Int) { self.count = count }

    func intercept(_ call: ServerContext, next: () async throws -> Void) async throws {
      let attempt = attempts.withLock { count in
        count += 1
        return count
      }
      call.trailingMetadata = ["x-attempt": "\(attempt)"]
      if attempt <= count { throw ConnectionError.callRefused(endpoint: "attempt \(attempt)", reason: "full") }
      try await next()
    }
  }

  private static let retrying = CallPolicy(
    retry: RetryPolicy(maxRetries: 2, backoff: Backoff(base: .milliseconds(1))), breaker: nil)

  private func withService(
    _ interceptors: [any ClientInterceptor], _ policy: CallPolicy = .none, refusing count: Int = 0,
    _ test: (Channel) async throws -> Void
  ) async throws {
    let client = quietly(policy) { $0.interceptors = interceptors }
    try await withChannel(
      to: [KindsService()], configure: { $0.interceptors = [Refusing(count)] }, client: client
    ) { channel, _ async throws in try await test(channel) }
  }

  // MARK: Attempts

  @Test(arguments: [Kind.unary, .serverStreaming])
  func attemptsAreTold(_ kind: Kind) async throws {
    let watching = Watching()
    try await withService([watching], Self.retrying, refusing: 2) { channel async throws in
      let trailing = Locked<String?>(nil)
      let options = CallOptions { _, last in trailing.withLock { $0 = last["x-attempt"] } }
      #expect(try await channel.call(kind, options: options) == kind.responses)
      #expect(trailing.withLock { $0 } == "3")
    }
    // A message is sent once, however many attempts there are.
    let lines = watching.lines.filter { $0 != "receives" }
    #expect(
      lines == [
        "sends", "1 began", "1 ended: CALL_REFUSED", "1 retries: backoff", "2 began", "2 ended: CALL_REFUSED",
        "2 retries: backoff", "3 began", "3 ended: OK",
      ])
    #expect(watching.ends == ["OK"])
  }

  @Test(arguments: [Kind.unary, .serverStreaming])
  func theLastAttemptIsTheOutcomeWhenRetriesAreUsedUp(_ kind: Kind) async throws {
    let watching = Watching()
    try await withService([watching], Self.retrying, refusing: 3) { channel async throws in
      let error = await #expect(throws: ConnectionError.self) { try await channel.call(kind) }
      #expect(error?.as(ConnectionError.CallRefused.self)?.endpoint == "attempt 3")
    }
    #expect(watching.lines.suffix(3) == ["3 began", "3 ended: CALL_REFUSED", "3 stops"])
    #expect(watching.starts == 1 && watching.ends == ["CALL_REFUSED"])
  }

  private struct Rejecting: ClientInterceptor {
    func receiving(_ message: inout any Message, of call: ClientContext) throws {
      throw ConnectionError.callRefused(endpoint: "client", reason: "not as it should be")
    }
  }

  @Test(arguments: Kind.allCases) func anAnswerThatAnInterceptorRefusesIsNotAskedForAgain(_ kind: Kind) async throws {
    let watching = Watching()
    let policy = CallPolicy(retry: Self.retrying.retry, breaker: .init(failureThreshold: 1))
    try await withService([watching, Rejecting()], policy) { channel async throws in
      let error = await #expect(throws: ConnectionError.self) { try await channel.call(kind) }
      #expect(error?.as(ConnectionError.CallRefused.self)?.endpoint == "client")
      // It is no failure of the server's.
      #expect(channel.breaker?.state == .closed)
    }
    #expect(watching.lines.filter { $0.hasSuffix("began") } == ["1 began"])
    #expect(watching.ends == ["CALL_REFUSED"])
  }

  @Test(arguments: Kind.allCases) func aRefusedAttemptIsTold(_ kind: Kind) async throws {
    let watching = Watching()
    let server = try await WireServer { stream, event in
      if stream.number == 1 {
        if event == .head { stream.goAwayBelow() }
      } else if event == .end {
        stream.message("done")
        stream.end()
      }
    }
    let channel = try watched(
      Channel("127.0.0.1:\(server.port)", configuration: quietly { $0.interceptors = [watching] }))
    #expect(try await channel.call(kind) == ["done"])
    channel.shutDown()
    await server.close()
    let lines = watching.lines.filter { !$0.hasSuffix("s") && !$0.hasPrefix("1 ended") }
    #expect(lines == ["1 began", "1 retries: transparent", "2 began", "2 ended: OK"])
    #expect(watching.lines.filter { $0 == "sends" }.count == kind.requests.count)
  }

  @Test(arguments: Kind.allCases) func anOpenBreakerEndsTheCallWithoutAConnection(_ kind: Kind) async throws {
    let watching = Watching()
    try await withService([watching], CallPolicy(retry: .none, breaker: .init(failureThreshold: 1))) {
      channel async throws in
      let breaker = try #require(channel.breaker)
      try breaker.acquire().settle(throwing: ConnectionError.callRefused(endpoint: "test", reason: "full"))
      try #require(breaker.state != .closed)
      let error = await #expect(throws: ConnectionError.self) { try await channel.call(kind) }
      #expect(error?.as(ConnectionError.CircuitOpen.self) != nil)
    }
    #expect(watching.lines.contains("1 ended: CIRCUIT_OPEN") && !watching.lines.contains("1 began"))
    #expect(watching.ends == ["CIRCUIT_OPEN"])
  }

  private struct Denying: ClientInterceptor {
    func intercept(_ call: ClientContext, next: () async throws -> Void) async throws {
      throw RPCError(.permissionDenied, "no token")
    }
  }

  @Test(arguments: Kind.allCases)
  func whatAnInterceptorThrowsIsAnOutcomeOfItsCallAndNotPassedOn(_ kind: Kind) async throws {
    let inner = try watched(Channel("ipv4:127.0.0.1:1", configuration: quietly { $0.interceptors = [Denying()] }))
    let denied = await #expect(throws: ConnectionError.self) { try await inner.call(kind) }
    #expect(denied?.status == .permissionDenied)
    try await withServer { _, _ in
      try await inner.call(kind).joined()
    } test: { target, _ in
      let channel = try watched(Channel(target, configuration: quietly()))
      #expect(await channel.failure()?.status == .internalError)
      channel.shutDown()
    }
    inner.shutDown()
  }

  // MARK: The peer

  private struct Asking: ClientInterceptor {
    let answers: Locked<[String]>

    func intercept(_ call: ClientContext, next: () async throws -> Void) async throws {
      #expect(call.peer.isEmpty && call.peerCertificate == nil && !call.isEncrypted && call.deadline == nil)
      try await next()
      answers.withLock { $0 = [call.peer, call.peerCertificate?.commonName ?? "", "\(call.isEncrypted)"] }
    }
  }

  @Test(arguments: Transport.allCases) func thePeerIsKnown(_ transport: Transport) async throws {
    let answers = Locked<[String]>([])
    try await transport.withChannel(quietly { $0.interceptors = [Asking(answers: answers)] }) { text, _ in
      text
    } test: { channel, server async throws in
      #expect(try await channel.text("x") == "x")
      let port = server.port ?? 0
      let seen = answers.withLock { $0 }
      switch transport {
      case .inMemory: #expect(seen == ["unix:", "", "false"])
      case .tcp: #expect(seen == ["ipv4:127.0.0.1:\(port)", "", "false"])
      case .unix: #expect(seen == [channel.target.description, "", "false"])
      case .tls: #expect(seen == ["ipv4:127.0.0.1:\(port)", "server", "true"])
      }
    }
  }

  // MARK: The end

  /// How a call is ended before its server does.
  enum Ending: CaseIterable, Sendable {
    case deadline, cancelledTask, cancelledCall, letGo

    var code: String { self == .deadline ? "DEADLINE_EXCEEDED" : "CANCELLED" }
  }

  /// Answers nothing until it is cancelled.
  private struct SilentService: RPCService {
    static let serviceName = KindsService.serviceName
    let started: Tally

    private func wait() async {
      started.add()
      await untilCancelled()
    }

    func register(in registry: inout ServiceRegistry) {
      registry.add(Kind.unary.method) { request, _ async throws(ConnectionError) in
        await wait()
        return request
      }
      registry.add(serverStreaming: Kind.serverStreaming.method) { _, _, _ async throws(ConnectionError) in await wait()
      }
      registry.add(clientStreaming: Kind.clientStreaming.method) { _, _ async throws(ConnectionError) in
        await wait()
        return TextService.Text()
      }
      registry.add(bidirectional: Kind.bidirectional.method) { _, _, _ async throws(ConnectionError) in await wait() }
    }
  }

  @Test(arguments: Kind.allCases, Ending.allCases)
  func anEndIsTiedToItsBeginning(_ kind: Kind, _ ending: Ending) async throws {
    // Nobody holds a unary call, and its only `cancel` is the task's.
    if kind == .unary, ending == .cancelledCall || ending == .letGo { return }
    let watching = Watching()
    let service = SilentService(started: Tally())
    let client = quietly { $0.interceptors = [watching] }
    try await withChannel(to: [service], client: client) { channel, _ async throws in
      let options = CallOptions(timeout: ending == .deadline ? .milliseconds(50) : nil)
      switch ending {
      case .deadline:
        let error = await #expect(throws: ConnectionError.self) { try await channel.call(kind, options: options) }
        #expect(error?.code == "DEADLINE_EXCEEDED")
      case .cancelledTask:
        let task = Task { try await channel.call(kind, options: options) }
        await service.started.reaches(1)
        task.cancel()
        let error = await #expect(throws: ConnectionError.self) { try await task.value }
        #expect(error?.status == .cancelled)
      case .cancelledCall, .letGo:
        let isLetGo = ending == .letGo
        switch kind {
        case .serverStreaming:
          let stream = channel.serverStreaming(kind.method, TextService.Text(), options: options)
          // Asking for the head begins the call, and does not end it.
          let asking = Task { try? await stream.initialMetadata }
          await service.started.reaches(1)
          asking.cancel()
          _ = await asking.value
          if !isLetGo { stream.cancel() }
        case .clientStreaming:
          let call = channel.clientStreaming(kind.method, options: options)
          await service.started.reaches(1)
          if !isLetGo { call.cancel() }
        case .bidirectional, .unary:
          let call = channel.bidirectional(kind.method, options: options)
          await service.started.reaches(1)
          if !isLetGo { call.cancel() }
        }
      }
      await watching.ended.reaches(1)
    }
    #expect(watching.starts == 1 && watching.ends == [ending.code])
    #expect(watching.lines.filter { $0.contains("ended") } == ["1 ended: \(ending.code)"])
  }

  /// Calls `next` when it is told to.
  private struct Waiting: ClientInterceptor {
    let reached: Signal
    let goesOn: Signal
    var code: Locked<String?> = Locked(nil)

    func intercept(_ call: ClientContext, next: () async throws -> Void) async throws {
      reached.send()
      await goesOn.wait()
      call.metadata.add("x-name", "Ada")
      do { try await next() } catch {
        code.withLock { $0 = (error as? any TaxonomyError)?.code }
        throw error
      }
    }
  }

  @Test func aWriteWaitsUntilTheInterceptorsHaveCalledNext() async throws {
    let waiting = Waiting(reached: Signal(), goesOn: Signal())
    let watching = Watching()
    try await withService([waiting, watching]) { channel async throws in
      let call = channel.bidirectional(Kind.bidirectional.method, options: CallOptions())
      await waiting.reached.wait()
      let cancelled = Task { try await call.write(TextService.Text(value: "none")) }
      cancelled.cancel()
      let error = await #expect(throws: ConnectionError.self) { try await cancelled.value }
      #expect(error?.status == .cancelled)
      let writing = Task { try await call.write(TextService.Text(value: "one")) }
      #expect(watching.lines.isEmpty)
      waiting.goesOn.send()
      try await writing.value
      call.finish()
      var answers: [String] = []
      for try await answer in call.responses { answers.append(answer.value) }
      #expect(answers == ["ONE"])
    }
    #expect(watching.lines.filter { $0 == "sends" }.count == 1)
  }

  @Test(arguments: Kind.allCases) func ACallThatIsCancelledBeforeNextIsNotSent(_ kind: Kind) async throws {
    let waiting = Waiting(reached: Signal(), goesOn: Signal())
    let watching = Watching()
    try await withService([watching, waiting]) { channel async throws in
      let task = Task { try await channel.call(kind) }
      await waiting.reached.wait()
      task.cancel()
      if kind == .unary { waiting.goesOn.send() }
      // Who reads a stream does not wait for its interceptors; they learn of it when they call `next`.
      let error = await #expect(throws: ConnectionError.self) { try await task.value }
      #expect(error?.status == .cancelled)
      waiting.goesOn.send()
      await watching.ended.reaches(1)
    }
    #expect(waiting.code.withLock { $0 } == "CANCELLED" && watching.ends == ["CANCELLED"])
    #expect(!watching.lines.contains("1 began"))
  }

  private struct Replacing: ClientInterceptor {
    func intercept(_ call: ClientContext, next: () async throws -> Void) async throws {
      do { try await next() } catch { throw ConnectionError.callRefused(endpoint: "client", reason: "\(error)") }
    }
  }

  @Test func aWriterLearnsWhatTheInterceptorsMakeOfTheEnd() async throws {
    let watching = Watching()
    try await withService([Replacing(), watching], refusing: 1) { channel async throws in
      let call = channel.bidirectional(Kind.bidirectional.method, options: CallOptions())
      let text = TextService.Text(value: String(repeating: "x", count: 16 * 1024))
      // More than may wait until the end is known.
      let error = await #expect(throws: ConnectionError.self) { while true { try await call.write(text) } }
      #expect(error?.as(ConnectionError.CallRefused.self)?.endpoint == "client")
    }
    #expect(watching.ends == ["CALL_REFUSED"])
  }

  /// Goes on when the call is over.
  private struct Lingering: ClientInterceptor {
    let goesOn: Signal

    func intercept(_ call: ClientContext, next: () async throws -> Void) async throws {
      try await next()
      await goesOn.wait()
    }
  }

  @Test func messagesAreReadBeforeTheInterceptorsHaveReturned() async throws {
    let goesOn = Signal()
    try await withService([Lingering(goesOn: goesOn)]) { channel async throws in
      let stream = channel.serverStreaming(
        Kind.serverStreaming.method, TextService.Text(value: "one"), options: CallOptions())
      var answers = stream.makeAsyncIterator()
      #expect(try await answers.next()?.value == "ONE")
      #expect(stream.trailingMetadata == nil)
      goesOn.send()
      #expect(try await answers.next() == nil)
      #expect(stream.trailingMetadata != nil)
    }
  }
}
