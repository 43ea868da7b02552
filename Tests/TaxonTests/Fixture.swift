// SPDX-License-Identifier: Apache-2.0
import Logging
import Taxon
import Testing

/// A service made by hand: its methods are closures over texts.
struct TextService: RPCService {
  static let serviceName = "test.Text"

  typealias Text = Google_Protobuf_StringValue
  typealias Method = MethodDescriptor<Text, Text, ConnectionError>
  static let call = Method(service: serviceName, method: "Call")
  static let repeatable = Method(service: serviceName, method: "Repeatable", idempotency: .idempotent)

  let body: @Sendable (String, ServerContext) async throws -> String

  func register(in registry: inout ServiceRegistry) {
    for method in [Self.call, Self.repeatable] {
      registry.add(method) { request, context async throws(ConnectionError) in
        try await ConnectionError.catching { Text(value: try await body(request.value, context)) }
      }
    }
  }
}

extension Channel {
  /// Calls the text service.
  func text(
    _ value: String, _ method: TextService.Method = TextService.call, options: CallOptions = CallOptions()
  ) async throws(ConnectionError) -> String {
    try await unary(method, TextService.Text(value: value), options: options).value
  }
}

/// Runs a test against a server on a free port, and shuts the server down.
func withServer(
  configuration: Server.Configuration = .init(port: 0),
  _ body: @escaping @Sendable (String, ServerContext) async throws -> String,
  test: (_ target: String, _ server: Server) async throws -> Void
) async throws {
  var configuration = configuration
  configuration.address = .tcp(host: "127.0.0.1", port: 0)
  configuration.gracePeriod = .seconds(5)
  let server = Server(configuration, services: [TextService(body: body)], logger: quiet)
  try await server.start()
  do {
    try await test("ipv4:127.0.0.1:\(server.port ?? 0)", server)
  } catch {
    await server.shutDown()
    throw error
  }
  await server.shutDown()
}

/// A logger that says nothing.
let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Something that is awaited until it has happened.
final class Signal: Sendable {
  private let state = Locked<(hasHappened: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))

  func send() {
    let waiting = state.withLock { state in
      state.hasHappened = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
  }

  func wait() async {
    await withCheckedContinuation { continuation in
      let hasHappened = state.withLock { state in
        if !state.hasHappened { state.waiting.append(continuation) }
        return state.hasHappened
      }
      if hasHappened { continuation.resume() }
    }
  }
}
