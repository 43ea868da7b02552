// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Testing

@testable import TaxonServer

/// What the clock says of a server's connection, on a clock that the tests move.
@Suite struct ConnectionLifetimeTests {
  let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

  func lifetime(
    jitter: Double = 0, isSetUp: Bool = true, _ change: (inout KeepaliveSettings) -> Void = { _ in }
  ) -> ConnectionLifetime {
    var settings = KeepaliveSettings()
    change(&settings)
    var lifetime = ConnectionLifetime(settings, setupTimeout: .seconds(10), now: start, jitter: jitter)
    if isSetUp { lifetime.endSetup() }
    return lifetime
  }

  @Test func aConnectionThatIsNotSetUpInTimeIsClosed() {
    var lifetime = lifetime(isSetUp: false)
    #expect(lifetime.next(now: start, lastRead: start, idleSince: start) == start + .seconds(10))
    let early = lifetime.check(now: start + .seconds(9), lastRead: start, idleSince: start)
    let late = lifetime.check(now: start + .seconds(10), lastRead: start, idleSince: start)
    #expect(early == nil)
    #expect(late == .close(.setup))
  }

  @Test func aSilentPeerIsAskedAndThenClosed() {
    var lifetime = lifetime {
      $0.time = .seconds(60)
      $0.timeout = .seconds(20)
    }
    #expect(lifetime.next(now: start, lastRead: start, idleSince: nil) == start + .seconds(60))
    let asked = lifetime.check(now: start + .seconds(60), lastRead: start, idleSince: nil)
    #expect(asked == .ping)
    #expect(lifetime.next(now: start + .seconds(60), lastRead: start, idleSince: nil) == start + .seconds(80))
    let closed = lifetime.check(now: start + .seconds(80), lastRead: start, idleSince: nil)
    #expect(closed == .close(.dead))
  }

  @Test func aPeerThatAnswersIsAskedAgainLater() {
    var lifetime = lifetime { $0.time = .seconds(60) }
    let first = lifetime.check(now: start + .seconds(60), lastRead: start, idleSince: nil)
    let answered = start + .seconds(61)
    let then = lifetime.check(now: start + .seconds(80), lastRead: answered, idleSince: nil)
    let again = lifetime.check(now: start + .seconds(121), lastRead: answered, idleSince: nil)
    #expect(first == .ping)
    #expect(then == nil)
    #expect(again == .ping)
  }

  @Test func aConnectionWithoutCallsIsDrainedAndOneWithCallsIsNot() {
    var lifetime = lifetime { $0.maxConnectionIdle = .seconds(30) }
    #expect(lifetime.next(now: start, lastRead: start, idleSince: start) == start + .seconds(30))
    let busy = lifetime.check(now: start + .seconds(30), lastRead: start, idleSince: nil)
    let idle = lifetime.check(now: start + .seconds(60), lastRead: start, idleSince: start + .seconds(30))
    #expect(busy == nil)
    #expect(idle == .drain(.idle))
  }

  @Test(arguments: [-0.1, 0, 0.1])
  func anOldConnectionIsDrainedAndClosedAfterItsGrace(_ jitter: Double) {
    var lifetime = lifetime(jitter: jitter) {
      $0.maxConnectionAge = .seconds(100)
      $0.maxConnectionAgeGrace = .seconds(5)
    }
    let end = start + .milliseconds(Int64(100_000 * (1 + jitter)))
    #expect(lifetime.next(now: start, lastRead: start, idleSince: nil) == end)
    let early = lifetime.check(now: end - .milliseconds(1), lastRead: start, idleSince: nil)
    let old = lifetime.check(now: end, lastRead: end, idleSince: nil)
    let graceful = lifetime.check(now: end + .seconds(4), lastRead: end, idleSince: nil)
    #expect(lifetime.next(now: end, lastRead: end, idleSince: nil) == end + .seconds(5))
    let over = lifetime.check(now: end + .seconds(5), lastRead: end, idleSince: nil)
    #expect(early == nil)
    #expect(old == .drain(.age))
    #expect(graceful == nil)
    #expect(over == .close(.grace))
  }
}
