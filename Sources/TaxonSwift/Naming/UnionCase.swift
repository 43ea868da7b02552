// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// The cases of the enums that stand for several errors.
struct UnionCase {
  /// An error, or a category with an enum of its own.
  var member: SchemaMessage
  /// Not escaped.
  var name: String

  /// The cases of a category or of a taxonomy's root: one for each error and each category directly inside. They may clash.
  static func nested(_ members: [SchemaMessage]) -> [UnionCase] {
    members.map { UnionCase(member: $0, name: Identifier.unionCase($0)) }
  }

  /// The cases of what a method raises: one for each error. Errors of one name get the names of their categories in
  /// front, from the innermost outward, until they differ, if they do.
  static func flat(_ errors: [SchemaMessage]) -> [UnionCase] {
    var cases = errors.map { UnionCase(member: $0, name: Identifier.unionCase($0)) }
    let deepest = errors.map(\.categories.count).max() ?? 0
    for depth in stride(from: 1, through: deepest, by: 1) {
      let twice = Dictionary(grouping: cases, by: \.name).filter { $0.value.count > 1 }.keys
      for index in cases.indices where twice.contains(cases[index].name) {
        let error = cases[index].member
        let words = error.categories.suffix(depth).flatMap(Identifier.unionWords) + Identifier.unionWords(error)
        cases[index].name = Identifier.unionCase(words)
      }
    }
    return cases
  }
}

extension Identifier {
  /// The case of an error or category in a union: its name without a trailing "Error".
  fileprivate static func unionCase(_ message: SchemaMessage) -> String { unionCase(unionWords(message)) }

  fileprivate static func unionCase(_ words: [String]) -> String {
    let plain = Words(words: words).lowerCamel
    let name = plain.isEmpty ? "underscore" : usable(plain)
    return ReservedNames.unionMembers.contains(name) ? name + "Error" : name
  }

  fileprivate static func unionWords(_ message: SchemaMessage) -> [String] {
    var words = Words(message.name).words
    // The code knows where the words of a run of capitals end: LLMAPIError is LLM_API_ERROR.
    if let code = message.error?.code, message.name.lowercased() == code.lowercased().filter({ $0 != "_" }) {
      words = Words(code).words
    }
    if words.count > 1, words.last?.lowercased() == "error" { words.removeLast() }
    return words
  }
}
