// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonFixtures
import Testing

/// What goes around calls, and around the messages of calls.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct ClientInterceptorTests {
  /// Writes down what it sees, and throws where it is told to.
  private final class Recorder: ClientInterceptor {
    enum Place: Sendable { case start, request, response, end }

    struct Seen {
      var lines: [String] = []
      var outcomes: [(error: (any Error)?, trailing: Metadata)] = []
    }

    let name: String
    let refusesAt: Place?
    private let seen: Locked<Seen>

    init(_ name: String = "", refusesAt: Place? = nil, sharing other: Recorder? = nil) {
      self.name = name
      self.refusesAt = refusesAt
      seen = other?.seen ?? Locked(Seen())
    }

    var lines: [String] { seen.withLock { $0.lines } }
    var outcomes: [(error: (any Error)?, trailing: Metadata)] { seen.withLock { $0.outcomes } }

    private func see(_ line: String, at place: Place) throws {
      seen.withLock { $0.lines.append(name + line) }
      if place == refusesAt { throw ConnectionError.callRefused(endpoint: "\(place)", reason: name) }
    }

    func intercept(_ call: ClientContext, next: () async throws -> Void) async throws {
      try see("starts \(call.path) for \(call.metadata["x-name"] ?? "nobody")", at: .start)
      call.metadata.add("x-sent-by", name.isEmpty ? "one" : name)
      var thrown: (any Error)?
      do { try await next() } catch { thrown = error }
      seen.withLock { [thrown] in $0.outcomes.append((thrown, call.trailingMetadata)) }
      try see("ends with \((thrown as? any TaxonomyError)?.code ?? "OK")", at: .end)
      if let thrown { throw thrown }
    }

    func sending(_ message: inout any Message, of call: ClientContext) throws {
      try see("sends \((message as? TextService.Text)?.value ?? "")", at: .request)
    }

    func receiving(_ message: inout any Message, of call: ClientContext) throws {
      try see("receives \((message as? TextService.Text)?.value ?? "")", at: .response)
    }
  }

  private func withService(
    _ interceptors: [any ClientInterceptor], failing: @escaping @Sendable (ServerContext) throws -> Void = { _ in },
    _ test: (Channel) async throws -> Void
  ) async throws {
    let client = quietly { $0.interceptors = interceptors }
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
    #expect(lines.first == "starts \(kind.method.path) for Ada")
    #expect(lines.filter { $0.hasPrefix("sends") } == kind.requests.map { "sends \($0)" })
    #expect(lines.filter { $0.hasPrefix("receives") } == kind.responses.map { "receives \($0)" })
    #expect(lines.count == 2 + kind.requests.count + kind.responses.count && lines.last == "ends with OK")
    #expect(recorder.outcomes.map { $0.trailing["x-last"] } == ["9"])
  }

  @Test(arguments: Kind.allCases) func theOutcomeIsTypedAndHasItsMetadata(_ kind: Kind) async throws {
    let recorder = Recorder()
    try await withService([recorder]) { context in
      context.trailingMetadata = ["x-last": "9"]
      throw ConnectionError.callRefused(endpoint: "handler", reason: "full")
    } _: { channel async throws in
      let error = await #expect(throws: ConnectionError.self) { try await channel.call(kind) }
      #expect(error?.trailingMetadata["x-last"] == "9")
    }
    #expect(recorder.outcomes.count == 1)
    let error = try #require(recorder.outcomes.first?.error as? ConnectionError)
    #expect(error.as(ConnectionError.CallRefused.self)?.endpoint == "handler")
    #expect(recorder.outcomes.first?.trailing["x-last"] == "9")
  }

  @Test(arguments: Kind.allCases, [Recorder.Place.start, .request, .response, .end])
  private func anInterceptorRefusesACall(_ kind: Kind, _ place: Recorder.Place) async throws {
    let outer = Recorder("outer ")
    let recorder = Recorder("refusing ", refusesAt: place, sharing: outer)
    let inner = Recorder("inner ")
    let calls = Locked(0)
    try await withService([outer, recorder, inner]) { _ in
      calls.withLock { $0 += 1 }
    } _: { channel async throws in
      let error = await #expect(throws: ConnectionError.self) { try await channel.call(kind) }
      #expect(error?.as(ConnectionError.CallRefused.self)?.endpoint == "\(place)")
    }
    // A write that is refused ends no stream of requests: that is for the caller to do, who lets go of it here.
    if place == .request, kind.sendsManyRequests { return }
    #expect(outer.lines.last == "outer ends with CALL_REFUSED")
    guard place == .start else { return }
    #expect(calls.withLock { $0 } == 0)
    #expect(inner.lines.isEmpty)
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
    #expect(method.lines.filter { $0.hasPrefix("starts") } == ["starts \(kind.method.path) for nobody"])
    #expect(
      service.lines.filter { $0.hasPrefix("starts") } == Kind.allCases.map { "starts \($0.method.path) for nobody" })
    #expect(elsewhere.lines.isEmpty)
  }

  @Test(arguments: Kind.allCases) func theFirstIsTheOutermost(_ kind: Kind) async throws {
    let outer = Recorder("outer ")
    let inner = Recorder("inner ", sharing: outer)
    try await withService([outer, inner]) { channel async throws in _ = try await channel.call(kind) }
    let order = outer.lines.map { $0.split(separator: " ").prefix(2).joined(separator: " ") }
    #expect(Array(order.prefix(2)) == ["outer starts", "inner starts"])
    #expect(order.filter { $0.hasSuffix("sends") }.prefix(2) == ["outer sends", "inner sends"])
    #expect(order.filter { $0.hasSuffix("receives") }.prefix(2) == ["inner receives", "outer receives"])
    #expect(Array(order.suffix(2)) == ["inner ends", "outer ends"])
  }

  /// Puts a mark on each message: the server and the caller see those of all interceptors.
  private struct Marking: ClientInterceptor {
    let mark: String

    func sending(_ message: inout any Message, of call: ClientContext) throws {
      guard var text = message as? TextService.Text else { return }
      text.value += mark
      message = text
    }

    func receiving(_ message: inout any Message, of call: ClientContext) throws {
      guard var text = message as? TextService.Text else { return }
      text.value += mark.lowercased()
      message = text
    }
  }

  @Test(arguments: Kind.allCases) func messagesMayBeChanged(_ kind: Kind) async throws {
    try await withService([Marking(mark: "-A"), Marking(mark: "-B")]) { channel async throws in
      let answers = try await channel.call(kind)
      let marked = kind == .clientStreaming ? ["ONE-A-BTWO-A-B"] : kind.requests.map { $0.uppercased() + "-A-B" }
      #expect(answers == marked.map { $0 + "-b-a" })
    }
  }

  /// Puts a message of another type where the server's or the caller's should be.
  private struct Confusing: ClientInterceptor {
    let confusesRequests: Bool

    func sending(_ message: inout any Message, of call: ClientContext) throws {
      if confusesRequests { message = Google_Protobuf_BoolValue() }
    }
    func receiving(_ message: inout any Message, of call: ClientContext) throws {
      if !confusesRequests { message = Google_Protobuf_BoolValue() }
    }
  }

  @Test(arguments: Kind.allCases, [true, false])
  func aMessageOfAnotherTypeEndsTheCall(_ kind: Kind, _ confusesRequests: Bool) async throws {
    try await withService([Confusing(confusesRequests: confusesRequests)]) { channel async throws in
      let error = await #expect(throws: ConnectionError.self) { try await channel.call(kind) }
      #expect(error?.status == .internalError)
      #expect(error?.message.contains("google.protobuf.BoolValue in place of a google.protobuf.StringValue") == true)
    }
  }

  private enum User: CallValueKey { typealias Value = String }

  private struct Naming: ClientInterceptor {
    let see: @Sendable (String?) -> Void

    func intercept(_ call: ClientContext, next: () async throws -> Void) async throws {
      call[User.self] = (call[User.self] ?? "") + "Ada"
      try await next()
      call[User.self] = "answered"
      see(call[User.self])
    }

    func sending(_ message: inout any Message, of call: ClientContext) throws { see(call[User.self]) }
  }

  @Test(arguments: Kind.allCases) func aValueIsSeenFurtherIn(_ kind: Kind) async throws {
    let seen = Locked<[String?]>([])
    try await withService([Naming { value in seen.withLock { $0.append(value) } }, Naming { _ in }]) {
      channel async throws in
      for _ in 0..<2 { #expect(try await channel.call(kind) == kind.responses) }
    }
    // A value lives as long as its call.
    let call = kind.requests.map { _ in "AdaAda" } + ["answered"]
    #expect(seen.withLock { $0 } == call + call)
  }

  /// Does something else than to call `next` once.
  private enum Deviating: ClientInterceptor, CaseIterable {
    case callsTwice, callsNever, swallows, replaces

    func intercept(_ call: ClientContext, next: () async throws -> Void) async throws {
      switch self {
      case .callsTwice:
        try await next()
        try await next()
      case .callsNever: break
      case .swallows: try? await next()
      case .replaces:
        do { try await next() } catch {
          throw RPCError(.unavailable, "replaced \((error as? ConnectionError)?.code ?? "")")
        }
      }
    }
  }

  @Test(arguments: Kind.allCases) func aSecondNextSendsNothingAndThrows(_ kind: Kind) async throws {
    let calls = Locked(0)
    try await withService([Deviating.callsTwice]) { _ in
      calls.withLock { $0 += 1 }
    } _: { channel async throws in
      let error = await #expect(throws: ConnectionError.self) { try await channel.call(kind) }
      #expect(error?.status == .internalError && error?.message == "An interceptor has called next more than once")
    }
    #expect(calls.withLock { $0 } == 1)
  }

  @Test(arguments: Kind.allCases) func withoutNextNothingIsSent(_ kind: Kind) async throws {
    let calls = Locked(0)
    try await withService([Deviating.callsNever]) { _ in
      calls.withLock { $0 += 1 }
    } _: { channel async throws in
      try await expectNoAnswer(kind) { try await channel.call(kind) }
    }
    #expect(calls.withLock { $0 } == 0)
  }

  @Test(arguments: Kind.allCases) func anErrorThatIsNotThrownOnLeavesNoAnswer(_ kind: Kind) async throws {
    // Fails before a message is written.
    let refusing = Refusing()
    let client = quietly { $0.interceptors = [Deviating.swallows] }
    try await withChannel(to: [KindsService()], configure: { $0.interceptors = [refusing] }, client: client) {
      channel, _ async throws in
      try await expectNoAnswer(kind) { try await channel.call(kind) }
    }
  }

  /// A call of which its interceptors say that it went well.
  private func expectNoAnswer(_ kind: Kind, _ call: () async throws -> [String]) async throws {
    if kind == .serverStreaming || kind == .bidirectional {
      #expect(try await call() == [])
      return
    }
    do {
      Issue.record("answered: \(try await call())")
    } catch let error as ConnectionError {
      #expect(error.status == .internalError && error.message == "An interceptor ended the call without an answer")
    }
  }

  @Test(arguments: Kind.allCases) func whatAnInterceptorThrowsIsWhatTheCallerGets(_ kind: Kind) async throws {
    try await withService([Deviating.replaces]) { _ in
      throw ConnectionError.callRefused(endpoint: "handler", reason: "full")
    } _: { channel async throws in
      let error = await #expect(throws: ConnectionError.self) { try await channel.call(kind) }
      #expect(error?.status == .unavailable && error?.message == "replaced CALL_REFUSED")
    }
  }

  private struct Refusing: ServerInterceptor {
    func intercept(_ call: ServerContext, next: () async throws -> Void) async throws {
      throw ConnectionError.callRefused(endpoint: "server", reason: "full")
    }
  }

  /// One type for both sides.
  private struct Counting: ServerInterceptor, ClientInterceptor {
    let lines: Locked<[String]>

    func intercept(_ call: some CallContext, next: () async throws -> Void) async throws {
      lines.withLock { $0.append("\(call.service) \(call.method)") }
      try await next()
      lines.withLock { $0.append(call.trailingMetadata["x-last"] ?? "") }
    }
    func sending(_ message: inout any Message, of call: some CallContext) throws {
      lines.withLock { $0.append("sends") }
    }
    func receiving(_ message: inout any Message, of call: some CallContext) throws {
      lines.withLock { $0.append("receives") }
    }
  }

  @Test(arguments: Kind.allCases) func oneTypeServesBothSides(_ kind: Kind) async throws {
    let server = Locked<[String]>([])
    let client = Locked<[String]>([])
    let service = KindsService { $0.trailingMetadata = ["x-last": "9"] }
    let scope = CallScope.service(KindsService.serviceName)
    try await withChannel(
      to: [service], configure: { $0.interceptors = [Counting(lines: server).only(scope)] },
      client: quietly { $0.interceptors = [Counting(lines: client).only(scope)] }
    ) { channel, _ async throws in
      #expect(try await channel.call(kind) == kind.responses)
    }
    let (requests, responses) = (kind.requests.count, kind.responses.count)
    for lines in [server.withLock { $0 }, client.withLock { $0 }] {
      #expect(lines.first == "test.Kinds \(kind.rawValue)" && lines.last == "9")
    }
    #expect(server.withLock { $0.filter { $0 == "receives" }.count } == requests)
    #expect(server.withLock { $0.filter { $0 == "sends" }.count } == responses)
    #expect(client.withLock { $0.filter { $0 == "sends" }.count } == requests)
    #expect(client.withLock { $0.filter { $0 == "receives" }.count } == responses)
  }
}
