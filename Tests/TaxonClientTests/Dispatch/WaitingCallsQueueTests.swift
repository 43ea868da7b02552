// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonResilience
import Testing

@testable import TaxonClient

/// The queue of calls that wait.
struct WaitingCallsQueueTests {
  private final class Call: PendingCall {
    let number: Int
    var place: WaitingCalls.Place?
    let waitsForReady = true
    let isOver = false

    init(_ number: Int) { self.number = number }

    func admit(_ permit: consuming CircuitBreaker.Permit) {}
    func send(on connection: ClientConnection) {}
    func fail(_ error: any TaxonomyError) {}
  }

  /// Empties the queue.
  private func drain(_ queue: WaitingCalls) -> [Int] {
    var numbers: [Int] = []
    while let call = queue.popFirst() {
      numbers.append((call as? Call)?.number ?? -1)
      #expect(call.place == nil)
    }
    #expect(queue.isEmpty)
    return numbers
  }

  @Test func callsStandInTheirOrderAndLeaveFromAnywhere() {
    let queue = WaitingCalls()
    let calls = (0..<6).map(Call.init)
    for call in calls { queue.append(call) }
    for index in [2, 0, 5] { calls[index].leaveQueue() }
    calls[2].leaveQueue()
    #expect(queue.count == 3)
    queue.append(calls[2])
    queue.prepend(calls[0])
    #expect(queue.count == 5)
    #expect(drain(queue) == [0, 1, 3, 4, 2])
  }

  @Test func aCallThatEndsIsLetGoOfWhileOthersWait() {
    let queue = WaitingCalls()
    let (first, last) = (Call(0), Call(2))
    weak var ended: Call?
    queue.append(first)
    do {
      let call = Call(1)
      ended = call
      queue.append(call)
    }
    queue.append(last)
    #expect(ended != nil)
    ended?.leaveQueue()
    #expect(ended == nil)
    #expect(drain(queue) == [0, 2])
  }

  @Test func randomlyLeavingCallsKeepTheOrder() {
    var generator = SystemRandomNumberGenerator()
    let queue = WaitingCalls()
    var expected: [Call] = []
    for number in 0..<5000 {
      let call = Call(number)
      queue.append(call)
      expected.append(call)
      // Fewer and fewer stay.
      while expected.count > 1, Int.random(in: 0..<5000, using: &generator) < number {
        expected.remove(at: Int.random(in: 0..<expected.count, using: &generator)).leaveQueue()
      }
    }
    #expect(queue.count == expected.count)
    #expect(queue.slotCount <= max(65, 2 * expected.count + 1))
    #expect(drain(queue) == expected.map(\.number))
  }
}
