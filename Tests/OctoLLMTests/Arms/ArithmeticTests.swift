// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import OctoLLM

@Suite struct ArithmeticTests {
  @Test(arguments: [
    ("1", 1), ("1 + 2 * 3", 7), ("(1 + 2) * 3", 9), ("-2 * -3", 6), ("7 / 2", 3.5), ("2 - 3 - 4", -5), (" 1.5*2 ", 3),
    ("--1", 1), ("8 / 4 / 2", 1),
  ])
  func expressionsHaveTheirValue(_ text: String, _ value: Double) throws {
    #expect(try Arithmetic.evaluate(text) == value)
  }

  @Test(arguments: [
    ("", "The expression ends too early"), ("1 +", "The expression ends too early"),
    ("(1", "A parenthesis is not closed"),
    ("1 / 0", "Division by zero"), ("calc", "Unexpected \"c\""), ("1 2", "Unexpected \"2\""),
    ("1e9", "Unexpected \"e\""), ("1.2.3", "Unexpected \"1\""), (".", "Unexpected \".\""),
  ])
  func otherTextsSayWhatIsWrong(_ text: String, _ mistake: String) {
    #expect {
      try Arithmetic.evaluate(text)
    } throws: { error in
      "\(error)" == mistake
    }
  }

  @Test func deepNestingIsRefused() {
    let text = String(repeating: "(", count: 100_000) + "1" + String(repeating: ")", count: 100_000)
    #expect(throws: Arithmetic.Mistake.self) { try Arithmetic.evaluate(text) }
    #expect(throws: Arithmetic.Mistake.self) { try Arithmetic.evaluate(String(repeating: "-", count: 100_000) + "1") }
  }
}
