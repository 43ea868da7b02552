// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Testing

@testable import TaxonTransport

/// How slowly a body may come.
struct BodyClockTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

  @Test func silenceEndsWithTheTimeout() {
    var clock = BodyClock(timeout: .seconds(20), rate: 500)
    #expect(clock.deadline == nil)
    clock.wait(start)
    #expect(clock.deadline == start + .seconds(20))
  }

  @Test func aByteNowAndThenIsTooSlow() {
    var clock = BodyClock(timeout: .seconds(20), rate: 500)
    var now = start
    while clock.deadline.map({ $0 > now }) ?? true, now < start + .seconds(100) {
      clock.wait(now)
      now = now + .seconds(1)
      clock.receive(1, now)
      clock.wait(now)
    }
    #expect(now == start + .seconds(20))
  }

  @Test func whatComesFastEnoughMayGoOn() {
    var clock = BodyClock(timeout: .seconds(20), rate: 500)
    var now = start
    for _ in 0..<100 {
      clock.wait(now)
      now = now + .seconds(1)
      clock.receive(500, now)
    }
    clock.wait(now)
    #expect(clock.deadline == now)
    clock.receive(10_000, now)
    clock.wait(now)
    #expect(clock.deadline == now + .seconds(20))
  }

  @Test func pausesDoNotCount() {
    var clock = BodyClock(timeout: .seconds(20), rate: 500)
    clock.wait(start)
    clock.pause(start + .seconds(5))
    #expect(clock.deadline == nil)
    clock.wait(start + .seconds(1000))
    #expect(clock.deadline == start + .seconds(1015))
  }

  @Test func withoutARateSilenceAloneCounts() {
    var clock = BodyClock(timeout: .seconds(20), rate: 0)
    clock.wait(start)
    clock.receive(1, start + .seconds(19))
    clock.wait(start + .seconds(19))
    #expect(clock.deadline == start + .seconds(39))
  }
}
