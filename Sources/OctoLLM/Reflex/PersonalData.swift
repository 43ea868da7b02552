// SPDX-License-Identifier: Apache-2.0

/// A piece of a text that looks like personal data.
public struct PersonalData: Hashable, Sendable {
  /// What kind of data: "email", "card number" or "phone number".
  public var pattern: String
  /// The piece.
  public var excerpt: String

  /// The first piece of personal data in a text; nil when there is none.
  public static func find(in text: String) -> PersonalData? {
    // A Regex is not Sendable, so that these cannot be static.
    let email = /[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+/
    if let match = text.firstMatch(of: email) {
      return PersonalData(pattern: "email", excerpt: String(match.output))
    }
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
