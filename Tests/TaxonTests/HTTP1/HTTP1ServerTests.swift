// SPDX-License-Identifier: Apache-2.0
import Foundation
import Taxon
import TaxonFixtures
import TaxonProtobuf
import TaxonTransport
import Testing

/// What a server does with connections that speak HTTP/1.1.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct HTTP1ServerTests {
  private static let end = "grpc-status: 0\r\n\r\n"

  /// A call of the text service.
  static func call(
    _ text: String, fields: String = "", chunked: Bool = false, version: String = "HTTP/1.1"
  ) -> [UInt8] {
    let body = [0, 0, 0, 0, UInt8(text.utf8.count + 2), 0x0A, UInt8(text.utf8.count)] + Array(text.utf8)
    let head =
      "POST /test.Text/Call \(version)\r\nHost: test\r\nContent-Type: application/grpc\r\nTE: trailers\r\n\(fields)"
    guard chunked else { return Array("\(head)Content-Length: \(body.count)\r\n\r\n".utf8) + body }
    var bytes = Array("\(head)Transfer-Encoding: chunked\r\n\r\n".utf8)
    for byte in body { bytes += Array("1;x=y\r\n".utf8) + [byte] + Array("\r\n".utf8) }
    return bytes + Array("0\r\nX-Trailer: y\r\n\r\n".utf8)
  }

  private func withClient(
    _ change: (inout Server.Configuration) -> Void = { _ in }, test: (RawClient, Server) async throws -> Void
  ) async throws {
    try await run(change, { text, _ in text }, test)
  }

  private func withHandler(
    _ body: @escaping @Sendable (String, ServerContext) async throws -> String,
    test: (RawClient, Server) async throws -> Void
  ) async throws {
    try await run({ _ in }, body, test)
  }

  private func run(
    _ change: (inout Server.Configuration) -> Void,
    _ body: @escaping @Sendable (String, ServerContext) async throws -> String,
    _ test: (RawClient, Server) async throws -> Void
  ) async throws {
    try await withServer([TextService(body: body)]) {
      $0.gracePeriod = .seconds(5)
      change(&$0)
    } test: { server, port in
      let client = try await RawClient.connect(port)
      try await test(client, server)
      await client.close()
    }
  }

  @Test(arguments: [false, true]) func callsFollowEachOtherOnAConnection(_ chunked: Bool) async throws {
    try await withClient { client, _ in
      for number in 1...3 {
        try await client.write(Self.call("call \(number)", chunked: chunked))
        let answer = try await client.receive(number, of: Self.end)
        #expect(answer.contains("call \(number)"))
        #expect(!answer.contains("connection:"))
      }
    }
  }

  @Test func callsInOneReadAreAnsweredInTheirOrder() async throws {
    let release = Signal()
    let begun = Tally()
    try await withHandler { text, _ in
      begun.add()
      if text == "1" { await release.wait() }
      return "answer \(text)"
    } test: { client, _ in
      try await client.write((1...5).flatMap { Self.call("\($0)", chunked: $0 == 3) })
      await begun.reaches(1)
      release.send()
      let answers = try await client.receive(5, of: Self.end)
      let places = (1...5).compactMap { answers.range(of: "answer \($0)")?.lowerBound }
      #expect(places.count == 5)
      #expect(places == places.sorted())
      #expect(begun.count == 5)
    }
  }

  @Test func aByteAtATimeIsAsGood() async throws {
    try await withClient { configuration in
      configuration.http1.headTimeout = .seconds(60)
    } test: { client, _ in
      for byte in Self.call("slowly", chunked: true) { try await client.write([byte]) }
      #expect(try await client.receive(of: Self.end).contains("slowly"))
    }
  }

  @Test func theLastCallSaysSo() async throws {
    try await withClient { client, _ in
      try await client.write(Self.call("x", fields: "Connection: close\r\n"))
      let answer = try await client.all
      #expect(answer.contains("connection: close\r\n"))
      #expect(answer.hasSuffix(Self.end))
    }
  }

  @Test(arguments: [false, true]) func theOldVersionGetsALength(_ keepsAlive: Bool) async throws {
    try await withClient { client, _ in
      let call = Self.call("x", fields: keepsAlive ? "Connection: keep-alive\r\n" : "", version: "HTTP/1.0")
      try await client.write(call)
      let answer = try await keepsAlive ? client.receive(of: "\u{1}x") : client.all
      #expect(answer.contains("grpc-status: 0\r\ncontent-length: 8\r\n"))
      #expect(answer.contains("connection: \(keepsAlive ? "keep-alive" : "close")\r\n"))
    }
  }

  @Test func aClientThatWaitsIsToldToGoOn() async throws {
    try await withClient { client, _ in
      let call = Self.call("x", fields: "Expect: 100-continue\r\n")
      let body = 8
      try await client.write(Array(call.dropLast(body)))
      #expect(try await client.receive(of: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
      try await client.write(Array(call.suffix(body)))
      #expect(try await client.receive(of: Self.end).contains("HTTP/1.1 200 OK\r\n"))
    }
  }

  @Test func aClientThatWaitsIsNotToldToGoOnWhenTheAnswerIsKnown() async throws {
    try await withClient { client, _ in
      try await client.write(
        "POST /test.Text/None HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Type: application/grpc\r\n"
          + "Content-Length: 100\r\n\r\n")
      let answer = try await client.all
      #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
      #expect(answer.contains("connection: close\r\n"))
      #expect(answer.contains("grpc-status: 12\r\n"))
    }
  }

  @Test(arguments: [
    ("HEAD / HTTP/1.1", 404), ("OPTIONS * HTTP/1.1", 204), ("GET http://test/x HTTP/1.1", 404),
    ("GET /test.Text/Call HTTP/1.1", 405),
  ])
  func whatIsNoCallIsAnsweredAndTheConnectionGoesOn(_ line: String, _ status: Int) async throws {
    try await withClient { client, _ in
      try await client.write("\(line)\r\nHost: a\r\n\r\n")
      let answer = try await client.receive(of: "\r\n\r\n")
      #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
      try await client.write(Self.call("x"))
      let both = try await client.receive(of: Self.end)
      #expect(both.contains(#"{"error":"#) == line.hasPrefix("GET"))
    }
  }

  @Test(arguments: [
    (400, "Content-Length: 5\r\nContent-Length: 5\r\n"), (400, "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
    (400, "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), (400, "Content-Length: 5, 5\r\n"),
    (400, "Content-Length: +5\r\n"), (400, "Content-Length: 99999999999999999999\r\n"), (400, "Content-Length: \r\n"),
    (400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
    (400, "Transfer-Encoding: gzip, chunked\r\n"),
    (400, "Transfer-Encoding: xchunked\r\n"), (400, "Transfer-Encoding: identity\r\n"),
    (400, "Transfer-Encoding : chunked\r\n"), (400, "Transfer-Encoding:\u{b}chunked\r\n"), (400, "A: b\r\n c\r\n"),
    (400, "A: b\nContent-Length: 5\r\n"), (400, "A: b\rc\r\n"), (400, "A: \0\r\n"), (400, "Host: b\r\n"),
    (417, "Expect: more\r\nContent-Length: 5\r\n"),
  ])
  func aRequestThatMayBeTwoIsRefusedAndNothingIsHandedOn(_ status: Int, _ fields: String) async throws {
    let called = Tally()
    try await withHandler { text, _ in
      called.add()
      return text
    } test: { client, _ in
      try await client.write(
        Array("POST /test.Text/Call HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\n\(fields)\r\n".utf8)
          + [0, 0, 0, 0, 0] + Self.call("smuggled"))
      let answer = try await client.all
      #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
      #expect(answer.contains("connection: close\r\n"))
      #expect(answer.components(separatedBy: "HTTP/1.1 ").count == 2)
      #expect(called.count == 0)
    }
  }

  @Test(arguments: [
    (505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"), (505, "GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\n\r\n"),
    (400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), (400, "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"),
    (400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"), (400, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    (501, "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"), (501, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"),
    (
      400,
      "POST /test.Text/Call HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"
    ),
  ])
  func whatIsNotUnderstoodIsRefused(_ status: Int, _ text: String) async throws {
    try await withClient { client, _ in
      try await client.write(text)
      let answer = try await client.all
      #expect(answer.components(separatedBy: "HTTP/1.1 \(status) ").count == 2, "\(answer)")
    }
  }

  @Test(arguments: [true, false]) func aHeadOverTheLimitIsRefused(_ isWhole: Bool) async throws {
    try await withClient { client, _ in
      let end = isWhole ? "\r\n\r\n" : ""
      try await client.write("GET / HTTP/1.1\r\nHost: a\r\nA: \(String(repeating: "x", count: 17_000))\(end)")
      #expect(try await client.all.hasPrefix("HTTP/1.1 431 Request Header Fields Too Large\r\n"))
    }
  }

  @Test(arguments: ["POST /", "POST / HTTP/1.1\r\nHost: a\r\n"]) func aHeadThatDoesNotEndIsGivenUp(_ text: String)
    async throws
  {
    try await withClient {
      $0.http1.headTimeout = .milliseconds(100)
    } test: { client, _ in
      try await client.write(text)
      #expect(try await client.all.hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
    }
  }

  @Test func aBodyThatDoesNotEndIsGivenUp() async throws {
    try await withClient {
      $0.http1.bodyTimeout = .milliseconds(100)
    } test: { client, _ in
      try await client.write(Array(Self.call("x").dropLast()))
      #expect(try await client.all.hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
    }
  }

  @Test func aConnectionWithoutRequestsIsClosed() async throws {
    try await withClient {
      $0.http1.idleTimeout = .milliseconds(100)
    } test: { client, _ in
      try await client.write(Self.call("x"))
      #expect(try await client.all.hasSuffix(Self.end))
    }
  }

  @Test func aClientThatGoesAwayCancelsItsCall() async throws {
    let (begun, cancelled) = (Signal(), Signal())
    try await withHandler { text, _ in
      begun.send()
      await untilCancelled()
      cancelled.send()
      return text
    } test: { client, _ in
      // What waits behind it does not keep the end of the connection from being seen.
      try await client.write(Self.call("x") + Self.call("y"))
      await begun.wait()
      await client.close()
      await cancelled.wait()
    }
  }

  @Test func aShutdownClosesIdleConnectionsAndLetsCallsEnd() async throws {
    let (begun, release) = (Signal(), Signal())
    try await withHandler { text, _ in
      guard text == "busy" else { return text }
      begun.send()
      await release.wait()
      return text
    } test: { client, server in
      let idle = try await RawClient.connect(server.port ?? 0)
      try await idle.write(Self.call("x"))
      _ = try await idle.receive(of: Self.end)
      try await client.write(Self.call("busy"))
      await begun.wait()
      async let shutdown: Void = server.shutDown()
      #expect(try await idle.all.hasSuffix(Self.end))
      release.send()
      let answer = try await client.all
      #expect(answer.contains("connection: close\r\n"))
      #expect(answer.hasSuffix(Self.end))
      await shutdown
    }
  }

  @Test(arguments: [["http/1.1"], [], ["h2", "http/1.1"]]) func alpnChooses(_ protocols: [String]) async throws {
    let files = Certificates.shared
    try await withServer([TextService { _, context in "\(context.peerCertificate == nil)" }]) {
      $0.tls = ServerTLS(certificateFile: files.path("server.pem"), keyFile: files.path("server.key"))
    } test: { _, port in
      let client = try await RawClient.connect(port, tls: (files.authority, protocols))
      if protocols.first == "h2" {
        // The server's SETTINGS come at once.
        #expect(try await client.receive(of: "\u{4}").utf8.count >= 9)
      } else {
        try await client.write(Self.call("x"))
        #expect(try await client.receive(of: Self.end).contains("true"))
      }
      await client.close()
    }
  }

  @Test(arguments: [[0x16, 3, 1, 2, 0, 1], [0, 1, 2], [0xFF]]) func whatIsNoHTTPIsClosed(_ bytes: [UInt8]) async throws
  {
    try await withClient {
      $0.connections.setupTimeout = .seconds(600)
    } test: { client, _ in
      try await client.write(bytes)
      #expect(try await client.all.hasPrefix("HTTP/1.1 400") == (bytes[0] == 0x16))
    }
  }
}
