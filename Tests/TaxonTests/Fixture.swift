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

  /// Waits until the channel stands there, and returns the states on the way.
  @discardableResult func reaches(_ wanted: ConnectivityState) async -> [ConnectivityState] {
    var states: [ConnectivityState] = []
    for await state in stateChanges {
      states.append(state)
      if state == wanted { break }
    }
    return states
  }

  /// Calls the text service, which has to fail.
  func failure(
    _ value: String = "x", _ method: TextService.Method = TextService.call, options: CallOptions = CallOptions()
  ) async -> ConnectionError? {
    do throws(ConnectionError) {
      let answer = try await text(value, method, options: options)
      Issue.record("no error, but \(answer)")
      return nil
    } catch {
      return error
    }
  }
}

/// A server of the text service that runs, on a free port if no other is said. The test has to shut it down.
func makeServer(
  port: Int = 0, configure: (inout Server.Configuration) -> Void = { _ in },
  _ body: @escaping @Sendable (String, ServerContext) async throws -> String
) async throws -> Server {
  try await makeServer([TextService(body: body)], port: port) {
    $0.gracePeriod = .seconds(5)
    configure(&$0)
  }
}

/// Runs a test against a server of the text service on a free port, and shuts the server down.
func withServer(
  configuration: Server.Configuration = .init(port: 0),
  _ body: @escaping @Sendable (String, ServerContext) async throws -> String,
  test: (_ target: String, _ server: Server) async throws -> Void
) async throws {
  try await withServer([TextService(body: body)]) {
    $0 = configuration
    $0.address = .tcp(host: "127.0.0.1", port: 0)
    $0.gracePeriod = .seconds(5)
  } test: { server, port in
    try await test("ipv4:127.0.0.1:\(port)", server)
  }
}
