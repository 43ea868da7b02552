// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import Testing

@Suite struct UndeclaredErrorTests {
  @Test func isAPlainStatusUnderTheNameOfGRPC() {
    let error = UndeclaredError(.notFound, "no such thing")
    #expect(error.identity == ErrorIdentity(domain: "grpc.io", code: "NOT_FOUND"))
    #expect(error.message == "no such thing")
    #expect(error.description == "NOT_FOUND: no such thing")
    #expect(error.httpStatus == 404)
    #expect(UndeclaredError(.notFound).description == "NOT_FOUND")
  }

  @Test(arguments: StatusCode.allCases) func tellsABreakerWhatTheStatusMeans(status: StatusCode) {
    let failures: Set<StatusCode> = [
      .ok, .unavailable, .deadlineExceeded, .internalError, .unknown, .dataLoss, .resourceExhausted,
    ]
    #expect(UndeclaredError(status).breaker == (failures.contains(status) ? .failure : .neutral))
  }

  @Test(arguments: StatusCode.allCases) func isWorthARetryOnlyWhenUnavailable(status: StatusCode) {
    #expect(UndeclaredError(status).retry == (status == .unavailable ? .transient : .never))
    #expect(!UndeclaredError(status).isSafe)
  }

  @Test func isNoSuccess() {
    #expect(UndeclaredError(.ok).status == .unknown)
  }

  @Test func answersWhatTheKnownErrorInItAnswers() {
    let error = UndeclaredError(ResourceError.RateLimitError(limit: 1, window: 2))
    #expect(error.code == "RATE_LIMIT_EXCEEDED")
    #expect(error.retry == .throttled)
    #expect(error.retryAfter == .seconds(5))
    #expect(error.metadata == ["limit": "1", "window": "2"])
    #expect(error.wrapped is ResourceError.RateLimitError)
    #expect(UndeclaredError(ValidationError.InvalidInput(field: "a", description: "b")).violations.count == 1)
  }

  @Test func isEqualByWhatItSays() {
    let one = UndeclaredError(ValidationError.TaskNotFound(taskID: "1"))
    #expect(one == UndeclaredError(ValidationError.TaskNotFound(taskID: "1")).caused(by: ForeignError()))
    #expect(one != UndeclaredError(ValidationError.TaskNotFound(taskID: "2")))
    #expect(one != UndeclaredError(.notFound, "Task 1 not found"))
    #expect(UndeclaredError(.aborted, "a") == UndeclaredError(.aborted, "a"))
    #expect(UndeclaredError(.aborted, "a") != UndeclaredError(.aborted, "b"))
    #expect(Set([one, UndeclaredError(ValidationError.TaskNotFound(taskID: "1"))]).count == 1)
  }
}
