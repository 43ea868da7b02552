// SPDX-License-Identifier: Apache-2.0

/// A name of the schema as words, to be written in another style.
package struct Words {
  package var words: [String]

  /// Splits snake_case and CamelCase; a run of capitals is one word, without its last letter when a small one follows
  /// ("LLMError" is LLM and Error). Digits belong to the word before them.
  package init(_ name: some StringProtocol) {
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

  package init(words: [String]) { self.words = words }

  package var upperSnake: String { words.map { $0.uppercased() }.joined(separator: "_") }
}
