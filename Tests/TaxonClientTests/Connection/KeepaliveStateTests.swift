// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Testing

@testable import TaxonClient

/// When the peer is asked whether it is there: a state machine fed with times.
struct KeepaliveStateTests {
  private func after(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(1_000_000_000_000) + .seconds(seconds) }

  private func keepalive(permitsWithoutCalls: Bool = false) -> KeepaliveState {
    KeepaliveState(
      time: .seconds(10), timeout: .seconds(20), permitsWithoutCalls: permitsWithoutCalls, at: after(0))
  }

  @Test func aSilentPeerIsPingedAndThenTakenForDead() {
    var keepalive = keepalive()
    let ping = keepalive.due(at: after(10), lastRead: after(0), hasCalls: true)
    #expect(ping == .ping(until: after(30)))
    let end = keepalive.due(at: after(30), lastRead: after(0), hasCalls: true)
    #expect(end == .close)
  }

  @Test func anyByteIsAnAnswer() {
    var keepalive = keepalive()
    let wait = keepalive.due(at: after(10), lastRead: after(4), hasCalls: true)
    #expect(wait == .wait(until: after(14)))
    let ping = keepalive.due(at: after(14), lastRead: after(4), hasCalls: true)
    #expect(ping == .ping(until: after(34)))
    let next = keepalive.due(at: after(34), lastRead: after(15), hasCalls: true)
    #expect(next == .ping(until: after(54)))
    let on = keepalive.due(at: after(54), lastRead: after(50), hasCalls: true)
    #expect(on == .wait(until: after(60)))
  }

  @Test func aTimerThatFiresEarlyWaitsOn() {
    var keepalive = keepalive()
    _ = keepalive.due(at: after(10), lastRead: after(0), hasCalls: true)
    let wait = keepalive.due(at: after(29), lastRead: after(0), hasCalls: true)
    #expect(wait == .wait(until: after(30)))
  }

  @Test func withoutCallsThereAreNoPingsUntilACallBegins() {
    var keepalive = keepalive()
    let sleep = keepalive.due(at: after(10), lastRead: after(0), hasCalls: false)
    #expect(sleep == .sleep)
    #expect(keepalive.isAsleep)
    let woken = keepalive.wake(at: after(100))
    #expect(woken == after(110))
    let again = keepalive.wake(at: after(101))
    #expect(again == nil)
    // The silence before the call does not count.
    let ping = keepalive.due(at: after(110), lastRead: after(0), hasCalls: true)
    #expect(ping == .ping(until: after(130)))
  }

  @Test func pingsWithoutCallsAreSentWhenTheyArePermitted() {
    var keepalive = keepalive(permitsWithoutCalls: true)
    let ping = keepalive.due(at: after(10), lastRead: after(0), hasCalls: false)
    #expect(ping == .ping(until: after(30)))
  }
}
