// SPDX-License-Identifier: Apache-2.0

/// A mistake in a schema: where it is, what is wrong and how to mend it.
package struct Diagnostic: Hashable, Sendable, CustomStringConvertible {
  /// Whether code can be generated all the same.
  package enum Severity: String, Sendable {
    case error
    case warning
  }

  /// Error or warning.
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
