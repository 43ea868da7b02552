// SPDX-License-Identifier: Apache-2.0
import Taxon

extension ArmRegistry {
  /// The arms of the example: a summariser, a calculator, a retriever over the tasks, a writer with a language model and a
  /// lexicographer with a dictionary of somebody else's.
  public static func standard(
    tasks: any TaskReader, model: some LanguageModel = Parrot(), modelBreaker: CircuitBreaker? = nil,
    calculations: RateLimiter = RateLimiter(limit: 100, window: .seconds(10)), lexicon: Lexicon = Lexicon()
  ) -> ArmRegistry {
    ArmRegistry([
      .summariser, .calculator(limiter: calculations), .retriever(TaskIndex(tasks)),
      .writer(model, breaker: modelBreaker), .lexicographer(lexicon),
    ])
  }
}
