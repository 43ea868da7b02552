// SPDX-License-Identifier: Apache-2.0
import Taxon

extension Arm {
  /// Has a language model answer the task's description, behind a circuit breaker: while the model fails it is left in
  /// peace, and tasks fail at once.
  ///
  /// The work throws `LLM_API_ERROR`; when the breaker rejected it, with the time left as its retry-after.
  public static func writer(_ model: some LanguageModel, breaker: CircuitBreaker? = nil, capacity: Int = 2) -> Arm {
    let breaker = breaker ?? CircuitBreaker(endpoint: model.provider)
    return Arm("writer", capabilities: ["text", "write"], capacity: capacity) { contract in
      do throws(ExternalError) {
        return try await breaker.call { () async throws(ExternalError) in
          try await model.complete(contract.description)
        }
      } catch {
        guard let rejection = error.as(ConnectionError.CircuitOpen.self) else { throw error }
        // The caller need not know that a breaker is open here, only that the model fails, and for how long.
        throw ExternalError.llmAPI(
          provider: model.provider, errorMessage: "the provider is failing and is not asked",
          retryAfter: rejection.retryAfter, cause: rejection)
      }
    }
  }
}

/// Something that answers a prompt with a text.
public protocol LanguageModel: Sendable {
  /// Who runs it, as errors name it.
  var provider: String { get }

  /// The answer to a prompt.
  ///
  /// - Throws: `LLM_API_ERROR`.
  func complete(_ prompt: String) async throws(ExternalError) -> String
}

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
    // A sleep fails only when it is cancelled, and that is not a failure of the provider: it stays CANCELLED.
    try await ExternalError.catching { try await Task.sleep(for: pace * words.count) }
    return "You say: " + words.joined(separator: " ")
  }
}
