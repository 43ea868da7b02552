// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonCalls
import TaxonFixtures
import TaxonTransport
import Testing

/// What an error says of a connection that was not made, or was lost.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct ConnectionTextTests {
  private let files = Certificates.shared

  /// Calls a server that writes the bytes when the call's request has come.
  private func failure(
    _ change: (inout Channel.Configuration) -> Void = { _ in }, _ bytes: @escaping @Sendable (UInt8) -> [UInt8]
  ) async throws -> ConnectionError? {
    let server = try await WireServer { stream, event in
      if event == .end { stream.write(bytes(UInt8(stream.id))) }
    }
    let channel = try watched(Channel("127.0.0.1:\(server.port)", configuration: quietly(.none, change)))
    let failure = await channel.failure(options: CallOptions(timeout: .seconds(20)))
    channel.shutDown()
    await server.close()
    return failure
  }

  private func headers(_ stream: UInt8) -> [UInt8] {
    // :status 200, indexed; content-type and its value as literals.
    let block = [0x88, 0x00, 12] + Array("content-type".utf8) + [16] + Array("application/grpc".utf8)
    return [0, 0, UInt8(block.count), 1, 4, 0, 0, 0, stream] + block
  }

  @Test func aConnectionThatTheClientEndsSaysWhatWasMalformed() async throws {
    let error = try #require(await failure { _ in [0, 0, 1, 0, 0, 0, 0, 0, 0, 7] })
    guard case .connectionLost(let lost) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(lost.error == "what came is malformed: DATA: stream_id == 0 (GOAWAY PROTOCOL_ERROR of this end)")
    let address = try #require(lost.address)
    #expect(
      lost.message.hasPrefix("The connection to \(lost.endpoint) was lost: \(lost.error) (\(address), after "))
    #expect(lost.message.hasSuffix(" s; next attempt with the next call)"))
    #expect(lost.phase == .call)
  }

  @Test func aFloodThatTheClientEndsSaysOfWhat() async throws {
    let headers = headers
    let error = try #require(
      await failure({ $0.http2.flood.emptyData = .init(burst: 5, perSecond: 0) }) { stream in
        headers(stream) + (0..<6).flatMap { _ in [0, 0, 0, 0, 0, 0, 0, 0, stream] as [UInt8] }
      })
    guard case .connectionLost(let lost) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(lost.error.hasPrefix("the peer sent too many empty DATA frames (GOAWAY ENHANCE_YOUR_CALM of this end"))
  }

  @Test func aStreamThatTheClientResetsIsNoResetOfTheServers() async throws {
    let error = try #require(
      await failure { stream in
        // :status 200, and again.
        [0, 0, 2, 1, 4, 0, 0, 0, stream, 0x88, 0x88]
      })
    #expect(error.status == .internalError)
    #expect(
      error.message == "The answer is malformed: the header field \":status\" is invalid, or not allowed there")
  }

  @Test func aServerWithoutTLSBehindATargetWithIsToldApart() async throws {
    let server = try await makeServer { text, _ in text }
    let channel = try watched(
      Channel(
        "127.0.0.1:\(server.port ?? 0)",
        configuration: quietly { $0.tls = ClientTLS(trustRoots: .file(files.authority)) }))
    let error = try #require(await channel.failure())
    #expect(error.code == "ENDPOINT_UNREACHABLE")
    #expect(
      error.message.contains(" failed: WRONG_VERSION_NUMBER (what the peer says is no TLS)"), "\(error.message)")
    channel.shutDown()
    await server.shutDown()
  }

  @Test func aServerWithTLSBehindATargetWithoutIsToldApart() async throws {
    let tls = ServerTLS(certificateFile: files.path("server.pem"), keyFile: files.path("server.key"))
    let server = try await makeServer(configure: { $0.tls = tls }) { text, _ in text }
    let channel = try watched(Channel("127.0.0.1:\(server.port ?? 0)", configuration: quietly()))
    let error = try #require(await channel.failure())
    #expect(error.code == "ENDPOINT_UNREACHABLE")
    #expect(
      error.message.contains(
        " did not begin HTTP/2: it answers TLS, and the channel is set to speak without (Channel.Configuration.tls)"),
      "\(error.message)")
    channel.shutDown()
    await server.shutDown()
  }

  @Test func aMessageOfAnAnswerIsTooLargeAlikeCompressedOrNot() async throws {
    for compression in [nil, CompressionSettings(.gzip)] {
      let server = try await makeServer(configure: { $0.calls.compression = compression }) { _, _ in
        String(repeating: "x", count: 5000)
      }
      let channel = try watched(
        Channel(
          "127.0.0.1:\(server.port ?? 0)", configuration: quietly { $0.limits.maxMessageSize = 4000 }))
      let error = try #require(await channel.failure())
      #expect(error.code == "MESSAGE_TOO_LARGE")
      #expect(error.severity == .warning)
      channel.shutDown()
      await server.shutDown()
    }
  }
}
