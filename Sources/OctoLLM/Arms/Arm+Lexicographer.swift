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
