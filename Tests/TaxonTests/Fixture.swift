// SPDX-License-Identifier: Apache-2.0
import Logging
import Taxon
import TaxonFixtures
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
  let server = watched(Server(configuration, services: [TextService(body: body)], logger: quiet))
  try await server.start()
  do {
    try await test("ipv4:127.0.0.1:\(server.port ?? 0)", server)
  } catch {
    await server.shutDown()
    throw error
  }
  await server.shutDown()
}
