// SPDX-License-Identifier: Apache-2.0

extension Arm {
  /// Counts words and sentences and says what the text begins with. It has no capability but the general ones, so a task
  /// that asks for nothing comes here.
  public static let summariser = Arm("summariser", capabilities: ["text", "summarise"]) { contract in
    let text = contract.description
    let words = text.split(whereSeparator: \.isWhitespace).count
    let sentences = text.split { ".!?".contains($0) }.filter { !$0.allSatisfy(\.isWhitespace) }
    let opening =
      sentences.first.map { $0.split(whereSeparator: \.isWhitespace).prefix(8).joined(separator: " ") } ?? ""
    return "\(counted(words, "word")) in \(counted(sentences.count, "sentence")): \(opening)"
  }

  private static func counted(_ count: Int, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
  }
}
