// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Testing

@Suite struct PersonalDataTests {
  @Test(arguments: [
    ("write to ada@example.com please", "email", "ada@example.com"),
    ("A.B+c@mail.example.org", "email", "A.B+c@mail.example.org"),
    ("is it \"ada@example.com.\"?", "email", "ada@example.com"),
    ("@ @ x@y a@b.c", "email", "a@b.c"),
    ("card 4111 1111 1111 1111", "card number", "4111 1111 1111 1111"),
    ("card 4111-1111-1111-1111 ok", "card number", "4111-1111-1111-1111"),
    ("5500005555555559", "card number", "5500005555555559"),
    ("call +1 (555) 010-9999 now", "phone number", "+1 (555) 010-9999"),
    ("call +4930123456", "phone number", "+4930123456"),
    ("030 123 45 67", "phone number", "030 123 45 67"),
  ])
  func personalDataIsFound(_ text: String, _ pattern: String, _ excerpt: String) {
    let found = PersonalData.find(in: text)
    #expect(found?.pattern == pattern)
    #expect(found?.excerpt == excerpt)
  }

  @Test(arguments: [
    "hello", "a @ b", "a@b", "@b.c", "a@.c", "a@b.", "ü@b", "1234567", "1000000000", "in 1984 there were 3 of 12",
    "version 1.2.3", "4111111111111112", "",
  ])
  func otherTextsHaveNone(_ text: String) {
    #expect(PersonalData.find(in: text) == nil)
  }

  @Test(arguments: ["a", "1", "a@", "@", "1 ", "a@a", "+("]) func longTextsAreReadInTime(_ part: String) {
    let text = String(repeating: part, count: 100_000 / part.utf8.count)
    let time = ContinuousClock().measure { _ = PersonalData.find(in: text) }
    // Quadratic, it would take a minute.
    #expect(time < .seconds(10))
  }
}
