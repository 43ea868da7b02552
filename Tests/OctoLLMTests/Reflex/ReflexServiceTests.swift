// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Synchronization
import Taxon
import TaxonFixtures
import TaxonTesting
import Testing

@Suite struct ReflexServiceTests {
  private struct Broken: ReflexCache {
    struct Refused: Error {}
    func value(_ key: String) async throws -> [UInt8]? { throw Refused() }
    func keep(_ value: [UInt8], _ key: String) async throws { throw Refused() }
  }

  @Test func textsAreTrimmedAndKept() async throws {
    let reflex = ReflexService(logger: quiet)
    #expect(try await reflex.preprocess(.init(text: "  hello \n"), context: .init()) == .init(text: "hello"))
    #expect(try await reflex.preprocess(.init(text: "hello"), context: .init()) == .init(text: "hello", cached: true))
  }

  @Test func personalDataIsRejected() async throws {
    let error = await preprocess(ReflexService(logger: quiet), "ask ada@example.com")
    guard case .piiDetected(let error) = error else { throw error ?? RPCError(.ok) }
    #expect(error.pattern == "email")
    #expect(error.excerpt == "ada@example.com")
    #expect(!error.message.contains("ada"))
    #expect(error.metadata == ["pattern": "email"])
  }

  @Test(arguments: ["", "  \n ", String(repeating: "x", count: ReflexService.maxLength + 1)])
  func emptyAndLongTextsAreInvalid(_ text: String) async throws {
    guard case .invalidInput = await preprocess(ReflexService(logger: quiet), text) else {
      Issue.record("no INVALID_INPUT")
      return
    }
  }

  @Test func tooManyTextsAreRejected() async throws {
    let clock = ManualClock()
    let reflex = ReflexService(limiter: RateLimiter(limit: 2, window: .seconds(1), clock: clock), logger: quiet)
    for _ in 0..<2 { #expect(await preprocess(reflex, "hello") == nil) }
    guard case .rateLimitExceeded(let error) = await preprocess(reflex, "hello") else {
      Issue.record("no RATE_LIMIT_EXCEEDED")
      return
    }
    #expect(error.limit == 2)
    #expect(error.retryAfter == .seconds(1))
    clock.advance(by: .seconds(1))
    #expect(await preprocess(reflex, "hello") == nil)
  }

  @Test func theSecondaryCacheAnswersWhenThePrimaryFails() async throws {
    let secondary = MemoryCache()
    await secondary.keep(try PreprocessResponse(text: "hello").encoded(), "hello")
    let reflex = ReflexService(cache: Broken(), secondary: secondary, logger: quiet)
    #expect(try await reflex.preprocess(.init(text: "hello"), context: .init()).cached)
  }

  @Test func withoutACacheThatWorksTheErrorSaysSo() async throws {
    for secondary in [nil, Broken()] {
      let error = await preprocess(ReflexService(cache: Broken(), secondary: secondary, logger: quiet), "hello")
      guard case .cache(let error) = error else { throw error ?? RPCError(.ok) }
      #expect(error.cause is Broken.Refused)
    }
  }

  @Test func whatIsNoAnswerInTheCacheIsASerializationError() async throws {
    let cache = MemoryCache()
    await cache.keep([0x0A, 0xFF], "hello")
    guard case .serialization(let error) = await preprocess(ReflexService(cache: cache, logger: quiet), "hello") else {
      Issue.record("no SERIALIZATION_ERROR")
      return
    }
    #expect(error.cause is MessageDecodingError)
  }

  @Test func theCacheForgetsTheOldest() async {
    let cache = MemoryCache(capacity: 2)
    for key in ["a", "b", "a", "c"] { await cache.keep([], key) }
    #expect(await cache.value("a") == nil)
    #expect(await cache.value("b") == [])
    #expect(await cache.value("c") == [])
  }

  private func preprocess(_ reflex: ReflexService, _ text: String) async -> Reflex.PreprocessError? {
    await failure { try await reflex.preprocess(.init(text: text), context: .init()) }
  }
}
