// SPDX-License-Identifier: Apache-2.0
import TaxonResilience
import Testing

@Suite struct BackoffTests {
  private func seconds(_ backoff: Backoff, _ retry: Int) -> Double {
    var generator = SeededGenerator()
    return backoff.delay(retry: retry, using: &generator) / .seconds(1)
  }

  @Test func doublesFromOneSecondToSixty() {
    let steady = Backoff(jitter: 1...1)
    #expect((1...8).map { seconds(steady, $0) } == [1, 2, 4, 8, 16, 32, 60, 60])
  }

  @Test func staysAtTheCapHoweverManyRetries() {
    #expect(seconds(Backoff(jitter: 1...1), .max) == 60)
    #expect(seconds(Backoff(factor: 1, jitter: 1...1), .max) == 1)
    #expect(seconds(Backoff(base: .zero, jitter: 1...1), .max) == 0)
  }

  @Test func takesTheFirstRetryForAnyNumberBelowIt() {
    #expect(seconds(Backoff(jitter: 1...1), 0) == 1)
    #expect(seconds(Backoff(jitter: 1...1), -5) == 1)
  }

  @Test func neverStartsAboveTheCap() {
    #expect(seconds(Backoff(base: .seconds(100), cap: .seconds(10), jitter: 1...1), 1) == 10)
  }

  @Test func spreadsOverTheWholeRangeOfTheJitter() {
    var generator = SeededGenerator()
    let delays = (0..<1000).map { _ in Backoff().delay(retry: 3, using: &generator) / .seconds(1) }
    #expect(delays.allSatisfy { $0 >= 2 && $0 <= 4 })
    #expect(delays.min()! < 2.1)
    #expect(delays.max()! > 3.9)
    #expect(abs(delays.reduce(0, +) / 1000 - 3) < 0.1)
  }

  @Test func raisesNumbersToTheirBounds() {
    let backoff = Backoff(base: .seconds(-1), factor: 0.5, cap: .seconds(-1), jitter: -1...(-0.5))
    #expect(backoff == Backoff(base: .zero, factor: 1, cap: .zero, jitter: 0...0))
  }
}
