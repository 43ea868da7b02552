// SPDX-License-Identifier: Apache-2.0
import Foundation
import NIOCore
import NIOPosix
import Taxon
import TaxonCalls
import TaxonFixtures
import TaxonTesting
import TaxonTransport
import Testing

import class TaxonClient.Channel

/// How far a connection came, and what its errors say of that, phase by phase. Times are in OutageTests.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct UnreachableTests {
  private let files = Certificates.shared

  /// Fails a call to a target at which nothing is cut short by the pause between attempts.
  private func unreachable(
    _ target: String, _ change: (inout Channel.Configuration) -> Void = { _ in }
  ) async throws -> ConnectionError.EndpointUnreachable {
    let channel = try watched(
      Channel(
        target,
        configuration: quietly {
          $0.backoff = Backoff(base: .milliseconds(50), cap: .milliseconds(50))
          $0.connectTimeout = .seconds(30)
          change(&$0)
        }))
    defer { channel.shutDown() }
    let failure = await channel.failure(options: CallOptions(timeout: .seconds(40)))
    let error = try #require(failure)
    #expect(error.status == .unavailable)
    return try #require(error.as(ConnectionError.EndpointUnreachable.self), "\(error)")
  }

  /// The start of the message, and what the fields say beside it.
  private func check(
    _ error: ConnectionError.EndpointUnreachable, _ phase: ConnectionPhase, at address: String?, _ explanation: String
  ) {
    #expect(error.phase == phase)
    #expect(error.address == address)
    #expect(
      error.message.hasPrefix("Target \(error.endpoint) cannot be reached: \(explanation)"), "\(error.message)")
    #expect(error.message.contains("; next attempt "))
    #expect(error.unreachableForMs ?? -1 >= 0)
    #expect(error.nextAttemptInMs ?? -1 >= 0)
  }

  private func check(
    _ peer: ScriptedPeer, _ phase: ConnectionPhase, connectTimeout: Duration = .seconds(30), _ explanation: String
  ) async throws {
    let target = "127.0.0.1:\(peer.port)"
    let error = try await unreachable(target) { $0.connectTimeout = connectTimeout }
    check(error, phase, at: target, "\(target) \(explanation)")
    await peer.close()
  }

  @Test func aNameThatNobodyKnows() async throws {
    struct Unknown: Error, CustomStringConvertible {
      let description = "the name orders.test cannot be resolved: Name or service not known"
    }
    let error = try await unreachable("dns:///orders.test:443") { $0.nameLookup = { _, _ in throw Unknown() } }
    check(
      error, .resolve, at: nil, "the name orders.test cannot be resolved: Name or service not known")
    #expect(error.cause is Unknown)
  }

  @Test func aNameWithoutAnAddress() async throws {
    let error = try await unreachable("dns:///orders.test:443") { $0.nameLookup = { _, _ in [] } }
    check(error, .resolve, at: nil, "dns:///orders.test:443 has no address")
  }

  @Test func addressesAtWhichNobodyListens() async throws {
    let ports = [freePort(), freePort()]
    let error = try await unreachable("ipv4:127.0.0.1:\(ports[0]),127.0.0.1:\(ports[1])")
    #expect(error.otherAddresses == 1)
    check(
      error, .connect, at: "127.0.0.1:\(ports[1])",
      "connecting to 127.0.0.1:\(ports[1]) and one other address failed: Connection refused (ECONNREFUSED)")
  }

  @Test func aSocketThatIsNotThere() async throws {
    let path = "unix:" + NSTemporaryDirectory() + "taxon-\(UInt32.random(in: 0 ... .max))"
    let error = try await unreachable(path)
    check(error, .connect, at: path, "connecting to \(path) failed: No such file or directory (ENOENT)")
  }

  @Test func aCertificateThatIsNotBelieved() async throws {
    let tls = ServerTLS(certificateFile: files.path("pinned-expired.pem"), keyFile: files.path("pinned-expired.key"))
    let server = try await makeServer(configure: { $0.tls = tls }) { text, _ in text }
    let port = server.port ?? 0
    let error = try await unreachable("dns:///localhost:\(port)") {
      $0.tls = ClientTLS(trustRoots: .file(files.path("pinned-expired.pem")))
    }
    check(
      error, .tls, at: "127.0.0.1:\(port)",
      "the TLS handshake with 127.0.0.1:\(port) failed: CERTIFICATE_VERIFY_FAILED: the certificate of CN=pinned expired on "
    )
    await server.shutDown()
  }

  @Test func aHandshakeThatDoesNotEnd() async throws {
    let peer = try await ScriptedPeer()
    let error = try await unreachable("127.0.0.1:\(peer.port)") {
      $0.tls = ClientTLS(trustRoots: .file(files.authority))
      $0.connectTimeout = .seconds(3)
    }
    check(
      error, .tls, at: "127.0.0.1:\(peer.port)",
      "the TLS handshake with 127.0.0.1:\(peer.port) failed: the TLS handshake took too long, for ")
    await peer.close()
  }

  @Test func aPeerThatClosesBeforeItSaysAnything() async throws {
    let listening = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { $0.close() }
      .bind(host: "127.0.0.1", port: 0).get()
    let target = "127.0.0.1:\(listening.localAddress?.port ?? 0)"
    // A peer that closes with bytes unread resets the connection.
    check(try await unreachable(target), .preface, at: target, "\(target) did not begin HTTP/2: ")
    try await listening.close()
  }

  @Test func aPeerThatSpeaksHTTP1() async throws {
    let answer = Array("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n".utf8)
    try await check(ScriptedPeer(greeting: answer), .preface, "did not begin HTTP/2: it answers HTTP/1.1: ")
  }

  @Test func aServerWithoutSettings() async throws {
    try await check(
      ScriptedPeer(), .settings, connectTimeout: .seconds(4),
      "takes no calls: the server did not send its SETTINGS in time, for ")
  }

  @Test func aServerThatAllowsNoStreams() async throws {
    let settings: [UInt8] = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0]
    try await check(
      ScriptedPeer(greeting: settings), .settings, connectTimeout: .seconds(6),
      "takes no calls: the server allows no streams (SETTINGS_MAX_CONCURRENT_STREAMS is 0), for ")
  }

  @Test func aServerThatSendsConnectionsAway() async throws {
    // It allows no streams, and then says why.
    let settings: [UInt8] = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0]
    try await check(
      ScriptedPeer(greeting: settings + ScriptedPeer.goAway(11, "come back later")), .goaway,
      "takes no calls: closed by the peer after GOAWAY ENHANCE_YOUR_CALM (come back later)")
  }

  @Test(arguments: [false, true]) func aConnectionThatIsLostInACall(_ hasGoAway: Bool) async throws {
    let server = try await WireServer { stream, event in
      guard event == .end else { return }
      if hasGoAway { stream.goAway(last: 1, code: 2) } else { stream.write([UInt8](repeating: 0xff, count: 9)) }
    }
    let channel = try watched(
      Channel(
        "dns:///localhost:\(server.port)",
        configuration: quietly {
          $0.nameLookup = { host, port in
            [try SocketAddress(ipAddress: "127.0.0.1", port: port)]
          }
        }))
    let error = try #require(await channel.failure(options: CallOptions(timeout: .seconds(20))))
    let lost = try #require(error.as(ConnectionError.ConnectionLost.self), "\(error)")
    #expect(lost.endpoint == "dns:///localhost:\(server.port)")
    #expect(lost.address == "127.0.0.1:\(server.port)")
    #expect(lost.phase == (hasGoAway ? .goaway : .call))
    #expect(lost.connectedForMs ?? -1 >= 0)
    #expect(lost.nextAttemptInMs == 0)
    let start =
      "The connection to dns:///localhost:\(server.port) was lost: \(lost.error) (127.0.0.1:\(server.port), after "
    #expect(lost.message.hasPrefix(start), "\(lost.message)")
    if hasGoAway { #expect(lost.error.hasSuffix(" after GOAWAY INTERNAL_ERROR")) }
    channel.shutDown()
    await server.close()
  }

  @Test func aCallThatAGoAwayDisownsNamesItAndTheServer() async throws {
    // Twice: the first refusal of the kind is repeated without a word.
    let server = try await WireServer { stream, event in
      if event == .end { stream.goAwayBelow(code: 11) }
    }
    let channel = try watched(Channel("127.0.0.1:\(server.port)", configuration: quietly()))
    let failure = await channel.failure(options: CallOptions(timeout: .seconds(20)))
    let refused = try #require(failure?.as(ConnectionError.CallRefused.self), "\(String(describing: failure))")
    #expect(
      refused.message
        == "127.0.0.1:\(server.port) refused the call: 127.0.0.1:\(server.port) takes no more calls on the connection "
        + "(GOAWAY ENHANCE_YOUR_CALM), and did not process this one")
    #expect(refused.phase == .goaway)
    #expect(refused.status == .unavailable)
    #expect(refused.isRetrySafe)
    #expect(server.streams == 2)
    channel.shutDown()
    await server.close()
  }

  @Test func localizedDescriptionIsTheMessage() async throws {
    let port = freePort()
    let channel = try watched(Channel("127.0.0.1:\(port)", configuration: quietly()))
    let error = try #require(await channel.failure())
    let errors: [any Error] = [
      error, try #require(error.as(ConnectionError.EndpointUnreachable.self)),
      RPCError(error.wrapped as! any DeclaredError),
      RPCError(.unavailable, error.message),
    ]
    for thrown in errors {
      #expect(thrown.localizedDescription == error.message)
      #expect("\(thrown)".hasSuffix(": \(error.message)"))
    }
    #expect((RPCError(.notFound) as any Error).localizedDescription == "NOT_FOUND")
    channel.shutDown()
  }
}
