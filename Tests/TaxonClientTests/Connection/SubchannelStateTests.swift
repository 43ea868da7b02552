// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonResilience
import Testing

@testable import TaxonClient

/// When an endpoint is connected to: a state machine fed with times.
struct SubchannelStateTests {
  private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
  private var generator = SystemRandomNumberGenerator()

  private func machine(jitter: ClosedRange<Double> = 1...1) -> SubchannelState {
    SubchannelState(
      backoff: Backoff(base: .seconds(1), factor: 1.6, cap: .seconds(120), jitter: jitter),
      connectTimeout: .seconds(20))
  }

  private func after(_ seconds: Double) -> NIODeadline { Self.start + .nanoseconds(Int64((seconds * 1e9).rounded())) }

  @Test mutating func anAttemptMayTakeAtLeastTheConnectTimeout() {
    var machine = machine()
    #expect(machine.state == .idle)
    let deadline = machine.connect(at: after(0), using: &generator)
    #expect(deadline == after(20))
    #expect(machine.state == .connecting)
    let again = machine.connect(at: after(1), using: &generator)
    #expect(again == nil)
  }

  @Test mutating func pausesGrowByThePolicyAndAreCountedFromTheBeginningOfTheAttempt() {
    var machine = machine()
    var now = 0.0
    for pause in [1, 1.6, 2.56, 4.096] {
      _ = machine.connect(at: after(now), using: &generator)
      let until = machine.ended(.failed, at: after(now + 0.5))
      #expect(until.map { abs(($0 - after(now + pause)).nanoseconds) < 1000 } == true)
      #expect(machine.state == .transientFailure)
      let early = machine.connect(at: after(now + 0.6), using: &generator)
      #expect(early == nil)
      now += pause
      let isOver = machine.elapsed()
      #expect(isOver)
      #expect(machine.state == .idle)
    }
  }

  @Test mutating func thePauseGrowsNoLongerThanTheLongest() {
    var machine = machine()
    var now = 0.0
    var last = 0.0
    for _ in 0..<20 {
      _ = machine.connect(at: after(now), using: &generator)
      guard let until = machine.ended(.failed, at: after(now)) else { break }
      last = Double((until - after(now)).nanoseconds) / 1e9
      now += last
      _ = machine.elapsed()
    }
    #expect(last == 120)
    let deadline = machine.connect(at: after(now), using: &generator)
    #expect(deadline == after(now + 120))
  }

  @Test mutating func jitterStaysWithinItsRange() {
    for _ in 0..<100 {
      var machine = machine(jitter: 0.8...1.2)
      _ = machine.connect(at: after(0), using: &generator)
      let until = machine.ended(.failed, at: after(0))
      #expect(until.map { (after(0.8)...after(1.2)).contains($0) } == true)
    }
  }

  @Test mutating func anAttemptThatTookLongerThanThePauseIsFollowedByTheNextAtOnce() {
    var machine = machine()
    _ = machine.connect(at: after(0), using: &generator)
    let until = machine.ended(.failed, at: after(20))
    #expect(until == after(20))
    #expect(machine.state == .transientFailure)
  }

  @Test mutating func aConnectionThatWasOfUseEndsThePauses() {
    var machine = machine()
    for _ in 0..<5 {
      _ = machine.connect(at: after(0), using: &generator)
      _ = machine.ended(.failed, at: after(0))
      _ = machine.elapsed()
    }
    _ = machine.connect(at: after(100), using: &generator)
    let isWanted = machine.connected()
    #expect(isWanted)
    #expect(machine.state == .ready)
    let pause = machine.ended(.used, at: after(100.1))
    #expect(pause == nil)
    #expect(machine.state == .idle)
    _ = machine.connect(at: after(100.2), using: &generator)
    let until = machine.ended(.failed, at: after(100.2))
    #expect(until == after(101.2))
  }

  @Test mutating func aServerThatKeepsSendingConnectionsAwayIsAskedMoreAndMoreSeldom() {
    var machine = machine()
    _ = machine.connect(at: after(0), using: &generator)
    _ = machine.connected()
    let first = machine.ended(.unused, at: after(0.1))
    #expect(first == nil)
    _ = machine.connect(at: after(0.2), using: &generator)
    _ = machine.connected()
    let second = machine.ended(.unused, at: after(0.3))
    #expect(second == after(1.2))
    #expect(machine.state == .transientFailure)
    _ = machine.elapsed()
    _ = machine.connect(at: after(1.2), using: &generator)
    _ = machine.connected()
    let third = machine.ended(.unused, at: after(1.3))
    #expect(third == after(2.8))
  }

  @Test mutating func nothingHappensAfterTheShutdown() {
    var machine = machine()
    _ = machine.connect(at: after(0), using: &generator)
    machine.shutDown()
    #expect(machine.state == .shutdown)
    let isWanted = machine.connected()
    #expect(!isWanted)
    let until = machine.ended(.failed, at: after(1))
    #expect(until == nil)
    let isOver = machine.elapsed()
    #expect(!isOver)
    let deadline = machine.connect(at: after(2), using: &generator)
    #expect(deadline == nil)
  }
}
