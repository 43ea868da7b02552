// SPDX-License-Identifier: Apache-2.0

/// A message template: text with fields in braces (taxon/taxonomy.proto, ErrorOptions.message).
package struct Template: Equatable {
  package enum Part: Equatable {
    case text(String)
    case field(Reference)
  }

  package struct Reference: Equatable {
    package var name: String
    /// `{name.count}`: the number of elements.
    package var isCount = false
    /// `{name|text}`: the text for a field that is not set.
    package var fallback: String?

    /// As written.
    package var source: String { "{\(name)\(isCount ? ".count" : "")\(fallback.map { "|\($0)" } ?? "")}" }
  }

  package enum Mistake: Error, Equatable {
    case open
    case close
    case empty
    case suffix(String)
  }

  package var parts: [Part] = []

  package var references: [Reference] {
    parts.compactMap { if case .field(let reference) = $0 { reference } else { nil } }
  }

  /// As a schema writes it.
  package var source: String {
    parts.map { part in
      switch part {
      case .text(let text): text.replacing("{", with: "{{").replacing("}", with: "}}")
      case .field(let reference): reference.source
      }
    }.joined()
  }

  package init(parts: [Part] = []) { self.parts = parts }

  package init(_ source: String) throws(Mistake) {
    var text = ""
    var rest = Substring(source)
    while let character = rest.popFirst() {
      switch character {
      case "{" where rest.first == "{", "}" where rest.first == "}":
        text.append(rest.removeFirst())
      case "{":
        guard let end = rest.firstIndex(where: { $0 == "}" || $0 == "{" }), rest[end] == "}" else { throw .open }
        if !text.isEmpty { parts.append(.text(text)) }
        text = ""
        parts.append(.field(try Reference(rest[..<end])))
        rest = rest[rest.index(after: end)...]
      case "}":
        throw .close
      default:
        text.append(character)
      }
    }
    if !text.isEmpty { parts.append(.text(text)) }
  }
}

extension Template {
  /// What is wrong with a text that should be a template, and how to mend it; nil when all is well.
  static func mistake(in source: String) -> String? {
    do {
      _ = try Template(source)
      return nil
    } catch {
      return switch error {
      case .open: "a { in the template is never closed; close it with }, or write {{ for a brace"
      case .close: "a } in the template closes nothing; write }} for a brace"
      case .empty: "the template has braces without a name; write the name of a field, or {{ and }} for braces"
      case .suffix(let path): "the template has {\(path)}; only .count can follow a field's name"
      }
    }
  }
}

extension Template.Reference {
  fileprivate init(_ source: Substring) throws(Template.Mistake) {
    var path = source
    if let bar = source.firstIndex(of: "|") {
      path = source[..<bar]
      fallback = String(source[source.index(after: bar)...])
    }
    let pieces = path.split(separator: ".", omittingEmptySubsequences: false)
    name = String(pieces[0])
    guard !name.isEmpty else { throw .empty }
    if pieces.count > 1 {
      guard pieces.count == 2, pieces[1] == "count" else { throw .suffix(String(path)) }
      isCount = true
    }
  }
}
