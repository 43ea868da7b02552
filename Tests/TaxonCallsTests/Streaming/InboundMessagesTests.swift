// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import Testing

/// The list between a connection and a reader.
@Suite(.timeLimit(.minutes(1))) struct InboundMessagesTests {
  typealias Messages = InboundMessages<Int, RPCError>

  @Test func anAbandonedStreamHasNoGoodEndWhateverComesAtTheSameTime() async {
    for _ in 0..<1000 {
      let messages = Messages(credit: { _ in })
      messages.append(1, kept: .none)
      async let end: Void = messages.finish()
      messages.abandon(.cancelled)
      await end
      await #expect(throws: RPCError.self) { try await messages.next() }
    }
  }

  @Test func whatAnEmptyMessageKeepsIsMoreThanNothing() async throws {
    let told = Locked<[KeptBytes]>([])
    let messages = Messages(creditStep: 100) { kept in told.withLock { $0.append(kept) } }
    let kept = messages.kept(byteCount: 0, size: 5)
    #expect(kept.window == 5)
    #expect(kept.memory >= MemoryLayout<Int>.size)
    for number in 0..<20 { messages.append(number, kept: kept) }
    for number in 0..<20 { #expect(try await messages.next() == number) }
    #expect(told.withLock { $0 }.count >= 20 * kept.memory / (100 + kept.memory) - 1)
    #expect(told.withLock { $0 }.allSatisfy { $0.memory >= 100 })
  }

  @Test func nothingOfTheCallIsKeptAfterItsEnd() async {
    final class Owner: Sendable {}
    var owner: Owner? = Owner()
    weak let kept = owner
    let messages = Messages(credit: { [owner] _ in _ = owner })
    owner = nil
    #expect(kept != nil)
    messages.abandon(.cancelled)
    #expect(kept == nil)
    await #expect(throws: RPCError.self) { try await messages.next() }
  }
}
