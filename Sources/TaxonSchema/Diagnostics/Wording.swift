// SPDX-License-Identifier: Apache-2.0

/// Guesses what somebody meant who wrote a name that does not exist.
enum Nearest {
  /// The candidate with the fewest letters to change, unless that is more than about a third of the name.
  static func name(to name: String, among candidates: [String], within limit: Int? = nil) -> String? {
    let limit = limit ?? max(2, name.count / 3)
    let ranked = candidates.map { ($0, distance(name, $0)) }.filter { $0.1 <= limit }
    return ranked.min { ($0.1, $0.0) < ($1.1, $1.0) }?.0
  }

  /// Levenshtein's distance, blind to case.
  private static func distance(_ left: String, _ right: String) -> Int {
    let right = Array(right.lowercased())
    var row = Array(0...right.count)
    for (index, letter) in left.lowercased().enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for column in right.indices {
        let replaced = diagonal + (letter == right[column] ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(replaced, row[column] + 1, diagonal + 1)
      }
    }
    return row[right.count]
  }
}

extension [String] {
  /// "a, b or c".
  package func listed(_ conjunction: String) -> String {
    count < 2 ? joined() : "\(dropLast().joined(separator: ", ")) \(conjunction) \(self[count - 1])"
  }
}
