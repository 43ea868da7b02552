// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOEmbedded
import Testing

@testable import TaxonTransport

/// Many deadlines behind one timer.
struct DeadlineQueueTests {
  private final class Holder: DeadlineHolder {
    var deadlineIndex = -1
    let time: Int64
    let exceeded: (Holder) -> Void

    init(_ time: Int64, exceeded: @escaping (Holder) -> Void) {
      self.time = time
      self.exceeded = exceeded
    }

    func deadlineExceeded() { exceeded(self) }
  }

  @Test func deadlinesComeInTheirOrderAndWhatIsTakenOutDoesNot() {
    var generator = SystemRandomNumberGenerator()
    let loop = EmbeddedEventLoop()
    let queue = DeadlineQueue(loop)
    var met: [Int64] = []
    var waiting: [Holder] = []
    for _ in 0..<20 {
      let now = Int64(loop.now.uptimeNanoseconds)
      for _ in 0..<100 {
        let holder = Holder(now + .random(in: 0...1000, using: &generator)) { holder in
          met.append(holder.time)
          waiting.removeAll { $0 === holder }
        }
        waiting.append(holder)
        queue.add(holder, at: .uptimeNanoseconds(UInt64(holder.time)))
      }
      for _ in 0..<50 {
        let holder = waiting.remove(at: .random(in: waiting.indices, using: &generator))
        queue.remove(holder)
        queue.remove(holder)
      }
      #expect(queue.count == waiting.count)
      let due = waiting.map(\.time).filter { $0 <= now + 300 }.sorted()
      met = []
      loop.advanceTime(by: .nanoseconds(300))
      #expect(met == due)
      #expect(queue.count == waiting.count)
    }
    // Who waits has a closure that knows who waits, and the loop keeps itself while it has a timer.
    waiting.forEach(queue.remove)
    waiting = []
    loop.advanceTime(by: .seconds(1))
  }

  /// A peer chooses its deadlines, and may close the connection right after.
  @Test func aTimerGoesWithItsQueue() {
    weak var loop: EmbeddedEventLoop?
    do {
      let owned = EmbeddedEventLoop()
      loop = owned
      let queue = DeadlineQueue(owned)
      let holder = Holder(0) { _ in }
      queue.add(holder, at: .now() + .hours(1_000))
      queue.remove(holder)
    }
    #expect(loop == nil)
  }

  @Test func whatADeadlineTakesOutIsNotToldOfItsOwn() {
    let loop = EmbeddedEventLoop()
    let queue = DeadlineQueue(loop)
    var told: [Int64] = []
    let second = Holder(10) { told.append($0.time) }
    let third = Holder(11) { told.append($0.time) }
    let first = Holder(10) { holder in
      told.append(holder.time)
      queue.remove(third)
    }
    for holder in [third, first] { queue.add(holder, at: .uptimeNanoseconds(UInt64(holder.time))) }
    loop.advanceTime(by: .nanoseconds(20))
    #expect(told == [10])
    queue.add(second, at: .uptimeNanoseconds(5))
    loop.advanceTime(by: .nanoseconds(1))
    #expect(told == [10, 10], "a deadline that is over already")
  }

  @Test func aQueueThatIsEmptyKeepsNobody() {
    let loop = EmbeddedEventLoop()
    weak var gone: Holder?
    weak var queue: DeadlineQueue?
    do {
      let own = DeadlineQueue(loop)
      let holder = Holder(1000) { _ in }
      own.add(holder, at: .uptimeNanoseconds(1000))
      own.remove(holder)
      gone = holder
      queue = own
    }
    #expect(gone == nil)
    #expect(queue == nil)
    loop.advanceTime(by: .nanoseconds(2000))
  }
}
