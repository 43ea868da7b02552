// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Taxon
import TaxonCalls
import TaxonFixtures
import Testing

/// When the headers of a reply go, and in what they go.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct ResponseHeadersTests {
  @Test(arguments: Kind.allCases) func initialMetadataOfACallThatFailsComesBeforeTheTrailers(_ kind: Kind) async throws
  {
    var service = KindsService()
    service.failing = { context in
      context.initialMetadata["x-initial"] = "early"
      context.trailingMetadata["x-trailing"] = "late"
      throw ConnectionError.callRefused(endpoint: "test", reason: "no")
    }
    let server = try await makeServer([service])
    let client = try await WireClient.connect(.port(server.port ?? 0))
    let first = Locked<WireClient.Answer?>(nil)
    let answer = try await client.begin("/test.Kinds/\(kind.rawValue)") { answer in
      first.withLock { if $0 == nil { $0 = answer } }
    }.get()
    #expect(answer.status == "14")
    #expect(answer.fields["x-trailing"] == "late")
    #expect(answer.blocks == 2)
    let head = try #require(first.withLock { $0 })
    #expect(head.status == nil)
    // With a message, the head is out before the handler sets it.
    if kind == .unary || kind == .clientStreaming { #expect(head.fields["x-initial"] == "early") }
    #expect(head.fields["x-trailing"] == nil)
    await client.close()
    await server.shutDown()
  }

  @Test func anErrorWithoutInitialMetadataIsOneBlock() async throws {
    let server = try await makeServer { _, _ in throw ConnectionError.callRefused(endpoint: "test", reason: "no") }
    let client = try await WireClient.connect(.port(server.port ?? 0))
    let answer = try await client.call()
    #expect(answer.status == "14")
    #expect(answer.blocks == 1)
    await client.close()
    await server.shutDown()
  }

  @Test(arguments: [false, true]) func aHandlerSendsItsHeadersAtOnce(_ offLoop: Bool) async throws {
    let goOn = Signal()
    let results = Locked<[Bool]>([])
    let server = try await makeServer { text, context in
      context.initialMetadata["x-initial"] = "early"
      let send = { @Sendable in
        for _ in 0..<2 {
          let isSent = context.sendHeaders()
          results.withLock { $0.append(isSent) }
        }
      }
      if offLoop { await Task.detached { send() }.value } else { send() }
      context.initialMetadata["x-initial"] = "too late"
      await goOn.wait()
      if text == "fail" { throw ConnectionError.callRefused(endpoint: "test", reason: "no") }
      return text
    }
    let client = try await WireClient.connect(.port(server.port ?? 0))
    for (body, status) in [([0, 0, 0, 0, 0] as [UInt8], "0"), ([0, 0, 0, 0, 6, 10, 4] + Array("fail".utf8), "14")] {
      let first = Locked<WireClient.Answer?>(nil)
      let call = client.begin("/test.Text/Call", body) { answer in
        first.withLock { if $0 == nil { $0 = answer } }
        // The handler goes on only now: the headers did not wait for it.
        goOn.send()
      }
      let answer = try await call.get()
      #expect(answer.status == status)
      #expect(answer.blocks == 2)
      #expect(first.withLock { $0?.status } == nil)
      #expect(first.withLock { $0?.fields["x-initial"] } == "early")
    }
    #expect(results.withLock { $0 } == [true, false, true, false])
    await client.close()
    await server.shutDown()
  }

  @Test func aContextWithoutAServerSendsNoHeaders() {
    #expect(!ServerContext().sendHeaders())
  }
}
