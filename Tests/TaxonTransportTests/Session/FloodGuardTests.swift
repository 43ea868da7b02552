// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Testing

@testable import TaxonTransport

/// The budgets of a connection, on a clock that the tests move.
@Suite struct FloodGuardTests {
  let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

  func limits(_ change: (inout FloodLimits) -> Void) -> FloodLimits {
    var limits = FloodLimits()
    change(&limits)
    return limits
  }

  @Test func aBucketGivesItsBurstAndThenItsRate() {
    var bucket = TokenBucket(.init(burst: 3, perSecond: 2), now: start)
    let burst = (0..<4).map { _ in bucket.take(start) }
    #expect(burst == [true, true, true, false])
    let early = bucket.take(start + .milliseconds(499))
    #expect(!early)
    let later = (0..<2).map { _ in bucket.take(start + .milliseconds(500)) }
    #expect(later == [true, false])
    let muchLater = (0..<4).map { _ in bucket.take(start + .hours(1)) }
    #expect(muchLater == [true, true, true, false])
  }

  @Test func partsOfATokenAreNotLost() {
    var bucket = TokenBucket(.init(burst: 1, perSecond: 1), now: start)
    var taken = 0
    for step in 0...100 where bucket.take(start + .milliseconds(Int64(step) * 100)) { taken += 1 }
    // The burst and one in each of ten seconds.
    #expect(taken == 11)
  }

  @Test func aBucketWithoutARateIsUsedUpForGood() {
    var bucket = TokenBucket(.init(burst: 1, perSecond: 0), now: start)
    let taken = [bucket.take(start), bucket.take(start + .hours(1000))]
    #expect(taken == [true, false])
  }

  @Test func theThirdPingTooEarlyIsOneTooMany() {
    var flood = FloodGuard(
      limits { $0.pingPolicy = .init(minInterval: .seconds(10), permitsWithoutCalls: false) }, now: start)
    let outcome = (0..<4).map { flood.receivedPing(now: start + .seconds(Int64($0)), hasCalls: true) }
    #expect(outcome == [nil, nil, nil, .pings])
  }

  @Test func pingsThatKeepTheIntervalAreWelcome() {
    var flood = FloodGuard(
      limits { $0.pingPolicy = .init(minInterval: .seconds(10), permitsWithoutCalls: false) }, now: start)
    let outcome = (0..<50).map { flood.receivedPing(now: start + .seconds(Int64($0) * 10), hasCalls: true) }
    #expect(outcome.allSatisfy { $0 == nil })
  }

  @Test func withoutCallsTheIntervalIsTwoHoursUnlessPingsAreAllowed() {
    for isAllowed in [false, true] {
      var flood = FloodGuard(
        limits { $0.pingPolicy = .init(minInterval: .seconds(10), permitsWithoutCalls: isAllowed) }, now: start)
      let outcome = (0..<4).map { flood.receivedPing(now: start + .seconds(Int64($0) * 60), hasCalls: false) }
      #expect(outcome.last == (isAllowed ? .some(nil) : .some(.pings)))
    }
  }

  @Test func pingsAmongTrafficDoNotCount() {
    var flood = FloodGuard(
      limits {
        $0.pingPolicy = .init(minInterval: .seconds(10), permitsWithoutCalls: false)
        $0.pings = .init(burst: 1, perSecond: 0)
      }, now: start)
    let outcome = (0..<10_000).map { _ in
      flood.traffic()
      return flood.receivedPing(now: start, hasCalls: true)
    }
    #expect(outcome.allSatisfy { $0 == nil })
  }

  @Test func anEmptyFrameBehindEachMessageIsNoFlood() {
    var flood = FloodGuard(limits { $0.emptyData = .init(burst: 2, perSecond: 0) }, now: start)
    let paid = (0..<10_000).map { _ in
      flood.receivedData(messages: 1)
      return flood.receivedEmptyData(now: start)
    }
    #expect(paid.allSatisfy { $0 == nil })
    let unpaid = (0..<2).map { _ in flood.receivedEmptyData(now: start) }
    #expect(unpaid == [nil, .emptyData])
  }

  @Test func streamsThatAreEndedAreRemembered() {
    var numbers = StreamNumbers()
    #expect(!numbers.isEnded(1))
    for id in stride(from: Int32(1), through: 301, by: 2) {
      numbers.use(id)
      #expect(!numbers.isEnded(id))
      if id % 4 == 1 { numbers.end(id) }
    }
    for id in stride(from: Int32(1), through: 301, by: 2) {
      // The latest 128.
      #expect(numbers.isEnded(id) == (id % 4 == 1 && id > 301 - 256))
    }
    numbers.end(299)
    #expect(numbers.isEnded(299))
    // A leap forgets them all; what is not used is not ended.
    numbers.use(100_001)
    #expect(!numbers.isEnded(301))
    numbers.end(100_003)
    #expect(!numbers.isEnded(100_003))
  }

  @Test func skippedStreamNumbersAreRemembered() {
    var numbers = StreamNumbers()
    numbers.use(1)
    numbers.use(5)
    numbers.use(7)
    #expect(numbers.isSkipped(3))
    #expect([1, 5, 7, 9].allSatisfy { !numbers.isSkipped($0) })
  }
}
