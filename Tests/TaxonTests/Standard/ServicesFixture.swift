// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonFixtures

/// Runs a test with a channel to a server of these services, and shuts both down.
func withChannel(
  to services: [any RPCService], configure: (inout Server.Configuration) -> Void = { _ in },
  client: Channel.Configuration = quietly(),
  _ test: (_ channel: Channel, _ server: Server) async throws -> Void
) async throws {
  var configuration = Server.Configuration(port: 0)
  configuration.gracePeriod = .seconds(30)
  configure(&configuration)
  let server = watched(Server(configuration, services: services, logger: quiet))
  try await server.start()
  let channel = try watched(Channel("ipv4:127.0.0.1:\(server.port ?? 0)", configuration: client))
  let result: Result<Void, any Error>
  do { result = .success(try await test(channel, server)) } catch { result = .failure(error) }
  channel.shutDown()
  await server.shutDown()
  try result.get()
}
