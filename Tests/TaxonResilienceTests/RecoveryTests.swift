// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonResilience
import Testing

@Suite struct FallbackTests {
  @Test func answersFromTheFirstChoiceWhenItWorks() async throws {
    let value = try await withFallback {
      "primary"
    } fallback: { _ in
      Issue.record("asked")
      return "replica"
    }
    #expect(value == "primary")
  }

  @Test func answersFromTheFallbackWhenTheFirstChoiceIsFailing() async throws {
    let value = try await withFallback {
      throw try failure()
    } fallback: { error in
      "replica after \((error as? RPCError)?.code ?? "?")"
    }
    #expect(value == "replica after FAILED")
  }

  @Test func asksNoFallbackForWhatIsWrongElsewhereToo() async throws {
    await #expect(throws: CallError.methodNotFound(path: "/a/b")) {
      try await withFallback {
        throw CallError.methodNotFound(path: "/a/b")
      } fallback: { _ in
        Issue.record("asked")
      }
    }
    await #expect(throws: CancellationError.self) {
      try await withFallback {
        throw CancellationError()
      } fallback: { _ in
        Issue.record("asked")
      }
    }
  }

  @Test func asksTheFallbackForWhatItIsToldTo() async throws {
    let value = try await withFallback(when: { $0 is CallError }) {
      throw CallError.methodNotFound(path: "/a/b")
    } fallback: { _ in
      1
    }
    #expect(value == 1)
  }

  @Test func keepsTheFirstFailureAsTheCauseOfTheSecond() async throws {
    do {
      try await withFallback {
        throw try failure()
      } fallback: { _ in
        throw ConnectionError.connectionLost(endpoint: "replica", error: "reset")
      }
      Issue.record("nothing was thrown")
    } catch let error as ConnectionError {
      #expect(error.causes == [ErrorIdentity(domain: "test.dev", code: "FAILED")])
    }
    await #expect(throws: ForeignError(number: 2)) {
      try await withFallback {
        throw try failure()
      } fallback: { _ in
        throw ForeignError(number: 2)
      }
    }
  }
}

@Suite struct PartialSuccessTests {
  @Test func keepsSuccessesAndFailuresInTheirOrder() async {
    let result = await PartialSuccess.of(1...5, key: { "task-\($0)" }) { number in
      if number == 2 { throw CallError.methodNotFound(path: "\(number)") }
      if number == 4 { throw ForeignError() }
      return number * 10
    }
    #expect(result.successes.map(\.key) == ["task-1", "task-3", "task-5"])
    #expect(result.values == [10, 30, 50])
    #expect(result.failures.map(\.key) == ["task-2", "task-4"])
    #expect(result.failures.map(\.error.code) == ["METHOD_NOT_FOUND", "INTERNAL_ERROR"])
    #expect(result.failures[1].error.cause is ForeignError)
    #expect(!result.isComplete)
  }

  @Test func isCompleteWhenNothingFails() async {
    let result = await PartialSuccess.of([1, 2], key: { $0 }) { $0 }
    #expect(result.isComplete)
    #expect(result.values == [1, 2])
    #expect(await PartialSuccess.of([Int](), key: { $0 }) { $0 }.isComplete)
  }

  @Test func beginsNothingMoreOnceItIsCancelled() async {
    let task = Task {
      await PartialSuccess.of(1...3, key: { $0 }) { number in
        if number == 1 { withUnsafeCurrentTask { $0?.cancel() } }
        return number
      }
    }
    let result = await task.value
    #expect(result.values == [1])
    #expect(result.failures.map(\.error.status) == [.cancelled, .cancelled])
  }
}
