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
        // That a breaker is open here is no business of the caller's; that the model fails, and for how long, is.
        throw ExternalError.llmAPI(
          provider: model.provider, errorMessage: "the provider is failing and is not asked",
          retryAfter: rejection.retryAfter, cause: rejection)
      }
    }
  }
}
