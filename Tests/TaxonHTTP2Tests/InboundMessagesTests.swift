// SPDX-License-Identifier: Apache-2.0
import Dispatch
import TaxonErrors
import TaxonProtobuf
import Testing

@testable import TaxonHTTP2

/// How messages that wait to be read come to their end.
@Suite(.timeLimit(.minutes(1))) struct InboundMessagesTests {
  typealias Messages = InboundMessages<Int, UndeclaredError>

  private let gone = UndeclaredError(.cancelled, "The call is over")

  @Test func anAbandonedStreamNeverEndsWell() async throws {
    for round in 0..<20_000 {
      let messages = Messages(credit: { _ in })
      messages.append(round, kept: .none)
      // The end comes before, after or while the stream is abandoned.
      DispatchQueue.concurrentPerform(iterations: 2) { thread in
        if thread == 0 { messages.abandon(gone) } else { messages.finish() }
      }
      let error = await #expect(throws: UndeclaredError.self, "round \(round)") {
        guard try await messages.next() != nil else { return }
      }
      guard error != nil else { return }
    }
  }

  @Test func nothingOfTheCallIsKeptAfterItsEnd() async {
    final class Owner: Sendable {}
    var owner: Owner? = Owner()
    weak let kept = owner
    let messages = Messages(credit: { [owner] _ in _ = owner })
    owner = nil
    #expect(kept != nil)
    messages.abandon(gone)
    #expect(kept == nil)
    await #expect(throws: UndeclaredError.self) { try await messages.next() }
  }
}
