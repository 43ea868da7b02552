// SPDX-License-Identifier: Apache-2.0

/// A mistake in a schema: where it is, what is wrong and how to mend it; or something that its user should know.
package struct Diagnostic: Hashable, Sendable, CustomStringConvertible {
  /// Code is generated despite warnings and notes.
  package enum Severity: String, Sendable {
    case error
    case warning
    /// Nothing is wrong.
    case note
  }

  /// Error, warning or note.
  package var severity: Severity
  /// Where it is.
  package var location: SourceLocation
  /// "what is wrong; how to mend it".
  package var message: String

  /// The form that compilers use and editors understand: `file:line:column: error: message`.
  package var description: String { "\(location): \(severity.rawValue): \(message)" }
}

/// Collects diagnostics, each once, and puts them in the order of the source.
package struct Diagnostics {
  private var found: [(diagnostic: Diagnostic, file: Int)] = []
  private var fileOrder: [String: Int]
  private let sources: SourceFiles

  package init(files: [String], sources: SourceFiles) {
    fileOrder = Dictionary(zip(files, 0...), uniquingKeysWith: { first, _ in first })
    self.sources = sources
  }

  package mutating func error(_ place: Place, _ message: String) { add(.error, place, message) }

  package mutating func warning(_ place: Place, _ message: String) { add(.warning, place, message) }

  /// Says what became of a declaration, where nothing is wrong with it.
  package mutating func note(_ place: Place, _ message: String) { add(.note, place, message) }

  private mutating func add(_ severity: Diagnostic.Severity, _ place: Place, _ message: String) {
    let location = sources.refine(place)
    let diagnostic = Diagnostic(severity: severity, location: location, message: message)
    guard !found.contains(where: { $0.diagnostic == diagnostic }) else { return }
    found.append((diagnostic, fileOrder[place.file] ?? .max))
  }

  /// A place as text, for messages that point to a second place.
  package func describe(_ place: Place) -> String { sources.refine(place).description }

  package var sorted: [Diagnostic] {
    found.enumerated().sorted { left, right in
      let (a, b) = (left.element, right.element)
      return (a.file, a.diagnostic.location.line, a.diagnostic.location.column, left.offset)
        < (b.file, b.diagnostic.location.line, b.diagnostic.location.column, right.offset)
    }.map(\.element.diagnostic)
  }
}

/// Guesses which name was meant by one that does not exist.
enum Nearest {
  /// The candidate with the fewest letters to change, unless that is more than about a third of the name.
  static func name(to name: String, among candidates: [String], within limit: Int? = nil) -> String? {
    let limit = limit ?? max(2, name.count / 3)
    let ranked = candidates.map { ($0, distance(name, $0)) }.filter { $0.1 <= limit }
    return ranked.min { ($0.1, $0.0) < ($1.1, $1.0) }?.0
  }

  /// Levenshtein's distance; case does not count.
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
