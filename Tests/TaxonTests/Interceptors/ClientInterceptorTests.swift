// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonFixtures
import Testing

/// What goes around calls.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct ClientInterceptorTests {
  private final class Recorder: ClientInterceptor {
    struct Seen {
      var lines: [String] = []
      var outcomes: [ClientCallOutcome] = []
    }

    let name: String
    let refuses: Bool
    private let seen: Locked<Seen>

    init(_ name: String = "", refuses: Bool = false, sharing other: Recorder? = nil) {
      self.name = name
      self.refuses = refuses
      seen = other?.seen ?? Locked(Seen())
    }

    var lines: [String] { seen.withLock { $0.lines } }
    var outcomes: [ClientCallOutcome] { seen.withLock { $0.outcomes } }

    private func see(_ line: String) { seen.withLock { $0.lines.append(name + line) } }

    func starting(_ call: inout ClientCallStart) async throws {
      see("starts \(call.path) for \(call.metadata["x-name"] ?? "nobody")")
      call.metadata.add("x-sent-by", "one")
      if refuses { throw ConnectionError.callRefused(endpoint: "client", reason: name) }
    }
    func sending(_ message: any Message, path: String) { see("sends \((message as? TextService.Text)?.value ?? "")") }
    func receiving(_ message: any Message, path: String) {
      see("receives \((message as? TextService.Text)?.value ?? "")")
    }
    func ended(_ outcome: ClientCallOutcome) {
      see("ends with \(outcome.error?.code ?? "OK")")
      seen.withLock { $0.outcomes.append(outcome) }
    }
  }

  private func withService(
    _ interceptors: [any ClientInterceptor], _ policy: CallPolicy = .none,
    failing: @escaping @Sendable (ServerContext) throws -> Void = { _ in },
    _ test: (Channel) async throws -> Void
  ) async throws {
    let client = quietly(policy) { $0.interceptors = interceptors }
    try await withChannel(to: [KindsService(failing: failing)], client: client) { channel, _ async throws in
      try await test(channel)
    }
  }

  @Test(arguments: Kind.allCases) func metadataMessagesAndTheOutcomeAreSeen(_ kind: Kind) async throws {
    let recorder = Recorder()
    let sentBy = Locked<String?>(nil)
    try await withService([recorder]) { context in
      sentBy.withLock { $0 = context.metadata["x-sent-by"] }
      context.trailingMetadata = ["x-last": "9"]
    } _: { channel async throws in
      #expect(try await channel.call(kind, options: CallOptions(metadata: ["x-name": "Ada"])) == kind.responses)
    }
    #expect(sentBy.withLock { $0 } == "one")
    let lines = recorder.lines
    #expect(lines.filter { $0.hasPrefix("starts") } == ["starts \(kind.method.path) for Ada"])
    #expect(lines.filter { $0.hasPrefix("sends") } == kind.requests.map { "sends \($0)" })
    #expect(lines.filter { $0.hasPrefix("receives") } == kind.responses.map { "receives \($0)" })
    #expect(lines.last == "ends with OK" && recorder.outcomes.count == 1)
    #expect(recorder.outcomes.first?.path == kind.method.path)
    #expect(recorder.outcomes.first?.trailing["x-last"] == "9")
  }

  @Test(arguments: Kind.allCases) func theOutcomeIsTypedAndHasItsMetadata(_ kind: Kind) async throws {
    let recorder = Recorder()
    try await withService([recorder]) { context in
      context.trailingMetadata = ["x-last": "9"]
      throw ConnectionError.callRefused(endpoint: "handler", reason: "full")
    } _: { channel async throws in
      await #expect(throws: ConnectionError.self) { try await channel.call(kind) }
    }
    #expect(recorder.outcomes.count == 1)
    let outcome = try #require(recorder.outcomes.first)
    let error = try #require(outcome.error as? ConnectionError)
    #expect(error.as(ConnectionError.CallRefused.self)?.endpoint == "handler")
    #expect(outcome.trailing["x-last"] == "9" && outcome.duration > .zero)
  }

  @Test(arguments: Kind.allCases) func aCallThatIsRefusedIsNotMade(_ kind: Kind) async throws {
    let outer = Recorder("outer ")
    let recorder = Recorder("refusing ", refuses: true, sharing: outer)
    let inner = Recorder("inner ")
    let calls = Locked(0)
    try await withService([outer, recorder, inner]) { _ in
      calls.withLock { $0 += 1 }
    } _: { channel async throws in
      let error = await #expect(throws: ConnectionError.self) { try await channel.call(kind) }
      #expect(error?.as(ConnectionError.CallRefused.self)?.endpoint == "client")
    }
    #expect(calls.withLock { $0 } == 0)
    #expect(
      outer.lines.filter { $0.contains("ends with") } == [
        "refusing ends with CALL_REFUSED", "outer ends with CALL_REFUSED",
      ])
    // It has not seen the beginning, and does not see the end.
    #expect(!inner.lines.contains { $0.contains("starts") || $0.contains("ends with") })
  }

  @Test(arguments: Kind.allCases) func aScopeLeavesOtherMethodsAlone(_ kind: Kind) async throws {
    let method = Recorder()
    let service = Recorder()
    let elsewhere = Recorder()
    let interceptors: [any ClientInterceptor] = [
      method.only(.method(kind.method)), service.only(.service(KindsService.serviceName)),
      elsewhere.only(.service("test.Kind"), .method("/test.Text/Call")),
    ]
    try await withService(interceptors) { channel async throws in
      for kind in Kind.allCases { #expect(try await channel.call(kind) == kind.responses) }
    }
    #expect(method.outcomes.map(\.path) == [kind.method.path])
    #expect(service.outcomes.map(\.path) == Kind.allCases.map(\.method.path))
    #expect(elsewhere.lines.isEmpty)
  }

  @Test(arguments: Kind.allCases) func theFirstIsTheOutermost(_ kind: Kind) async throws {
    let outer = Recorder("outer ")
    let inner = Recorder("inner ", sharing: outer)
    try await withService([outer, inner]) { channel async throws in _ = try await channel.call(kind) }
    let order = outer.lines.map { $0.split(separator: " ").prefix(2).joined(separator: " ") }
    #expect(order.filter { $0.hasSuffix("starts") } == ["outer starts", "inner starts"])
    #expect(order.filter { $0.hasSuffix("sends") }.prefix(2) == ["outer sends", "inner sends"])
    #expect(order.filter { $0.hasSuffix("receives") }.prefix(2) == ["inner receives", "outer receives"])
    #expect(Array(order.suffix(2)) == ["inner ends", "outer ends"])
  }

  @Test func theEndComesOnceAfterTheRetriesWithTheLastOutcome() async throws {
    let recorder = Recorder()
    let attempts = Locked(0)
    let policy = CallPolicy(retry: RetryPolicy(maxRetries: 2, backoff: Backoff(base: .milliseconds(1))), breaker: nil)
    try await withService([recorder], policy) { context in
      let attempt = attempts.withLock { count in
        count += 1
        return count
      }
      context.trailingMetadata = ["x-attempt": "\(attempt)"]
      if attempt < 3 { throw ConnectionError.callRefused(endpoint: "attempt \(attempt)", reason: "full") }
    } _: { channel async throws in
      #expect(try await channel.call(.unary) == Kind.unary.responses)
    }
    #expect(attempts.withLock { $0 } == 3)
    #expect(recorder.lines.filter { $0.hasPrefix("starts") }.count == 1)
    #expect(recorder.outcomes.count == 1 && recorder.outcomes.first?.error == nil)
    #expect(recorder.outcomes.first?.trailing["x-attempt"] == "3")
  }

  @Test(arguments: [Kind.unary, .serverStreaming])
  func theEndComesOnceWhenTheRetriesAreUsedUp(_ kind: Kind) async throws {
    let recorder = Recorder()
    let attempts = Locked(0)
    let policy = CallPolicy(retry: RetryPolicy(maxRetries: 2, backoff: Backoff(base: .milliseconds(1))), breaker: nil)
    let client = quietly(policy) { $0.interceptors = [recorder] }
    // Fails before a message is written, so that the streaming call is tried again too.
    let refusing = Refusing { attempt in attempts.withLock { $0 = attempt } }
    try await withChannel(to: [KindsService()], configure: { $0.interceptors = [refusing] }, client: client) {
      channel, _ async throws in
      let error = await #expect(throws: ConnectionError.self) { try await channel.call(kind) }
      #expect(error?.as(ConnectionError.CallRefused.self)?.endpoint == "attempt 3")
    }
    #expect(attempts.withLock { $0 } == 3)
    #expect(recorder.outcomes.count == 1)
    let error = recorder.outcomes.first?.error as? ConnectionError
    #expect(error?.as(ConnectionError.CallRefused.self)?.endpoint == "attempt 3")
    #expect(recorder.outcomes.first?.trailing["x-attempt"] == "3")
  }

  /// Refuses all calls on the server's side, and counts them.
  private final class Refusing: ServerInterceptor {
    private let attempts = Locked(0)
    private let counted: @Sendable (Int) -> Void

    init(counted: @escaping @Sendable (Int) -> Void) { self.counted = counted }

    func intercept(_ call: ServerContext, next: () async throws -> Void) async throws {
      let attempt = attempts.withLock { count in
        count += 1
        return count
      }
      counted(attempt)
      call.trailingMetadata = ["x-attempt": "\(attempt)"]
      throw ConnectionError.callRefused(endpoint: "attempt \(attempt)", reason: "full")
    }
  }

  @Test func aStreamThatIsLetGoOfEndsOnceWithCancelled() async throws {
    let recorder = Recorder()
    let health = HealthService()
    let client = quietly { $0.interceptors = [recorder] }
    try await withChannel(to: [health], client: client) { channel, server async throws in
      let stream = channel.serverStreaming(
        Grpc_Health_V1_Health.Methods.watch, .init(), options: CallOptions())
      var statuses = stream.makeAsyncIterator()
      #expect(try await statuses.next()?.status == .serving)
      stream.cancel()
      await #expect(throws: RPCError.self) { try await statuses.next() }
    }
    #expect(recorder.outcomes.map { $0.error?.status } == [.cancelled])
  }
}
