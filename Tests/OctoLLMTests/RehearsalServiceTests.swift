// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon
import Testing

@Suite struct RehearsalServiceTests {
  @Test func thereIsASampleOfEveryError() {
    let declared = (OctoLLMError.members + ReflexError.members).map {
      "\($0.declaration.domain)/\($0.declaration.code)"
    }
    #expect(declared.count == 22)
    #expect(Set(SampleErrors.all.map { "\($0.identity)" }) == Set(declared))
    #expect(SampleErrors.all.count == declared.count)
  }

  @Test(arguments: SampleErrors.all.map(\.identity)) func everyErrorIsRaisedTyped(_ identity: ErrorIdentity)
    async throws
  {
    let error = await raise(.init(domain: identity.domain, code: identity.code))
    #expect(error?.identity == identity)
    if case .other = error { Issue.record("\(identity) is not declared") }
  }

  @Test func afterSoManyFailuresTheMethodAnswers() async throws {
    let service = RehearsalService()
    let request = RaiseRequest(domain: "octollm.dev", code: "CACHE_ERROR", times: 2, key: "a")
    for _ in 0..<2 { #expect(await raise(request, service)?.code == "CACHE_ERROR") }
    #expect(try await service.raise(request, context: .init()) == RaiseResponse(failures: 2))
    #expect(await raise(request, service)?.code == "CACHE_ERROR", "the count begins anew")
  }

  @Test func keysAndErrorsAreCountedApart() async throws {
    let service = RehearsalService()
    for request in [
      RaiseRequest(domain: "octollm.dev", code: "CACHE_ERROR", times: 1, key: "a"),
      RaiseRequest(domain: "octollm.dev", code: "CACHE_ERROR", times: 1, key: "b"),
      RaiseRequest(domain: "reflex.octollm.dev", code: "CACHE_ERROR", times: 1, key: "a"),
    ] {
      #expect(await raise(request, service) != nil)
    }
  }

  @Test func theRequestMayChooseTheRetryAfter() async throws {
    let error = await raise(
      .init(
        domain: "octollm.dev", code: "DATABASE_ERROR", retryAfter: .init(seconds: 1, nanos: 500_000_000)))
    #expect(error?.retryAfter == .milliseconds(1500))
  }

  @Test(arguments: [
    ("octollm.dev", "NOPE", 0, "code"), ("", "", 0, "code"), ("octollm.dev", "CACHE_ERROR", -1, "times"),
  ])
  func whatThereIsNotIsInvalidInput(_ domain: String, _ code: String, _ times: Int32, _ field: String) async throws {
    guard case .validationInvalidInput(let error) = await raise(.init(domain: domain, code: code, times: times)) else {
      Issue.record("no VALIDATION_ERROR")
      return
    }
    #expect(error.field == field)
  }

  private func raise(
    _ request: RaiseRequest, _ service: RehearsalService = RehearsalService()
  ) async -> Rehearsal.RaiseError? {
    await failure { try await service.raise(request, context: .init()) }
  }
}
