// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TaxonTransport

/// Which names a certificate is good for (RFC 9525 §6.3).
@Suite struct ServerNameCheckTests {
  @Test(arguments: [
    ("a.example", "a.example", true), ("A.Example.", "a.eXample", true), ("*.b.example", "a.b.example", true),
    ("*.b.example", "b.example", false), ("*.b.example", "x.a.b.example", false), ("*.example", "a.example", false),
    ("*", "a", false), ("a*.b.example", "ab.b.example", false), ("a.example", "b.example", false),
    ("", "a.example", false),
  ])
  func aNameMatchesAsAWholeOrByAStarForItsFirstLabel(_ pattern: String, _ name: String, _ isGood: Bool) {
    #expect(ServerNameCheck.matches(.dns(pattern), name) == isGood)
  }

  @Test func anAddressIsNoName() {
    #expect(!ServerNameCheck.matches(.address([127, 0, 0, 1]), "127.0.0.1"))
  }
}
