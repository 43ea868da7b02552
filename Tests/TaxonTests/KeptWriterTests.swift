// SPDX-License-Identifier: Apache-2.0
import Logging
import Taxon
import TaxonFixtures
import Testing

/// Handlers that keep what they were given past their end.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct KeptWriterTests {
  typealias Text = TextService.Text

  /// A method of each kind, whose handlers keep everything.
  struct Hoarder: RPCService {
    static let serviceName = KindsService.serviceName

    let contexts = Locked<[ServerContext]>([])
    let requests = Locked<[RequestStream<Text, ConnectionError>]>([])
    let writers = Locked<[ResponseWriter<Text, ConnectionError>]>([])

    func register(in registry: inout ServiceRegistry) {
      registry.add(Kind.unary.method) { request, context async throws(ConnectionError) in
        keep(context)
        return request
      }
      registry.add(serverStreaming: Kind.serverStreaming.method) {
        (request, responses, context) async throws(ConnectionError) in
        keep(context, responses: responses)
        try await responses.write(request)
      }
      registry.add(clientStreaming: Kind.clientStreaming.method) { (requests, context) async throws(ConnectionError) in
        keep(context, requests)
        var last = Text()
        for try await request in requests { last = request }
        return last
      }
      registry.add(bidirectional: Kind.bidirectional.method) {
        (requests, responses, context) async throws(ConnectionError) in
        keep(context, requests, responses: responses)
        for try await request in requests { try await responses.write(request) }
      }
    }

    private func keep(
      _ context: ServerContext, _ requests: RequestStream<Text, ConnectionError>? = nil,
      responses: ResponseWriter<Text, ConnectionError>? = nil
    ) {
      contexts.withLock { $0.append(context) }
      if let requests { self.requests.withLock { $0.append(requests) } }
      if let responses { writers.withLock { $0.append(responses) } }
    }
  }

  @Test(arguments: Kind.allCases) func doNotUseTheirConnectionUp(_ kind: Kind) async throws {
    let service = Hoarder()
    try await withChannel(to: [service], configure: { $0.connections.maxRunningCalls = 4 }) {
      channel, _ async throws in
      for _ in 0..<20 { _ = try await channel.call(kind, idempotency: .unknown) }
    }
    #expect(service.contexts.withLock { $0.count } == 20)
  }

  @Test func writeAndReadNoMore() async throws {
    let service = Hoarder()
    try await withChannel(to: [service]) { channel, _ async throws in
      _ = try await channel.call(.bidirectional)
      // The handler is over when its last message has arrived, or soon.
      let error = await #expect(throws: ConnectionError.self) {
        while let writer = service.writers.withLock({ $0.last }) {
          try await writer.write(Text(value: "late"))
          await Task.yield()
        }
      }
      #expect(error?.status == .cancelled)
      #expect(error?.message == "The call is over: its handler has returned")
      let requests = try #require(service.requests.withLock { $0.last })
      let end = await #expect(throws: ConnectionError.self) { for try await _ in requests {} }
      #expect(end?.message == "The call is over: its handler has returned")
    }
  }

  @Test func whatIsSetAfterTheHeadersHasNoEffectAndIsLoggedOnceAMethod() async throws {
    let lines = Locked<[String]>([])
    let results = Locked<[Bool]>([])
    let service = TextService { text, context in
      context.initialMetadata["x-first"] = "1"
      results.withLock { $0.append(context.sendHeaders()) }
      context.initialMetadata["x-first"] = "2"
      results.withLock { $0.append(context.sendHeaders()) }
      #expect(context.initialMetadata["x-first"] == "1")
      return text
    }
    let logger = Logger(label: "test") { _ in LineHandler(lines: lines) }
    let server = try await makeServer([service], logger: logger)
    let channel = try watched(Channel("ipv4:127.0.0.1:\(server.port ?? 0)", configuration: quietly()))
    let seen = Locked<[String?]>([])
    var options = CallOptions()
    options.onMetadata = { initial, _ in seen.withLock { $0.append(initial["x-first"]) } }
    for _ in 0..<2 { #expect(try await channel.text("x", options: options) == "x") }
    channel.shutDown()
    await server.shutDown()
    #expect(seen.withLock { $0 } == ["1", "1"])
    #expect(results.withLock { $0 } == [true, false, true, false])
    let late = lines.withLock { $0.filter { $0.contains("ServerContext.initialMetadata") } }
    #expect(late.count == 1)
  }

  private struct LineHandler: LogHandler {
    let lines: Locked<[String]>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }
    func log(event: LogEvent) { lines.withLock { $0.append("\(event.message)") } }
  }
}
