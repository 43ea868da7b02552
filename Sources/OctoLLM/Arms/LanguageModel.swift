// SPDX-License-Identifier: Apache-2.0
import Taxon

/// Something that answers a prompt with a text.
public protocol LanguageModel: Sendable {
  /// Who runs it, as errors name it.
  var provider: String { get }

  /// The answer to a prompt.
  ///
  /// - Throws: `LLM_API_ERROR`.
  func complete(_ prompt: String) async throws(ExternalError) -> String
}
