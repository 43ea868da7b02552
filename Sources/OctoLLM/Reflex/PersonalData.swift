// SPDX-License-Identifier: Apache-2.0

/// A piece of a text that looks like personal data.
public struct PersonalData: Hashable, Sendable {
  /// What kind of data: "email", "card number" or "phone number".
  public var pattern: String
  /// The piece.
  public var excerpt: String

  /// The first piece of personal data in a text; nil when there is none. The time it takes grows with the text's length
  /// and no faster, whatever the text.
  public static func find(in text: String) -> PersonalData? {
    email(in: text) ?? number(in: text)
  }

  /// Looks around each "@": a regular expression for the whole address would try every letter before it anew.
  private static func email(in text: String) -> PersonalData? {
    let isDomain = { (character: Character) in
      character.isASCII && (character.isLetter || character.isNumber || "-.".contains(character))
    }
    let isLocal = { (character: Character) in isDomain(character) || "_%+".contains(character) }
    var rest = text[...]
    while let at = rest.firstIndex(of: "@") {
      // The bounds are those of RFC 5321, §4.5.3.1.
      let local = text[..<at].suffix(64)
      let start = local.lastIndex { !isLocal($0) }.map(text.index(after:)) ?? local.startIndex
      rest = text[text.index(after: at)...]
      var domain = rest.prefix(255).prefix(while: isDomain)
      while let last = domain.last, "-.".contains(last) { domain.removeLast() }
      if start < at, domain.dropFirst().contains("."), domain.first != "." {
        return PersonalData(pattern: "email", excerpt: String(text[start..<domain.endIndex]))
      }
    }
    return nil
  }

  private static func number(in text: String) -> PersonalData? {
    // A Regex is not Sendable, so that this cannot be static.
    let number = /\+?\(?[0-9](?:[ .\-()]{0,2}[0-9]){6,18}/
    for match in text.matches(of: number) {
      let excerpt = String(match.output)
      let digits = excerpt.compactMap(\.wholeNumberValue)
      if (13...19).contains(digits.count), isCardNumber(digits) {
        return PersonalData(pattern: "card number", excerpt: excerpt)
      }
      // A number of that many digits without any sign between them is more often a quantity than a telephone.
      let isWritten = excerpt.hasPrefix("+") || excerpt.contains { !$0.isNumber }
      if isWritten, (7...15).contains(digits.count) {
        return PersonalData(pattern: "phone number", excerpt: excerpt)
      }
    }
    return nil
  }

  /// The check digit of ISO/IEC 7812 (Luhn).
  private static func isCardNumber(_ digits: [Int]) -> Bool {
    var sum = 0
    for (index, digit) in digits.reversed().enumerated() {
      let doubled = index.isMultiple(of: 2) ? digit : digit * 2
      sum += doubled > 9 ? doubled - 9 : doubled
    }
    return sum.isMultiple(of: 10)
  }
}
