// SPDX-License-Identifier: Apache-2.0
import Foundation
import Taxon
import TaxonFixtures
import Testing

/// Channels and servers that both show certificates, and certificates that change.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct MutualTLSTests {
  private let files = Certificates.shared

  private var serverTLS: ServerTLS {
    var tls = ServerTLS(certificateFile: files.path("server.pem"), keyFile: files.path("server.key"))
    tls.clientCertificates = .required
    tls.trustRoots = .file(files.authority)
    return tls
  }

  private func clientTLS(_ identity: TLSIdentity?) -> ClientTLS {
    ClientTLS(trustRoots: .file(files.authority), identity: identity)
  }

  private func withServer(
    tls: ServerTLS?, _ body: @escaping @Sendable (String, ServerContext) -> String = { text, _ in text },
    test: (_ target: String, _ server: Server) async throws -> Void
  ) async throws {
    try await TaxonFixtures.withServer([TextService(body: body)]) {
      $0.tls = tls
    } test: { server, port in
      try await test("dns:///localhost:\(port)", server)
    }
  }

  @Test func aHandlerSeesTheCallersCertificate() async throws {
    let seen = Locked<PeerCertificate?>(nil)
    try await withServer(tls: serverTLS) { text, context in
      seen.withLock { $0 = context.peerCertificate }
      return context.isEncrypted ? text : "unencrypted"
    } test: { target, _ in
      let identity = TLSIdentity(certificateFile: files.path("client.pem"), keyFile: files.path("client.key"))
      let channel = try watched(Channel(target, configuration: quietly { $0.tls = clientTLS(identity) }))
      #expect(try await channel.text("x") == "x")
      channel.shutDown()
    }
    let certificate = try #require(seen.withLock { $0 })
    #expect(certificate.subject == "C=DE,O=Taxon\\, tests,CN=client")
    #expect(certificate.commonName == "client")
    #expect(certificate.names == [.dns("client.test"), .uri("spiffe://taxon.dev/client")])
    // What the file has between its lines of dashes.
    let lines = try String(contentsOfFile: files.path("client.pem"), encoding: .utf8).split(separator: "\n")
    #expect(Data(certificate.derBytes).base64EncodedString() == lines.filter { !$0.hasPrefix("-") }.joined())
  }

  @Test func aCallerWithoutACertificateHasNone() async throws {
    var tls = serverTLS
    tls.clientCertificates = .optional
    try await withServer(tls: tls) { _, context in
      "\(context.isEncrypted) \(context.peerCertificate == nil)"
    } test: { target, _ in
      let channel = try watched(Channel(target, configuration: quietly { $0.tls = clientTLS(nil) }))
      #expect(try await channel.text("x") == "true true")
      channel.shutDown()
    }
    try await withServer(tls: nil) { _, context in
      "\(context.isEncrypted) \(context.peerCertificate == nil)"
    } test: { target, _ in
      let channel = try watched(Channel(target, configuration: quietly()))
      #expect(try await channel.text("x") == "false true")
      channel.shutDown()
    }
  }

  @Test func aChannelWithoutACertificateIsTurnedAway() async throws {
    try await withServer(tls: serverTLS) { target, _ in
      let stranger = TLSIdentity(certificateFile: files.path("stranger.pem"), keyFile: files.path("stranger.key"))
      for identity in [nil, stranger] {
        let channel = try watched(Channel(target, configuration: quietly { $0.tls = clientTLS(identity) }))
        // With TLS 1.3 the client is done before the server has seen the certificate, and has to wait what it says.
        switch await channel.failure() {
        case .endpointUnreachable(let error)?: #expect(error.reason.hasPrefix("TLS: "))
        case let error: Issue.record("\(String(describing: error))")
        }
        channel.shutDown()
      }
    }
  }

  /// A folder with a certificate and a key whose files are replaced.
  private struct Changing {
    let folder: String
    let files: Certificates

    init(_ files: Certificates) throws {
      self.files = files
      folder = try Certificates.makeFolder()
    }

    func put(_ name: String) throws {
      for kind in ["pem", "key"] {
        try Data(contentsOf: URL(fileURLWithPath: files.path("\(name).\(kind)")))
          .write(to: URL(fileURLWithPath: "\(folder)/current.\(kind)"), options: .atomic)
      }
    }

    var identity: TLSIdentity {
      TLSIdentity(certificateFile: "\(folder)/current.pem", keyFile: "\(folder)/current.key")
    }
  }

  @Test func aChannelTakesUpTheCertificateThatItsFilesHaveNow() async throws {
    let changing = try Changing(files)
    defer { try? FileManager.default.removeItem(atPath: changing.folder) }
    try changing.put("stranger")
    try await withServer(tls: serverTLS) { target, _ in
      let channel = try watched(
        Channel(
          target,
          configuration: quietly {
            $0.tls = clientTLS(changing.identity)
            $0.tls?.reloadInterval = .milliseconds(5)
            $0.backoff = Backoff(base: .milliseconds(5), cap: .milliseconds(20))
          }))
      #expect(await channel.failure()?.status == .unavailable)
      try changing.put("client")
      #expect(try await channel.text("x", options: CallOptions(waitForReady: true)) == "x")
      channel.shutDown()
    }
  }

  @Test func aChannelBelievesAServerOnceItHasLoadedAGoodCertificate() async throws {
    let changing = try Changing(files)
    defer { try? FileManager.default.removeItem(atPath: changing.folder) }
    try changing.put("stranger")
    try await withServer(tls: ServerTLS(identity: changing.identity)) { target, server in
      let channel = try watched(
        Channel(
          target,
          configuration: quietly {
            $0.tls = clientTLS(nil)
            $0.backoff = Backoff(base: .milliseconds(5), cap: .milliseconds(20))
          }))
      #expect(await channel.failure()?.status == .unavailable)
      try changing.put("renewed")
      try server.reloadCertificates()
      #expect(try await channel.text("x", options: CallOptions(waitForReady: true)) == "x")
      // The connection that is there stays as it is.
      try changing.put("server")
      try server.reloadCertificates()
      #expect(try await channel.text("y") == "y")
      channel.shutDown()
    }
  }
}
