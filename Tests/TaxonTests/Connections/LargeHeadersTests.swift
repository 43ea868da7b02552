// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonFixtures
import Testing

/// Metadata that is larger than HTTP/2 carries here.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct LargeHeadersTests {
  private let large = String(repeating: "x", count: 70_000)

  @Test func aCallWithTooMuchMetadataFailsAloneAndBeforeAnythingLeaves() async throws {
    let started = Signal()
    let goOn = Signal()
    let calls = Locked(0)
    let server = try await makeServer { text, _ in
      calls.withLock { $0 += 1 }
      if text == "slow" {
        started.send()
        await goOn.wait()
      }
      return text
    }
    let relay = try await Relay(to: server.port ?? 0)
    let channel = try watched(
      Channel(
        "127.0.0.1:\(relay.port)",
        configuration: quietly(CallPolicy(retry: .standard, breaker: .init(failureThreshold: 1)))))
    async let slow = channel.text("slow")
    await started.wait()
    let error = await channel.failure(
      "large", TextService.repeatable, options: CallOptions(metadata: ["x-large": large]))
    #expect(error?.code == "HEADERS_TOO_LARGE")
    #expect(error?.status == .resourceExhausted)
    #expect(calls.withLock { $0 } == 1)
    #expect(channel.breaker?.state == .closed)
    goOn.send()
    #expect(try await slow == "slow")
    #expect(relay.connections == 1)
    channel.shutDown()
    await server.shutDown()
    await relay.close()
  }

  @Test func anAnswerWithTooMuchMetadataFailsAlone() async throws {
    try await withServer { [large] text, context in
      if text == "large" { context.trailingMetadata = ["x-large": large] }
      if text == "early" { context.initialMetadata = ["x-large": large] }
      return text
    } test: { target, _ in
      let channel = try watched(Channel(target, configuration: quietly()))
      for text in ["large", "early"] {
        let error = await channel.failure(text)
        #expect(error?.status == .resourceExhausted)
        #expect(error?.code == "HEADERS_TOO_LARGE")
        #expect(try await channel.text("x") == "x")
      }
      channel.shutDown()
    }
  }
}
