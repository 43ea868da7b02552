// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import Testing

@Suite struct RPCErrorTests {
  @Test func isAPlainStatusUnderTheNameOfGRPC() {
    let error = RPCError(.notFound, "no such thing")
    #expect(error.identity == ErrorIdentity(domain: "grpc.io", code: "NOT_FOUND"))
    #expect(error.message == "no such thing")
    #expect(error.description == "NOT_FOUND: no such thing")
    #expect(error.httpStatus == 404)
    #expect(RPCError(.notFound).description == "NOT_FOUND")
  }

  @Test(arguments: StatusCode.allCases) func tellsABreakerWhatTheStatusMeans(status: StatusCode) {
    let failures: Set<StatusCode> = [
      .ok, .unavailable, .deadlineExceeded, .internalError, .unknown, .dataLoss, .resourceExhausted,
    ]
    #expect(RPCError(status).breaker == (failures.contains(status) ? .failure : .neutral))
  }

  @Test(arguments: StatusCode.allCases) func isWorthARetryOnlyWhenUnavailable(status: StatusCode) {
    #expect(RPCError(status).retry == (status == .unavailable ? .transient : .never))
    #expect(!RPCError(status).isRetrySafe)
  }

  @Test func isNoSuccess() {
    #expect(RPCError(.ok).status == .unknown)
  }

  @Test func answersWhatTheKnownErrorInItAnswers() {
    let error = RPCError(ResourceError.RateLimitError(limit: 1, window: 2))
    #expect(error.code == "RATE_LIMIT_EXCEEDED")
    #expect(error.retry == .throttled)
    #expect(error.retryAfter == .seconds(5))
    #expect(error.metadata == ["limit": "1", "window": "2"])
    #expect(error.wrapped is ResourceError.RateLimitError)
    #expect(RPCError(ValidationError.InvalidInput(field: "a", description: "b")).violations.count == 1)
  }

  @Test func isEqualByWhatItSays() {
    let one = RPCError(ValidationError.TaskNotFound(taskID: "1"))
    #expect(one == RPCError(ValidationError.TaskNotFound(taskID: "1")).caused(by: ForeignError()))
    #expect(one != RPCError(ValidationError.TaskNotFound(taskID: "2")))
    #expect(one != RPCError(.notFound, "Task 1 not found"))
    #expect(RPCError(.aborted, "a") == RPCError(.aborted, "a"))
    #expect(RPCError(.aborted, "a") != RPCError(.aborted, "b"))
    #expect(Set([one, RPCError(ValidationError.TaskNotFound(taskID: "1"))]).count == 1)
  }
}
