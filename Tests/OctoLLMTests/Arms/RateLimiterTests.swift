// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import TaxonFixtures
import TaxonTesting
import Testing

@Suite struct RateLimiterTests {
  @Test func itLetsSoManyThroughAndSaysWhenThereIsRoom() {
    let clock = ManualClock()
    let limiter = RateLimiter(limit: 2, window: .seconds(10), clock: clock)
    #expect(limiter.admit() == nil)
    clock.advance(by: .seconds(4))
    #expect(limiter.admit() == nil)
    clock.advance(by: .seconds(1))
    #expect(limiter.admit() == .seconds(5))
    clock.advance(by: .seconds(5))
    #expect(limiter.admit() == nil)
    #expect(limiter.admit() == .seconds(4))
  }

  @Test func whoIsRejectedDoesNotCount() {
    let clock = ManualClock()
    let limiter = RateLimiter(limit: 1, window: .seconds(1), clock: clock)
    #expect(limiter.admit() == nil)
    for _ in 0..<10 { #expect(limiter.admit() == .seconds(1)) }
    clock.advance(by: .seconds(1))
    #expect(limiter.admit() == nil)
  }
}
