// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix
import NIOSSL
import Taxon
import TaxonFixtures
import Testing

import class TaxonClient.Channel

/// Peers that encrypt, and do not agree on HTTP/2.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct ALPNTests {
  private let files = Certificates.shared

  /// A TLS server that chooses among these protocols, and says nothing more.
  private func withPeer(_ protocols: [String], test: (Int) async throws -> Void) async throws {
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: try NIOSSLCertificate.fromPEMFile(files.path("server.pem")).map { .certificate($0) },
      privateKey: .privateKey(try NIOSSLPrivateKey(file: files.path("server.key"), format: .pem)))
    configuration.applicationProtocols = protocols
    let context = try NIOSSLContext(configuration: configuration)
    let listening = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    let result: Result<Void, any Error>
    do { result = .success(try await test(listening.localAddress?.port ?? 0)) } catch { result = .failure(error) }
    try await listening.close()
    try result.get()
  }

  @Test func aServerWithoutALPNIsRefused() async throws {
    try await withPeer([]) { port in
      let channel = try watched(
        Channel(
          "dns:///localhost:\(port)",
          configuration: quietly { $0.tls = ClientTLS(trustRoots: .file(files.authority)) }))
      guard case .endpointUnreachable(let error)? = await channel.failure() else {
        Issue.record("another error")
        return
      }
      #expect(error.reason == "the peer does not offer HTTP/2 by ALPN (h2)")
      #expect(error.status == .unavailable)
      channel.shutDown()
    }
  }

  @Test func aServerThatSpeaksAnotherProtocolIsRefused() async throws {
    try await withPeer(["http/1.1"]) { port in
      let channel = try watched(
        Channel(
          "dns:///localhost:\(port)",
          configuration: quietly { $0.tls = ClientTLS(trustRoots: .file(files.authority)) }))
      guard case .endpointUnreachable(let error)? = await channel.failure() else {
        Issue.record("another error")
        return
      }
      #expect(error.reason == "the peer does not offer HTTP/2 by ALPN (h2)")
      channel.shutDown()
    }
  }
}
