// SPDX-License-Identifier: Apache-2.0
import Foundation
import Taxon
import TaxonFixtures

/// What a call may go over.
enum Transport: String, CaseIterable, Sendable {
  case inMemory, tcp, tls, unix

  /// Runs a test against a server of the text service, over this transport.
  func withChannel(
    _ configuration: Channel.Configuration = quietly(),
    _ body: @escaping @Sendable (String, ServerContext) async throws -> String,
    test: (_ channel: Channel, _ server: Server) async throws -> Void
  ) async throws {
    var configuration = configuration
    var settings = Server.Configuration(port: 0)
    let files = Certificates.shared
    var folder: String?
    switch self {
    case .inMemory: settings.address = .none
    case .tcp: break
    case .tls:
      settings.tls = ServerTLS(certificateFile: files.path("server.pem"), keyFile: files.path("server.key"))
      configuration.tls = ClientTLS(trustRoots: .file(files.authority))
    case .unix:
      folder = try Certificates.makeFolder()
      settings.address = .unix(path: "\(folder ?? "")/socket")
    }
    settings.gracePeriod = .seconds(5)
    let server = try await makeServer([TextService(body: body)]) { $0 = settings }
    let result: Result<Void, any Error>
    do {
      let channel =
        switch self {
        case .inMemory: try watched(Channel.inMemory(to: server, configuration: configuration))
        case .tcp: try watched(Channel("ipv4:127.0.0.1:\(server.port ?? 0)", configuration: configuration))
        case .tls: try watched(Channel("dns:///localhost:\(server.port ?? 0)", configuration: configuration))
        case .unix: try watched(Channel("unix:\(folder ?? "")/socket", configuration: configuration))
        }
      result = .success(try await test(channel, server))
      channel.shutDown()
    } catch {
      result = .failure(error)
    }
    await server.shutDown()
    if let folder { try? FileManager.default.removeItem(atPath: folder) }
    try result.get()
  }
}
