// SPDX-License-Identifier: Apache-2.0
import Foundation
import Logging
import Taxon
import TaxonFixtures
import Testing

/// Peers whose own certificates are trusted, without an authority.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct PinnedTLSTests {
  private let files = Certificates.shared

  private func identity(_ name: String) -> TLSIdentity {
    TLSIdentity(certificateFile: files.path("\(name).pem"), keyFile: files.path("\(name).key"))
  }

  /// What a call to a server with this certificate comes to: nil when it succeeds, else the error's text.
  private func failure(
    server: String, trusting trusted: [String], name: String? = nil, client: (identity: String, trusted: String)? = nil,
    serverLog: LogRecorder = LogRecorder(), clientLog: LogRecorder = LogRecorder()
  ) async throws -> ConnectionError.EndpointUnreachable? {
    var serverTLS = ServerTLS(identity: identity(server))
    if let client {
      serverTLS.clientCertificates = .required
      serverTLS.trustRoots = .file(files.path("\(client.trusted).pem"))
    }
    let running = watched(
      Server(
        .init(port: 0, tls: serverTLS), services: [TextService { text, _ in text }], logger: serverLog.logger))
    try await running.start()
    let pem = try trusted.map { try Data(contentsOf: URL(fileURLWithPath: files.path("\($0).pem"))) }.reduce(Data(), +)
    let target = "dns:///localhost:\(running.port ?? 0)"
    let channel = try watched(
      Channel(
        target,
        configuration: quietly {
          $0.tls = ClientTLS(
            trustRoots: .pem(.bytes(Array(pem))), identity: client.map { identity($0.identity) }, serverName: name)
          $0.logger = clientLog.logger
        }))
    var error: ConnectionError?
    do throws(ConnectionError) { _ = try await channel.text("x") } catch let thrown { error = thrown }
    channel.shutDown()
    await running.shutDown()
    switch error {
    case nil: return nil
    case .endpointUnreachable(let unreachable)?:
      let reason = unreachable.reason.replacing("TLS: ", with: "", maxReplacements: 1)
      let address = try #require(unreachable.address)
      #expect(address.hasPrefix("127.0.0.1:"))
      let sentence = "Target \(target) cannot be reached: the TLS handshake with \(address) failed: "
      #expect(unreachable.message.hasPrefix(sentence + reason), "\(unreachable.message)")
      #expect(unreachable.phase == .tls)
      #expect(unreachable.cause is ConnectionFailure)
      return unreachable
    case let other?:
      Issue.record("\(other)")
      return nil
    }
  }

  @Test func aCertificateThatSignsItselfAloneIsBelievedWhereItIsTrusted() async throws {
    #expect(try await failure(server: "pinned", trusting: ["pinned"]) == nil)
    #expect(try await failure(server: "pinned", trusting: ["pinned-other", "pinned"]) == nil)
  }

  @Test func aLeafOfAnAuthorityThatIsNotTrustedIsBelievedWhereItIsTrusted() async throws {
    #expect(try await failure(server: "server", trusting: ["server"]) == nil)
  }

  @Test func anAuthorityIsBelievedForWhatItHasSigned() async throws {
    #expect(try await failure(server: "server", trusting: ["authority"]) == nil)
    #expect(try await failure(server: "server", trusting: ["authority", "pinned"]) == nil)
  }

  @Test(arguments: [
    ("pinned-expired", "pinned-expired", "TLS: CERTIFICATE_VERIFY_FAILED: the certificate of CN=pinned expired on 20"),
    (
      "pinned-other", "pinned",
      "TLS: CERTIFICATE_VERIFY_FAILED: no trusted authority has signed the certificate of CN=pinned, which CN=pinned"
    ),
    (
      "pinned-client", "pinned-client",
      "TLS: CERTIFICATE_VERIFY_FAILED: the certificate of CN=pinned is not for a server"
    ),
    ("pinned-odd", "pinned-odd", "TLS: CERTIFICATE_VERIFY_FAILED: the certificate of CN=pinned is not for a server"),
    ("server", "pinned", "TLS: CERTIFICATE_VERIFY_FAILED: no trusted authority has signed the certificate of O=Taxon"),
    // A trusted certificate that may sign no other has signed this one's fellow.
    ("renewed", "server", "TLS: CERTIFICATE_VERIFY_FAILED: no trusted authority has signed the certificate of O=Taxon"),
  ])
  func anythingElseIsRefusedWithTheReason(_ server: String, _ trusted: String, _ reason: String) async throws {
    let log = LogRecorder()
    let failure = try await failure(server: server, trusting: [trusted], clientLog: log)
    #expect(failure?.reason.hasPrefix(reason) == true, "\(failure?.reason ?? "believed")")
    let line = try #require(log.lines.first { $0.message == "the target cannot be reached" })
    #expect(line.level == .notice)
    #expect(line.metadata["target"]?.hasPrefix("dns:///localhost:") == true)
    #expect(line.metadata["phase"] == "TLS")
    #expect(line.metadata["reason"]?.hasPrefix(reason) == true)
  }

  @Test func aTrustedCertificateIsBelievedForItsNamesAlone() async throws {
    let failure = try await failure(server: "pinned", trusting: ["pinned"], name: "other.test")
    #expect(
      failure?.reason == "TLS: the server's certificate is not for other.test, but for DNS:localhost, DNS:client.test, "
        + "IP Address:127.0.0.1")
  }

  @Test func aClientsOwnCertificateIsBelievedWhereItIsTrusted() async throws {
    #expect(
      try await failure(
        server: "server", trusting: ["authority"], client: (identity: "pinned-client", trusted: "pinned-client")) == nil
    )
  }

  @Test func theServersLogSaysWhyAClientWasTurnedAway() async throws {
    let log = LogRecorder()
    let failure = try await failure(
      server: "server", trusting: ["authority"], client: (identity: "pinned-other", trusted: "pinned"), serverLog: log)
    #expect(failure?.reason == "TLS: SSLV3_ALERT_CERTIFICATE_UNKNOWN")
    let line = try #require(log.lines.first { $0.message == "the TLS handshake with a peer failed" })
    #expect(line.level == .notice)
    #expect(
      line.metadata["reason"]
        == "TLS: CERTIFICATE_VERIFY_FAILED: no trusted authority has signed the certificate of CN=pinned, "
        + "which CN=pinned has issued")
  }

  @Test func aRefusedConnectionSaysSoInAFewWords() async throws {
    let port = freePort()
    let channel = try watched(Channel("127.0.0.1:\(port)", configuration: quietly()))
    let error = await channel.failure()
    let sentence =
      "Target 127.0.0.1:\(port) cannot be reached: connecting to 127.0.0.1:\(port) failed: Connection refused "
      + "(ECONNREFUSED)"
    #expect(error?.message.hasPrefix(sentence) == true, "\(error?.message ?? "")")
    channel.shutDown()
  }
}
