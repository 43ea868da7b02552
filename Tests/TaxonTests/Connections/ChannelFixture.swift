// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonFixtures
import Testing

/// A channel's configuration that retries nothing and says nothing, changed by the test.
func quietly(
  _ policy: CallPolicy = .none, _ change: (inout Channel.Configuration) -> Void = { _ in }
) -> Channel.Configuration {
  var configuration = Channel.Configuration(policy: policy)
  configuration.logger = quiet
  change(&configuration)
  return configuration
}

extension Channel {
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

/// A server of the text service on a port.
func makeServer(
  port: Int = 0, configure: (inout Server.Configuration) -> Void = { _ in },
  _ body: @escaping @Sendable (String, ServerContext) async throws -> String
) async throws -> Server {
  var configuration = Server.Configuration(port: port)
  configuration.gracePeriod = .seconds(5)
  configure(&configuration)
  let server = watched(Server(configuration, services: [TextService(body: body)], logger: quiet))
  try await server.start()
  return server
}
