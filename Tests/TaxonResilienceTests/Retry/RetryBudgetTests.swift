// SPDX-License-Identifier: Apache-2.0
import TaxonResilience
import Testing

@Suite struct RetryBudgetTests {
  @Test func allowsRetriesWhileMoreThanHalfOfItsTokensAreLeft() {
    let budget = RetryBudget(.init(maxTokens: 10, tokenRatio: 0.1))
    #expect((0..<6).map { _ in budget.failed() } == [true, true, true, true, false, false])
  }

  @Test func recoversWithSuccesses() {
    let budget = RetryBudget(.init(maxTokens: 10, tokenRatio: 0.5))
    for _ in 0..<5 { _ = budget.failed() }
    for _ in 0..<4 { budget.succeeded() }
    #expect(budget.failed())
    #expect(!budget.failed())
  }

  @Test func holdsNoMoreThanItsTokensAndNoLessThanNone() {
    let budget = RetryBudget(.init(maxTokens: 4, tokenRatio: 1))
    for _ in 0..<100 { budget.succeeded() }
    #expect((0..<3).map { _ in budget.failed() } == [true, false, false])
    for _ in 0..<100 { _ = budget.failed() }
    for _ in 0..<4 { budget.succeeded() }
    #expect(budget.failed())
  }
}
