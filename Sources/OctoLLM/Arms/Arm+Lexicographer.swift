// SPDX-License-Identifier: Apache-2.0
import Taxon

extension Arm {
  /// Looks up the last word of the task's description.
  ///
  /// The work throws `THIRD_PARTY_API_ERROR` when the dictionary fails.
  public static func lexicographer(_ lexicon: Lexicon = Lexicon()) -> Arm {
    Arm("lexicographer", capabilities: ["define"]) { contract in
      let word = contract.description.split { !$0.isLetter }.last.map(String.init) ?? ""
      return "\(word): \(try await lexicon.define(word))"
    }
  }
}

/// A dictionary that somebody else runs: the third party of the example.
public struct Lexicon: Sendable {
  private let entries: [String: String]

  /// A dictionary with these entries, under words in lower case.
  public init(_ entries: [String: String] = Lexicon.standard) { self.entries = entries }

  /// The meaning of a word.
  ///
  /// - Throws: `THIRD_PARTY_API_ERROR` when there is no entry.
  public func define(_ word: String) async throws(ExternalError) -> String {
    guard let meaning = entries[word.lowercased()] else {
      throw .thirdPartyAPI(service: "lexicon", statusCode: 404, errorMessage: "there is no entry for \"\(word)\"")
    }
    return meaning
  }

  /// The entries it has by default.
  public static let standard = [
    "arm": "a part of an octopus that can work on its own",
    "breaker": "what interrupts a circuit before something burns",
    "octopus": "a mollusc with eight arms and three hearts",
    "taxon": "a group of things that are classified together",
  ]
}
