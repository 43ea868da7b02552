// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonFixtures
import TaxonTransport
import Testing

/// Answers each kind of call, ends some early, and never ends others.
private struct PatientService: RPCService {
  static let serviceName = "test.Patient"
  typealias Text = TextService.Text

  static func method(_ kind: Kind) -> TextService.Method {
    TextService.Method(service: serviceName, method: kind.rawValue, idempotency: .noSideEffects)
  }

  /// Waits, for texts that begin with "wait", until the call is cancelled; fails for "fail".
  private func ponder(_ text: String) async throws(ConnectionError) {
    if text.hasPrefix("wait") {
      await untilCancelled()
      throw ConnectionError.lift(RPCError.cancelled)
    }
    if text.hasPrefix("fail") { throw ConnectionError.lift(RPCError(.aborted, "as asked")) }
  }

  func register(in registry: inout ServiceRegistry) {
    registry.add(Self.method(.unary)) { request, _ async throws(ConnectionError) in
      try await ponder(request.value)
      return request
    }
    registry.add(serverStreaming: Self.method(.serverStreaming)) {
      (request, responses, _) async throws(ConnectionError) in
      for _ in 0..<3 { try await responses.write(request) }
      try await ponder(request.value)
    }
    registry.add(clientStreaming: Self.method(.clientStreaming)) { (requests, _) async throws(ConnectionError) in
      var all = ""
      for try await request in requests {
        // Answered without reading the rest.
        if request.value == "enough" { break }
        try await ponder(request.value)
        all += request.value
      }
      return Text(value: all)
    }
    registry.add(bidirectional: Self.method(.bidirectional)) {
      (requests, responses, _) async throws(ConnectionError) in
      for try await request in requests {
        if request.value == "enough" { break }
        try await responses.write(request)
        try await ponder(request.value)
      }
    }
  }
}

