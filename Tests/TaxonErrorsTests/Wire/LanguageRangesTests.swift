// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TaxonErrors

/// Which message a request's languages choose.
@Suite struct LanguageRangesTests {
  private func chosen(_ field: String, _ locales: String...) -> String? {
    LanguageRanges(field).choose(locales.map { Google_Rpc_LocalizedMessage(locale: $0, message: $0) })?.locale
  }

  @Test(arguments: [
    ("de", "de"), ("DE", "de"), ("de-AT", "de"), ("de-CH", "de-CH"), ("de-CH-1996", "de-CH"), ("fr, de", "de"),
    ("pt-BR;q=0.5, de;q=0.9", "de"), ("pt-br, de", "pt-BR"), ("de;q=0.5, pt-BR;q=0.5", "de"),
    ("zh-Hant-x-a, de;q=0.1", "de"),
    (" de ; q=1 , en;q=0.5", "de"), ("de;q=2, pt-BR", "de"),
  ])
  func theRangeWithTheGreatestWeightThatFitsCounts(field: String, locale: String) {
    #expect(chosen(field, "de", "de-CH", "pt-BR") == locale)
  }

  @Test(arguments: [
    "", "*", "fr", "pt", "de;q=0", "de-AT, de;q=0", "d e", "dé", "en, de;q=0.9", "en-GB,de;q=0.5", ",,;q=1", "-de",
    "de-",
  ])
  func elseThereIsNone(field: String) {
    #expect(chosen(field, "de", "pt-BR") == nil)
  }

  @Test func englishIsAChoiceWhereItIsDeclared() {
    #expect(chosen("en-GB", "de", "en") == "en")
    #expect(chosen("en-GB", "de", "en-GB") == "en-GB")
  }

  @Test func aSingleLetterGoesWithWhatFollowsIt() {
    #expect(chosen("zh-Hant-x-private", "zh-Hant-x", "zh-Hant") == "zh-Hant")
  }

  @Test func theFieldIsReadWithinBounds() {
    let many = Array(repeating: "fr", count: LanguageRanges.maxRanges).joined(separator: ",")
    #expect(chosen(many + ",de", "de") == nil)
    #expect(chosen(String(repeating: "x", count: LanguageRanges.maxBytes) + ",de", "de") == nil)
    #expect(chosen("de," + String(repeating: "x", count: 1 << 20), "de") == "de")
  }
}
