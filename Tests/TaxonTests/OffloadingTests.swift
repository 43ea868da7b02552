// SPDX-License-Identifier: Apache-2.0
import Logging
import Taxon
import TaxonFixtures
import Testing

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Handlers that compute for long.
@Suite(.serialized, .leavesNothing, .timeLimit(.minutes(1))) struct OffloadingTests {
  /// A service of every kind of method, some of whose handlers run off the loops.
  private struct Service: RPCService {
    static let serviceName = KindsService.serviceName
    let offloadedMethods: OffloadedMethods
    let compute: @Sendable () async -> Void

    func register(in registry: inout ServiceRegistry) {
      typealias Text = KindsService.Text
      registry.add(Kind.unary.method) { request, _ async throws(ConnectionError) in
        await compute()
        return Text(value: request.value.uppercased())
      }
      registry.add(serverStreaming: Kind.serverStreaming.method) {
        (request, responses, _) async throws(ConnectionError) in
        await compute()
        try await responses.write(Text(value: request.value.uppercased()))
      }
      registry.add(clientStreaming: Kind.clientStreaming.method) { (requests, _) async throws(ConnectionError) in
        var all = ""
        for try await request in requests { all += request.value.uppercased() }
        await compute()
        return Text(value: all)
      }
      registry.add(bidirectional: Kind.bidirectional.method) {
        (requests, responses, _) async throws(ConnectionError) in
        for try await request in requests { try await responses.write(Text(value: request.value.uppercased())) }
        await compute()
      }
    }
  }

  /// Collects what is logged.
  private final class Lines: Sendable {
    private let lines = Locked<[String]>([])
    var all: [String] { lines.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

    private struct Handler: LogHandler {
      let lines: Lines
      var metadata: Logger.Metadata = [:]
      var logLevel = Logger.Level.info
      subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
      }

      func log(event: LogEvent) {
        lines.lines.withLock { $0.append("\(event.level) \(event.message) \(event.metadata?["rpc.path"] ?? "")") }
      }
    }
  }

  /// Holds the thread.
  private static func spin(until condition: () -> Bool, atMost limit: Duration) {
    let deadline = ContinuousClock.now + limit
    while !condition(), ContinuousClock.now < deadline { sched_yield() }
  }

  private func withServer(
    _ services: [any RPCService], logger: Logger = quiet, test: (Channel) async throws -> Void
  ) async throws {
    try await withChannel(to: services, logger: logger, configure: { $0.threads = 1 }) { channel, _ in
      try await test(channel)
    }
  }

  @Test(arguments: [OffloadedMethods.all, OffloadedMethods(Kind.allCases.map(\.rawValue))], Kind.allCases)
  func otherCallsAreAnsweredWhileAnOffloadedHandlerComputes(_ methods: OffloadedMethods, _ kind: Kind) async throws {
    let started = Signal()
    let isAnswered = Locked(false)
    let heavy = Service(offloadedMethods: methods) {
      started.send()
      Self.spin(until: { isAnswered.withLock { $0 } }, atMost: .seconds(20))
    }
    try await withServer([heavy, TextService { text, _ in text }]) { channel async throws in
      async let answers = channel.call(kind)
      await started.wait()
      let begin = ContinuousClock.now
      #expect(try await channel.text("light") == "light")
      #expect(ContinuousClock.now - begin < .seconds(15))
      isAnswered.withLock { $0 = true }
      #expect(try await answers == kind.responses)
    }
  }

  @Test func aMethodThatCannotBeOffloadedIsASetupError() async throws {
    let service = Service(offloadedMethods: ["Unary", "Unray"]) {}
    do throws(SetupError) {
      try await watched(Server(.init(port: 0), services: [service], logger: quiet)).start()
      Issue.record("no error")
    } catch .invalidSetting(let error) {
      #expect(error.name == "offloadedMethods")
      #expect(error.value == "/test.Kinds/Unray")
    }
  }

  #if DEBUG
  @Test func aHandlerThatHoldsItsLoopIsLoggedOnceAMethod() async throws {
    let lines = Lines()
    // Before the handler has suspended, and after.
    let isLate = Locked(false)
    let service = Service(offloadedMethods: ["ServerStreaming"]) {
      if isLate.withLock({ $0 }) { await Task.yield() }
      Self.spin(until: { false }, atMost: .milliseconds(150))
    }
    try await withServer([service], logger: lines.logger) { channel async throws in
      for kind in [Kind.unary, .unary, .serverStreaming] { _ = try await channel.call(kind) }
      isLate.withLock { $0 = true }
      for kind in [Kind.bidirectional, .bidirectional] { _ = try await channel.call(kind) }
    }
    let warnings = lines.all.filter { $0.contains("held its event loop") }
    #expect(
      warnings.map { $0.split(separator: " ").last } == ["/test.Kinds/Unary", "/test.Kinds/Bidirectional"],
      "\(lines.all)")
    #expect(warnings.allSatisfy { $0.hasPrefix("warning ") })
  }
  #endif
}
