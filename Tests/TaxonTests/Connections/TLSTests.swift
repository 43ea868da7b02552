// SPDX-License-Identifier: Apache-2.0
import Foundation
import Taxon
import TaxonFixtures
import Testing

/// TLS between a server of ours and clients.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct TLSTests {
  let files = Certificates.shared

  var serverTLS: ServerTLS { ServerTLS(certificateFile: files.path("server.pem"), keyFile: files.path("server.key")) }
  var clientTLS: ClientTLS { ClientTLS(trustRoots: .file(files.authority), serverName: "server.test") }
  var clientIdentity: TLSIdentity {
    TLSIdentity(certificateFile: files.path("client.pem"), keyFile: files.path("client.key"))
  }

  private func withTLSServer(_ tls: ServerTLS, _ test: (Int, Server) async throws -> Void) async throws {
    try await withServer([TextService { text, _ in text }]) {
      $0.tls = tls
    } test: { server, port in
      try await test(port, server)
    }
  }

  @Test func aCallGoesOverTLS() async throws {
    try await withTLSServer(serverTLS) { port, _ in
      let client = try await WireClient.connect(.port(port), tls: clientTLS)
      #expect(try await client.call().status == "0")
      await client.close()
    }
  }

  @Test func aServerIsVerifiedByItsAddressWhenThereIsNoName() async throws {
    try await withTLSServer(serverTLS) { port, _ in
      var tls = clientTLS
      tls.serverName = nil
      let client = try await WireClient.connect(.port(port), tls: tls, serverName: "127.0.0.1")
      #expect(try await client.call().status == "0")
      await client.close()
    }
  }

  @Test func certificatesMayBeBytes() async throws {
    func pem(_ file: String) throws -> PEM {
      .bytes(Array(try Data(contentsOf: URL(fileURLWithPath: files.path(file)))))
    }
    let tls = ServerTLS(identity: TLSIdentity(certificates: try pem("server.pem"), privateKey: try pem("server.key")))
    let roots = TrustRoots.pem(try pem("authority.pem"))
    try await withTLSServer(tls) { port, _ in
      let client = try await WireClient.connect(
        .port(port), tls: ClientTLS(trustRoots: roots, serverName: "localhost"))
      #expect(try await client.call().status == "0")
      await client.close()
    }
  }

  @Test func aServerWithAnotherNameIsNotTalkedTo() async throws {
    try await withTLSServer(serverTLS) { port, _ in
      var tls = clientTLS
      tls.serverName = "elsewhere.test"
      let client = try await WireClient.connect(.port(port), tls: tls)
      #expect(try await client.closed.contains("elsewhere.test"))
      tls.verification = .withoutName
      let other = try await WireClient.connect(.port(port), tls: tls)
      #expect(try await other.call().status == "0")
      await other.close()
    }
  }

  @Test func aServerOfAnUnknownAuthorityIsNotTalkedTo() async throws {
    try await withTLSServer(serverTLS) { port, _ in
      var tls = clientTLS
      tls.trustRoots = .file(files.path("stranger.pem"))
      let client = try await WireClient.connect(.port(port), tls: tls)
      #expect(try await client.closed.hasPrefix("TLS: CERTIFICATE_VERIFY_FAILED: no trusted authority"))
      tls.verification = .insecureWithoutVerification
      let other = try await WireClient.connect(.port(port), tls: tls)
      #expect(try await other.call().status == "0")
      await other.close()
    }
  }

  @Test func aClientWithoutACertificateIsTurnedAwayWhereOneIsRequired() async throws {
    var tls = serverTLS
    tls.clientCertificates = .required
    tls.trustRoots = .file(files.authority)
    try await withTLSServer(tls) { port, _ in
      let without = try await WireClient.connect(.port(port), tls: clientTLS)
      #expect(try await without.closed.hasPrefix("TLS: "))
      var stranger = clientTLS
      stranger.identity = TLSIdentity(certificateFile: files.path("stranger.pem"), keyFile: files.path("stranger.key"))
      let wrong = try await WireClient.connect(.port(port), tls: stranger)
      #expect(try await wrong.closed.hasPrefix("TLS: "))
      var known = clientTLS
      known.identity = clientIdentity
      let right = try await WireClient.connect(.port(port), tls: known)
      #expect(try await right.call().status == "0")
      await right.close()
    }
  }

  @Test func aCertificateMayBeLeftOutWhereItIsOptionalButMustBeGood() async throws {
    var tls = serverTLS
    tls.clientCertificates = .optional
    tls.trustRoots = .file(files.authority)
    try await withTLSServer(tls) { port, _ in
      let without = try await WireClient.connect(.port(port), tls: clientTLS)
      #expect(try await without.call().status == "0")
      await without.close()
      var stranger = clientTLS
      stranger.identity = TLSIdentity(certificateFile: files.path("stranger.pem"), keyFile: files.path("stranger.key"))
      let wrong = try await WireClient.connect(.port(port), tls: stranger)
      #expect(try await wrong.closed.hasPrefix("TLS: "))
    }
  }

  @Test func newConnectionsGetTheCertificateThatWasLoadedAgain() async throws {
    let folder = try Certificates.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func put(_ name: String) throws {
      for kind in ["pem", "key"] {
        try Data(contentsOf: URL(fileURLWithPath: files.path("\(name).\(kind)")))
          .write(to: URL(fileURLWithPath: "\(folder)/server.\(kind)"), options: .atomic)
      }
    }
    try put("stranger")
    let tls = ServerTLS(certificateFile: "\(folder)/server.pem", keyFile: "\(folder)/server.key")
    try await withTLSServer(tls) { port, server in
      var insecure = clientTLS
      insecure.verification = .insecureWithoutVerification
      let old = try await WireClient.connect(.port(port), tls: insecure)
      #expect(try await old.call().status == "0")

      try Data("nothing".utf8).write(to: URL(fileURLWithPath: "\(folder)/server.pem"))
      let error = #expect(throws: SetupError.self) { try server.reloadCertificates() }
      #expect(error?.message.contains("\(folder)/server.pem") == true)
      let still = try await WireClient.connect(.port(port), tls: insecure)
      #expect(try await still.call().status == "0")

      try put("renewed")
      try server.reloadCertificates()
      let new = try await WireClient.connect(.port(port), tls: clientTLS)
      #expect(try await new.call().status == "0")
      #expect(try await old.call().status == "0")
      for client in [old, still, new] { await client.close() }
    }
  }

  @Test func filesThatChangeAreReadAgain() async throws {
    let folder = try Certificates.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func put(_ name: String) throws {
      for kind in ["pem", "key"] {
        try Data(contentsOf: URL(fileURLWithPath: files.path("\(name).\(kind)")))
          .write(to: URL(fileURLWithPath: "\(folder)/server.\(kind)"), options: .atomic)
      }
    }
    try put("stranger")
    var tls = ServerTLS(certificateFile: "\(folder)/server.pem", keyFile: "\(folder)/server.key")
    tls.reloadInterval = .milliseconds(5)
    try await withTLSServer(tls) { port, _ in
      try put("server")
      // Sooner or later; the suite's time limit is what ends a test that waits in vain.
      while true {
        let client = try await WireClient.connect(.port(port), tls: clientTLS)
        let answer = try? await client.call()
        await client.close()
        if answer?.status == "0" { break }
      }
    }
  }

  @Test func aPeerThatDoesNotSpeakTLSIsClosed() async throws {
    try await withTLSServer(serverTLS) { port, _ in
      let client = try await WireClient.connect(.port(port))
      _ = try await client.closed
    }
  }

  @Test func filesThatCannotBeUsedAreSetupErrors() async throws {
    let cases: [(ServerTLS, name: String, value: String)] = [
      (
        ServerTLS(certificateFile: "/nowhere.pem", keyFile: files.path("server.key")), "tls.certificates",
        "/nowhere.pem"
      ),
      (
        ServerTLS(certificateFile: files.path("server.key"), keyFile: files.path("server.key")), "tls.certificates",
        files.path("server.key")
      ),
      (
        ServerTLS(certificateFile: files.path("server.pem"), keyFile: files.path("server.pem")), "tls.privateKey",
        files.path("server.pem")
      ),
      (
        ServerTLS(certificateFile: files.path("server.pem"), keyFile: files.path("client.key")), "tls.privateKey",
        files.path("client.key")
      ),
      (
        ServerTLS(
          identity: serverTLS.identity, clientCertificates: .required, trustRoots: .file(files.folder)),
        "tls.trustRoots", files.folder
      ),
    ]
    for (tls, name, value) in cases {
      do throws(SetupError) {
        try await watched(Server(.init(port: 0, tls: tls), services: [], logger: quiet)).start()
        Issue.record("no error for \(name)")
      } catch .invalidSetting(let error) {
        #expect(error.name == name)
        #expect(error.value == value)
      }
    }
  }
}
