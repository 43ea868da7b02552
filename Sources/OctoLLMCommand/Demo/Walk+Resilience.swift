// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon

extension Walk {
  func retries() async throws {
    section("Retry", "3 retries, from 0.1 s by doubling, jitter 0.5 to 1; the schema says what may be retried")
    let channel = try stage.channel(
      CallPolicy(retry: RetryPolicy(backoff: Backoff(base: .milliseconds(100))), breaker: nil, timeout: .seconds(3)))
    let rehearsal = Rehearsal.Client(channel)
    _ = stage.events.take()

    let network = try? await rehearsal.raise(
      .init(domain: "octollm.dev", code: "NETWORK_ERROR", times: 2, key: "retry"))
    check(showAttempts("Raise, fails twice", isAnswered: network != nil) == 2, "two attempts should have failed")
    check(network?.failures == 2, "the third attempt should have been answered")

    let limited = try? await rehearsal.raise(
      .init(
        domain: "octollm.dev", code: "RATE_LIMIT_EXCEEDED", times: 1, key: "retry",
        retryAfter: .init(.milliseconds(250))))
    check(showAttempts("Raise, asks to wait", isAnswered: limited != nil) == 1, "one attempt should have failed")
    check(limited?.failures == 1, "the second attempt should have been answered")

    let id = try await create("snark", needs: "define")
    let execution = try? await Orchestrator.Client(channel).executeTask(.init(taskID: id), options: Self.asOwner)
    check(
      showAttempts("ExecuteTask", isAnswered: execution != nil) == 1,
      "a method that is not idempotent should not be retried")
  }

  /// The attempts of a call that failed, with what was decided about each; how many there were.
  private func showAttempts(_ request: String, isAnswered: Bool) -> Int {
    let failures = stage.events.take().failures
    for (index, failure) in failures.enumerated() {
      console.line(
        row(
          index == 0 ? request : "", console.styled(failure.error.code.padded(to: Column.error), .yellow),
          failure.decision.short))
    }
    if isAnswered { console.line(row("", console.styled("answered", .green), "")) }
    return failures.count
  }

  func circuitBreaker() async throws {
    let settings = CircuitBreaker.Settings(failureThreshold: 3, openDuration: .milliseconds(400))
    section("Circuit breaker", "3 failures in a row open it for 0.4 s; errors of the caller's own making don't count")
    let channel = try stage.channel(CallPolicy(retry: .none, breaker: settings))
    let breaker = channel.breaker
    let rehearsal = Rehearsal.Client(channel)
    let failing = RaiseRequest(domain: "octollm.dev", code: "DATABASE_ERROR", times: 3, key: "breaker")
    _ = stage.events.take()

    for request in [failing, failing, .init(domain: "octollm.dev", code: "TASK_NOT_FOUND"), failing] {
      await showGuarded("Raise", rehearsal, request, breaker)
    }
    check(breaker?.state == .open, "three failures should have opened the breaker")

    let rejection = await showGuarded("Raise", rehearsal, failing, breaker)
    let isRejected = rejection?.as(ConnectionError.CircuitOpen.self) != nil
    check(isRejected, "CIRCUIT_OPEN was expected, \(rejection.map { "\($0)" } ?? "an answer") came")
    let left = rejection?.retryAfter ?? .zero
    check(left > .zero && left <= settings.openDuration, "the rejection should carry the time left, not \(left)")

    try await Task.sleep(for: left)
    let probe = await showGuarded("Raise, \(left.short) later", rehearsal, failing, breaker)
    check(probe == nil, "the probe should have been answered, not \(probe.map { "\($0)" } ?? "")")
    check(breaker?.state == .closed, "the answer should have closed the breaker")
  }

  /// A call under the breaker, its outcome and what became of the breaker; nil when it was answered.
  @discardableResult
  private func showGuarded(
    _ request: String, _ rehearsal: Rehearsal.Client, _ raise: RaiseRequest, _ breaker: CircuitBreaker?
  ) async -> Rehearsal.RaiseError? {
    var failure: Rehearsal.RaiseError?
    do {
      _ = try await rehearsal.raise(raise)
    } catch {
      failure = error
    }
    let outcome =
      failure.map { console.styled($0.code.padded(to: Column.error), .yellow) }
      ?? console.styled("answered".padded(to: Column.error), .green)
    let transitions = stage.events.take().transitions
    let changes = transitions.isEmpty ? "\(breaker?.state, default: "none")" : transitions.path
    let wait = failure?.retryAfter.map { ", retry after \($0.short)" } ?? ""
    console.line(row(request, outcome, changes + wait))
    return failure
  }

  func partialSuccess() async throws {
    section("Partial success", "every pending task is executed, and a failure ends only its own")
    for (description, capability) in [
      ("Octopuses have three hearts. Taxon has one.", "summarise"), ("What is an octopus?", "define"),
      ("Draw an octopus", "vision"),
    ] {
      _ = try await create(description, needs: capability)
    }
    let result = try await orchestrator.executeAll(options: Self.asOwner)
    for success in result.successes {
      let output = (success.value.output ?? "").cut(to: 60)
      console.line(row("ExecuteTask", console.styled("done".padded(to: Column.error), .green), output))
    }
    for failure in result.failures {
      console.line(
        row("ExecuteTask", console.styled(failure.error.code.padded(to: Column.error), .yellow), failure.error.message))
    }
    check(
      result.successes.count == 2 && result.failures.map(\.error.code) == ["ARM_UNAVAILABLE"],
      "two tasks should be done and one should find no arm")
    _ = stage.events.take()
  }

  func degradation() async throws {
    section("Graceful degradation", "the primary database is closed now; reads go to the replica")
    let id = try await create("Read me", needs: "summarise")
    stage.store.close()
    let task = try? await orchestrator.getTask(.init(taskID: id), options: Self.asOwner)
    if task != nil { console.line(row("GetTask", console.styled("answered", .green), "")) }
    check(task?.contract?.description == "Read me", "the replica should have answered")
    await expect("UpdateTaskStatus", "DATABASE_ERROR") { () async throws(Orchestrator.UpdateTaskStatusError) in
      try await orchestrator.updateTaskStatus(.init(taskID: id, status: .completed), options: Self.asOwner)
    } typed: { error in
      if case .database(let error) = error { error.error.isEmpty } else { false }
    }
  }

  private func row(_ request: String, _ outcome: String, _ rest: String) -> String {
    "  " + request.padded(to: Column.request) + outcome + rest
  }
}

extension [CircuitBreaker.Transition] {
  /// Such as "open → half-open → closed".
  fileprivate var path: String {
    ((first.map { ["\($0.from)"] } ?? []) + map { "\($0.to)" }).joined(separator: " → ")
  }
}
