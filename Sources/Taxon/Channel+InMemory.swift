// SPDX-License-Identifier: Apache-2.0
import TaxonClient
import TaxonErrors
import TaxonServer

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

extension Channel {
  /// A channel to services in this process, without a port: what a call goes through is what it goes through over a
  /// network, but for the network. The server shuts down when the channel is gone.
  ///
  /// - Throws: `SetupError` when a setting is out of its bounds or a service is given twice.
  public static func inMemory(
    to services: [any RPCService], server serverConfiguration: Server.Configuration = .init(address: .none),
    configuration: Configuration = Configuration()
  ) async throws(SetupError) -> Channel {
    var serverConfiguration = serverConfiguration
    serverConfiguration.address = .none
    let server = Server(serverConfiguration, services: services, logger: configuration.logger)
    try await server.start()
    let owner = ServerOwner(server)
    do throws(SetupError) {
      return try Channel(socketsTo: "in-memory", configuration: configuration) { try owner.server.connect() }
    } catch {
      await server.shutDown()
      throw error
    }
  }

  /// A channel to a server in this process that runs, whether it listens or not.
  ///
  /// - Throws: `SetupError.InvalidSetting` when a setting is out of its bounds.
  public static func inMemory(
    to server: Server, configuration: Configuration = Configuration()
  ) throws(SetupError) -> Channel {
    try Channel(socketsTo: "in-memory", configuration: configuration) { try server.connect() }
  }
}

/// Shuts a server down when nobody needs it any more.
private final class ServerOwner: Sendable {
  let server: Server

  init(_ server: Server) { self.server = server }

  deinit { Task { [server] in await server.shutDown() } }
}

/// What the system says of a socket that it did not make.
private struct SocketError: Error, CustomStringConvertible {
  let description: String
}

extension Server {
  /// One end of a new pair of sockets, the other one of which the server serves.
  fileprivate func connect() throws -> CInt {
    var ends: [CInt] = [-1, -1]
    #if canImport(Glibc)
    let type = CInt(SOCK_STREAM.rawValue)
    #else
    let type = SOCK_STREAM
    #endif
    guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
      throw SocketError(description: "no pair of sockets: \(String(cString: strerror(errno)))")
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let theirs = ends[1]
    Task {
      do throws(SetupError) {
        try await serve(socket: theirs)
      } catch {
        // A server that does not run leaves the socket alone; the client is to see that nobody is there.
        if case .invalidSetting = error { close(theirs) }
      }
    }
    return ends[0]
  }
}
