// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonFixtures
import TaxonTesting
import Testing

/// A channel that encrypts.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct ChannelTLSTests {
  private let files = Certificates.shared

  private var serverTLS: ServerTLS {
    ServerTLS(certificateFile: files.path("server.pem"), keyFile: files.path("server.key"))
  }

  private func withServer(tls: ServerTLS?, test: (Int) async throws -> Void) async throws {
    try await TaxonFixtures.withServer([TextService { text, _ in text }]) {
      $0.tls = tls
    } test: { _, port in
      try await test(port)
    }
  }

  private func reason(_ target: String, _ tls: ClientTLS) async throws -> String {
    let channel = try watched(Channel(target, configuration: quietly { $0.tls = tls }))
    defer { channel.shutDown() }
    guard case .endpointUnreachable(let error)? = await channel.failure() else {
      Issue.record("another error")
      return ""
    }
    #expect(error.endpoint == target)
    return error.reason
  }

  @Test(arguments: ["dns:///localhost", "ipv4:127.0.0.1"])
  func theServersCertificateIsForTheNameOrTheAddressOfTheTarget(_ host: String) async throws {
    try await withServer(tls: serverTLS) { port in
      let channel = try watched(
        Channel(
          "\(host):\(port)", configuration: quietly { $0.tls = ClientTLS(trustRoots: .file(files.authority)) }))
      #expect(try await channel.text("x") == "x")
      channel.shutDown()
    }
  }

  @Test func aCertificateOfAnUnknownAuthorityIsNotBelieved() async throws {
    try await withServer(tls: serverTLS) { port in
      let reason = try await reason(
        "dns:///localhost:\(port)", ClientTLS(trustRoots: .file(files.path("stranger.pem"))))
      #expect(
        reason == "TLS: CERTIFICATE_VERIFY_FAILED: no trusted authority has signed the certificate of "
          + "O=Taxon tests,CN=server, which O=Taxon tests,CN=Test authority has issued")
    }
  }

  @Test func aCertificateThatHasExpiredIsNotBelieved() async throws {
    let expired = ServerTLS(certificateFile: files.path("expired.pem"), keyFile: files.path("expired.key"))
    try await withServer(tls: expired) { port in
      let reason = try await reason("dns:///localhost:\(port)", ClientTLS(trustRoots: .file(files.authority)))
      #expect(
        reason.hasPrefix(
          "TLS: CERTIFICATE_VERIFY_FAILED: the certificate of O=Taxon tests,CN=expired expired on 20"))
      #expect(reason.hasSuffix(" UTC"))
    }
  }

  @Test func aCertificateForAnotherNameIsNotBelieved() async throws {
    try await withServer(tls: serverTLS) { port in
      let reason = try await reason(
        "dns:///localhost:\(port)", ClientTLS(trustRoots: .file(files.authority), serverName: "other.test"))
      #expect(
        reason == "TLS: the server's certificate is not for other.test, but for DNS:localhost, DNS:server.test, "
          + "IP Address:127.0.0.1")
    }
  }

  @Test func aServerWithoutTLSIsUnreachableWithIt() async throws {
    try await withServer(tls: nil) { port in
      let reason = try await reason("dns:///localhost:\(port)", ClientTLS(trustRoots: .file(files.authority)))
      #expect(reason.hasPrefix("TLS: "))
    }
  }

  @Test func aServerThatNeverShakesHandsIsUnreachableAfterTheConnectTimeout() async throws {
    let peer = try await ScriptedPeer()
    let channel = try watched(
      Channel(
        "127.0.0.1:\(peer.port)",
        configuration: quietly {
          $0.tls = ClientTLS(trustRoots: .file(files.authority))
          $0.connectTimeout = .seconds(2)
          $0.backoff = Backoff(base: .milliseconds(50), cap: .milliseconds(50))
        }))
    guard case .endpointUnreachable(let error)? = await channel.failure() else {
      Issue.record("another error")
      return
    }
    #expect(error.reason == "the TLS handshake took too long")
    channel.shutDown()
    await peer.close()
  }

  @Test func filesThatAreNotThereAreASetupError() {
    #expect(throws: SetupError.self) {
      try watched(Channel("localhost:1", tls: ClientTLS(trustRoots: .file("/no/such/file.pem"))))
    }
  }
}
