// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonFixtures
import Testing

/// What goes around handlers.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct ServerInterceptorTests {
  /// Writes down what it sees, and throws where it is told to.
  private final class Recorder: ServerInterceptor {
    enum Place: Sendable { case start, request, response, end }

    let name: String
    let refusesAt: Place?
    private let log: Locked<[String]>

    init(_ name: String = "", refusesAt: Place? = nil, sharing other: Recorder? = nil) {
      self.name = name
      self.refusesAt = refusesAt
      log = other?.log ?? Locked([])
    }

    var lines: [String] { log.withLock { $0 } }

    private func see(_ line: String, at place: Place) throws {
      log.withLock { $0.append(name + line) }
      if place == refusesAt { throw ConnectionError.callRefused(endpoint: "\(place)", reason: name) }
    }

    func intercept(_ call: ServerContext, next: () async throws -> Void) async throws {
      try see("starts \(call.path) for \(call.metadata["x-name"] ?? "nobody")", at: .start)
      call.initialMetadata.add("x-seen-by", name.isEmpty ? "one" : name)
      do {
        try await next()
        try see("ends well", at: .end)
      } catch let error as ConnectionError where !lines.contains("\(name)ends well") {
        if case .callRefused(let refused) = error {
          try see("ends with \(error.code) at \(refused.endpoint)", at: .end)
        }
        throw error
      }
    }

    func receiving(_ message: inout any Message, of call: ServerContext) throws {
      try see("receives \((message as? TextService.Text)?.value ?? "")", at: .request)
    }

    func sending(_ message: inout any Message, of call: ServerContext) throws {
      try see("sends \((message as? TextService.Text)?.value ?? "")", at: .response)
    }
  }

  private func withService(
    _ interceptors: [any ServerInterceptor], failing: @escaping @Sendable (ServerContext) throws -> Void = { _ in },
    _ test: (Channel) async throws -> Void
  ) async throws {
    try await withChannel(to: [KindsService(failing: failing)], configure: { $0.interceptors = interceptors }) {
      channel, _ async throws in try await test(channel)
    }
  }

  @Test(arguments: Kind.allCases) func metadataMessagesAndTheOutcomeAreSeen(_ kind: Kind) async throws {
    let recorder = Recorder()
    try await withService([recorder]) { channel async throws in
      let seen = Locked<String?>(nil)
      let options = CallOptions(metadata: ["x-name": "Ada"]) { initial, _ in seen.withLock { $0 = initial["x-seen-by"] }
      }
      #expect(try await channel.call(kind, options: options) == kind.responses)
      #expect(seen.withLock { $0 } == "one")
    }
    let lines = recorder.lines
    #expect(lines.first == "starts \(kind.method.path) for Ada")
    #expect(lines.filter { $0.hasPrefix("receives") } == kind.requests.map { "receives \($0)" })
    #expect(lines.filter { $0.hasPrefix("sends") } == kind.responses.map { "sends \($0)" })
    #expect(lines.count == 2 + kind.requests.count + kind.responses.count && lines.last == "ends well")
  }

  @Test(arguments: Kind.allCases) func theOutcomeIsTyped(_ kind: Kind) async throws {
    let recorder = Recorder()
    try await withService([recorder]) { _ in
      throw ConnectionError.callRefused(endpoint: "handler", reason: "full")
    } _: { channel async throws in
      let error = await #expect(throws: ConnectionError.self) { try await channel.call(kind) }
      #expect(error?.as(ConnectionError.CallRefused.self)?.endpoint == "handler")
    }
    #expect(recorder.lines.last == "ends with CALL_REFUSED at handler")
  }

  @Test(arguments: Kind.allCases, [Recorder.Place.start, .request, .response, .end])
  private func anInterceptorRefusesACall(_ kind: Kind, _ place: Recorder.Place) async throws {
    let recorder = Recorder(refusesAt: place)
    try await withService([recorder]) { channel async throws in
      let error = await #expect(throws: ConnectionError.self) { try await channel.call(kind) }
      #expect(error?.as(ConnectionError.CallRefused.self)?.endpoint == "\(place)")
    }
    if place == .start { #expect(recorder.lines.count == 1) }
  }

  @Test(arguments: Kind.allCases) func aScopeLeavesOtherMethodsAlone(_ kind: Kind) async throws {
    let method = Recorder()
    let service = Recorder()
    let elsewhere = Recorder()
    let interceptors: [any ServerInterceptor] = [
      method.only(.method(kind.method)), service.only(.service(KindsService.serviceName), .method("/test.Text/Call")),
      elsewhere.only(.service("test.Kind"), .service("test")),
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
    // Of the first message each way.
    let order = outer.lines.map { $0.split(separator: " ").prefix(2).joined(separator: " ") }
    #expect(Array(order.prefix(2)) == ["outer starts", "inner starts"])
    #expect(order.filter { $0.hasSuffix("receives") }.prefix(2) == ["outer receives", "inner receives"])
    #expect(order.filter { $0.hasSuffix("sends") }.prefix(2) == ["inner sends", "outer sends"])
    #expect(Array(order.suffix(2)) == ["inner ends", "outer ends"])
  }

  /// Puts a mark on each message: the handler and the caller see those of all interceptors.
  private struct Marking: ServerInterceptor {
    let mark: String

    func receiving(_ message: inout any Message, of call: ServerContext) throws {
      guard var text = message as? TextService.Text else { return }
      text.value += mark
      message = text
    }

    func sending(_ message: inout any Message, of call: ServerContext) throws {
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

  /// Puts a message of another type where the handler's or the caller's should be.
  private struct Confusing: ServerInterceptor {
    let confusesRequests: Bool

    func receiving(_ message: inout any Message, of call: ServerContext) throws {
      if confusesRequests { message = Google_Protobuf_BoolValue() }
    }
    func sending(_ message: inout any Message, of call: ServerContext) throws {
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

  private struct Naming: ServerInterceptor {
    func intercept(_ call: ServerContext, next: () async throws -> Void) async throws {
      let outer = call[User.self]
      call[User.self] = (outer ?? "") + "Ada"
      try await next()
      #expect(call[User.self] == "of the handler")
    }

    func receiving(_ message: inout any Message, of call: ServerContext) throws {
      #expect(call[User.self] == "AdaAda")
    }
  }

  @Test(arguments: Kind.allCases) func aValueIsSeenFurtherInAndByTheHandler(_ kind: Kind) async throws {
    let seen = Locked<[String?]>([])
    try await withService([Naming(), Naming()]) { context in
      seen.withLock { $0.append(context[User.self]) }
      context[User.self] = "of the handler"
    } _: { channel async throws in
      for _ in 0..<2 { #expect(try await channel.call(kind) == kind.responses) }
    }
    // A value lives as long as its call.
    #expect(seen.withLock { $0 } == ["AdaAda", "AdaAda"])
  }

  private struct Repeating: ServerInterceptor {
    func intercept(_ call: ServerContext, next: () async throws -> Void) async throws {
      try await next()
      try await next()
    }
  }

  @Test(arguments: Kind.allCases) func aSecondNextRunsNothingAndThrows(_ kind: Kind) async throws {
    let calls = Locked(0)
    try await withService([Repeating()]) { _ in
      calls.withLock { $0 += 1 }
    } _: { channel async throws in
      let error = await #expect(throws: ConnectionError.self) { try await channel.call(kind) }
      #expect(error?.status == .internalError && error?.message == "An interceptor has called next more than once")
    }
    #expect(calls.withLock { $0 } == 1)
  }

  @Test func theContextNamesServiceAndMethod() {
    let context = ServerContext(path: "/octollm.v1.Orchestrator/GetTask")
    #expect(context.service == "octollm.v1.Orchestrator" && context.method == "GetTask")
    #expect(ServerContext().service.isEmpty && ServerContext().method.isEmpty)
  }
}
