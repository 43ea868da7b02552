// SPDX-License-Identifier: Apache-2.0
import Logging
import TaxonClient
import TaxonResilience
import TaxonServer

/// A server of these services that runs, on a free port if no other is said. The test has to shut it down.
package func makeServer(
  _ services: [any RPCService], port: Int = 0, logger: Logger = quiet,
  configure: (inout Server.Configuration) -> Void = { _ in }
) async throws -> Server {
  var configuration = Server.Configuration(port: port)
  configure(&configuration)
  let server = watched(Server(configuration, services: services, logger: logger))
  try await server.start()
  return server
}

/// Runs a test against a server of these services on a free port, and shuts the server down.
package func withServer(
  _ services: [any RPCService], logger: Logger = quiet, configure: (inout Server.Configuration) -> Void = { _ in },
  test: (_ server: Server, _ port: Int) async throws -> Void
) async throws {
  let server = try await makeServer(services, logger: logger, configure: configure)
  let result: Result<Void, any Error>
  do { result = .success(try await test(server, server.port ?? 0)) } catch { result = .failure(error) }
  await server.shutDown()
  try result.get()
}

/// Runs a test with a channel to a server of these services, and shuts both down.
package func withChannel(
  to services: [any RPCService], logger: Logger = quiet, configure: (inout Server.Configuration) -> Void = { _ in },
  client: Channel.Configuration = quietly(), test: (_ channel: Channel, _ server: Server) async throws -> Void
) async throws {
  try await withServer(services, logger: logger, configure: configure) { server, port in
    let channel = try watched(Channel("ipv4:127.0.0.1:\(port)", configuration: client))
    defer { channel.shutDown() }
    try await test(channel, server)
  }
}

/// A channel's configuration that retries nothing and says nothing, changed by the test.
package func quietly(
  _ policy: CallPolicy = .none, _ change: (inout Channel.Configuration) -> Void = { _ in }
) -> Channel.Configuration {
  var configuration = Channel.Configuration(policy: policy)
  configuration.logger = quiet
  change(&configuration)
  return configuration
}
