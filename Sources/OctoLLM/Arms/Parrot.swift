// SPDX-License-Identifier: Apache-2.0
import Taxon

/// A language model that needs no network: it says the prompt again, word by word, at its own pace.
public struct Parrot: LanguageModel {
  /// Who runs it.
  public let provider = "parrot"
  /// How long it takes for a word.
  public var pace: Duration
  /// The longest prompt, in words.
  public var context: Int

  /// A parrot.
  public init(pace: Duration = .milliseconds(20), context: Int = 500) {
    self.pace = pace
    self.context = context
  }

  /// The prompt again; `LLM_API_ERROR` when it is longer than the context.
  public func complete(_ prompt: String) async throws(ExternalError) -> String {
    let words = prompt.split(whereSeparator: \.isWhitespace)
    guard words.count <= context else {
      throw .llmAPI(
        provider: provider, statusCode: 413,
        errorMessage: "prompt of \(words.count) words is longer than the context of \(context)")
    }
    // A sleep fails only when it is cancelled, and that is no failure of the provider: it stays CANCELLED.
    try await ExternalError.catching { try await Task.sleep(for: pace * words.count) }
    return "You say: " + words.joined(separator: " ")
  }
}
