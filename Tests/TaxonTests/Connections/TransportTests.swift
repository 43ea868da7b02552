// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonFixtures
import Testing

/// What holds whatever a call goes over.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct TransportTests {
  @Test(arguments: Transport.allCases) func callsAreAnswered(_ transport: Transport) async throws {
    try await transport.withChannel { text, _ in
      text + "!"
    } test: { channel, _ in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<300 {
          group.addTask {
            let answer = try await channel.text("\(number)")
            #expect(answer == "\(number)!")
          }
        }
        try await group.waitForAll()
      }
      #expect(channel.state == .ready)
    }
  }

  @Test(arguments: Transport.allCases) func largeMessagesArriveWhole(_ transport: Transport) async throws {
    let text = String(repeating: "0123456789", count: 100_000)
    try await transport.withChannel { text, _ in
      text
    } test: { channel, _ in
      let answer = try await channel.text(text)
      #expect(answer == text)
    }
  }

  @Test(arguments: Transport.allCases) func errorsArriveTyped(_ transport: Transport) async throws {
    try await transport.withChannel { _, _ in
      throw ConnectionError.callRefused(endpoint: "there", reason: "because")
    } test: { channel, _ in
      guard case .callRefused(let error)? = await channel.failure() else {
        Issue.record("another error")
        return
      }
      #expect(error.reason == "because")
    }
  }

  @Test(arguments: Transport.allCases) func deadlinesHold(_ transport: Transport) async throws {
    try await transport.withChannel { text, _ in
      await untilCancelled()
      return text
    } test: { channel, _ in
      let error = await channel.failure(options: CallOptions(timeout: .milliseconds(50)))
      #expect(error?.code == "DEADLINE_EXCEEDED")
    }
  }

  @Test func servicesAreCalledInMemoryWithoutAServerOfOnesOwn() async throws {
    let channel = try await watched(Channel.inMemory(to: [TextService { text, _ in text }], configuration: quietly()))
    #expect(try await channel.text("x") == "x")
    #expect(channel.target.description == "in-memory")
  }

  @Test func aServerThatDoesNotRunIsUnreachableInMemory() async throws {
    let server = watched(Server(.init(address: .none), services: [], logger: quiet))
    let channel = try watched(Channel.inMemory(to: server, configuration: quietly()))
    #expect(await channel.failure()?.status == .unavailable)
  }
}
