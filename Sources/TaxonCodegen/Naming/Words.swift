// SPDX-License-Identifier: Apache-2.0

/// A name of the schema, taken apart into words, and put together again in another style.
struct Words {
  var words: [String]

  /// Takes apart snake_case and CamelCase; a run of capitals is one word, save its last letter when a small one follows
  /// ("LLMError" is LLM and Error). Digits belong to the word before them.
  init(_ name: some StringProtocol) {
    words = []
    for piece in name.split(whereSeparator: { !$0.isLetter && !$0.isNumber }) {
      let letters = Array(piece)
      var start = 0
      for index in letters.indices.dropFirst() {
        let before = letters[index - 1]
        let here = letters[index]
        let followed = index + 1 < letters.count && letters[index + 1].isLowercase
        if here.isUppercase, !before.isUppercase || followed {
          words.append(String(letters[start..<index]))
          start = index
        }
      }
      words.append(String(letters[start...]))
    }
  }

  init(words: [String]) { self.words = words }

  /// Words that are written in capitals, unless they come first.
  private static let initialisms: [String: String] = [
    "id": "ID", "url": "URL", "uri": "URI", "http": "HTTP", "https": "HTTPS", "api": "API", "uuid": "UUID",
    "json": "JSON", "db": "DB", "ids": "IDs", "urls": "URLs",
  ]

  var lowerCamel: String {
    guard let first = words.first else { return "" }
    return first.lowercased() + words.dropFirst().map(Self.capitalized).joined()
  }

  var upperCamel: String { words.map(Self.capitalized).joined() }

  var upperSnake: String { words.map { $0.uppercased() }.joined(separator: "_") }

  private static func capitalized(_ word: String) -> String {
    let lower = word.lowercased()
    return initialisms[lower] ?? lower.prefix(1).uppercased() + lower.dropFirst()
  }
}