/// Calls that are given up, at any point, beside calls that must live.
@Suite(.leavesNothing, .timeLimit(.minutes(5))) struct GivenUpCallsTests {
  typealias Text = TextService.Text

  /// Runs a test with a channel that has one connection, and checks that it had no other.
  private func withOneConnection(_ test: (Channel) async throws -> Void) async throws {
    var settings = Server.Configuration(port: 0)
    settings.gracePeriod = .seconds(5)
    // So many resets at once are what this is about, and not an attack.
    settings.http2.flood.resets = .init(burst: 1_000_000, perSecond: 1_000_000)
    settings.connections.maxRunningCalls = 100_000
    let server = try await makeServer([PatientService()]) { $0 = settings }
    let relay = try await Relay(to: server.port ?? 0)
    let channel = try watched(Channel("ipv4:127.0.0.1:\(relay.port)", configuration: quietly()))
    // Lives through all that the test does.
    let watch = channel.bidirectional(PatientService.method(.bidirectional), options: CallOptions())
    try await watch.write(Text(value: "before"))
    var answers = watch.responses.makeAsyncIterator()
    #expect(try await answers.next()?.value == "before")
    try await test(channel)
    try await watch.write(Text(value: "after"))
    #expect(try await answers.next()?.value == "after")
    watch.finish()
    #expect(try await answers.next() == nil)
    #expect(relay.connections == 1)
    channel.shutDown()
    await server.shutDown()
    await relay.close()
  }

  @Test func aStreamingCallThatNobodyHoldsLeavesTheOthersAlone() async throws {
    try await withOneConnection { channel in
      _ = channel.bidirectional(PatientService.method(.bidirectional), options: CallOptions())
      _ = channel.clientStreaming(PatientService.method(.clientStreaming), options: CallOptions())
      try await live(channel, .unary, text: "x")
    }
  }

  @Test func aStreamingCallThatIsCancelledAtOnceLeavesTheOthersAlone() async throws {
    try await withOneConnection { channel in
      for _ in 0..<50 {
        channel.clientStreaming(PatientService.method(.clientStreaming), options: CallOptions()).cancel()
        channel.bidirectional(PatientService.method(.bidirectional), options: CallOptions()).cancel()
      }
      try await live(channel, .unary, text: "x")
    }
  }

  @Test func unaryCallsThatAreCancelledAtOnceLeaveTheOthersAlone() async throws {
    try await withOneConnection { channel in
      let calls = (0..<20).map { _ in
        Task { try await channel.unary(PatientService.method(.unary), Text(value: "wait"), options: CallOptions()) }
      }
      for call in calls { call.cancel() }
      for call in calls {
        if case .success = await call.result { Issue.record("a cancelled call was answered") }
      }
      try await live(channel, .unary, text: "x")
    }
  }

  @Test func thousandsOfCallsGivenUpAtAnyPointLeaveTheOthersAlone() async throws {
    let living = Locked(0)
    try await withOneConnection { channel in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<8 {
          group.addTask {
            var generator = SystemRandomNumberGenerator()
            for round in 0..<500 {
              if (round + number) % 5 == 0 {
                let kind = Kind.allCases[(round / 5 + number) % 4]
                try await live(channel, kind, text: "\(number)-\(round)")
                living.withLock { $0 += 1 }
              } else {
                await giveUp(channel, &generator)
              }
            }
          }
        }
        try await group.waitForAll()
      }
    }
    #expect(living.withLock { $0 } == 800)
  }

  /// A call that has to succeed.
  private func live(_ channel: Channel, _ kind: Kind, text: String) async throws {
    let method = PatientService.method(kind)
    let request = Text(value: text)
    switch kind {
    case .unary: #expect(try await channel.unary(method, request, options: CallOptions()).value == text)
    case .serverStreaming:
      var count = 0
      for try await answer in channel.serverStreaming(method, request, options: CallOptions()) {
        #expect(answer.value == text)
        count += 1
      }
      #expect(count == 3)
    case .clientStreaming:
      let call = channel.clientStreaming(method, options: CallOptions())
      for _ in 0..<3 { try await call.write(request) }
      #expect(try await call.response().value == text + text + text)
    case .bidirectional:
      let call = channel.bidirectional(method, options: CallOptions())
      var answers = call.responses.makeAsyncIterator()
      for _ in 0..<3 {
        try await call.write(request)
        #expect(try await answers.next()?.value == text)
      }
      call.finish()
      #expect(try await answers.next() == nil)
    }
  }

  /// A call that is given up, by one end or the other, somewhere.
  private func giveUp(_ channel: Channel, _ generator: inout some RandomNumberGenerator) async {
    let kind = Kind.allCases.randomElement(using: &generator) ?? .unary
    let text = ["wait", "fail", "enough", "x"].randomElement(using: &generator) ?? "x"
    let request = Text(value: text)
    let method = PatientService.method(kind)
    let yields = Int.random(in: 0...6, using: &generator)
    let messages = Int.random(in: 0...2, using: &generator)
    let isDropped = Bool.random(using: &generator)
    // A deadline of this many microseconds, now and then.
    let timeout: Duration? =
      Int.random(in: 0..<8, using: &generator) == 0 ? .microseconds(Int.random(in: 1...3000, using: &generator)) : nil
    let options = CallOptions(timeout: timeout)
    switch kind {
    case .unary:
      let call = Task { _ = try await channel.unary(method, request, options: options) }
      for _ in 0..<yields { await Task.yield() }
      call.cancel()
      if !isDropped { _ = await call.result }
    case .serverStreaming:
      let call = Task {
        var answers = channel.serverStreaming(method, request, options: options).makeAsyncIterator()
        for _ in 0..<messages { _ = try await answers.next() }
      }
      for _ in 0..<yields { await Task.yield() }
      if isDropped { call.cancel() }
      // Without a cancellation it ends by itself, in the middle of the answer.
      _ = await call.result
    case .clientStreaming:
      let call = channel.clientStreaming(method, options: options)
      for _ in 0..<yields { await Task.yield() }
      for _ in 0..<messages { try? await call.write(request) }
      if !isDropped { call.cancel() }
    case .bidirectional:
      let call = channel.bidirectional(method, options: options)
      for _ in 0..<yields { await Task.yield() }
      var answers = call.responses.makeAsyncIterator()
      // The service answers one "wait", and no second one.
      for _ in 0..<(text == "wait" ? min(messages, 1) : messages) {
        try? await call.write(request)
        _ = try? await answers.next()
      }
      if !isDropped { call.cancel() }
    }
  }
}
