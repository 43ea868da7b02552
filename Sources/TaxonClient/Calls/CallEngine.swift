// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonResilience

/// Makes the attempts of calls: asks the policy after each failure whether another follows.
final class CallEngine: Sendable {
  let dispatcher: CallDispatcher
  private let policy: CallPolicy
  private let budget: RetryBudget?
  /// Those that calls ask for in their options, shared by all calls that ask for the same.
  private let otherBudgets = Locked<[RetryBudget.Settings: RetryBudget]>([:])
  private static let maxBudgets = 64
  private let clock: any Clock<Duration>
  private let observer: (@Sendable (CallEvent) -> Void)?
  private let logger: Logger

  init(
    dispatcher: CallDispatcher, policy: CallPolicy, clock: any Clock<Duration>,
    observer: (@Sendable (CallEvent) -> Void)?, logger: Logger
  ) {
    self.dispatcher = dispatcher
    self.policy = policy
    budget = policy.retry.budget.map { RetryBudget($0) }
    self.clock = clock
    self.observer = observer
    self.logger = logger
  }

  /// Attempts until one succeeds or no other is allowed. A cancelled task gives the call up.
  ///
  /// - Parameters:
  ///   - mayRepeat: False when somebody knows something of the attempt that has just failed.
  ///   - makeAttempt: Makes the next attempt, to be told whether the one before was refused.
  /// - Returns: What the call ended with; nil: the last attempt succeeded.
  nonisolated(nonsending) func run(
    _ plan: CallPlan, mayRepeat: () -> Bool = { true }, _ makeAttempt: (_ wasRefused: Bool) -> Attempt
  ) async -> (any Error)? {
    var retrier: Retrier?
    var wasRefused = false
    while true {
      let attempt = makeAttempt(wasRefused)
      await perform(attempt)
      guard let error = attempt.error else {
        budget(for: plan.options)?.succeeded()
        return nil
      }
      wasRefused = attempt.end.refusal != nil
      do {
        guard try await repeats(plan, after: attempt, isCommitted: !mayRepeat(), &retrier) else { return error }
      } catch {
        return error
      }
    }
  }

  /// Makes one attempt, and waits until it has ended or begun to succeed. A cancelled task gives it up; others of its call
  /// that are under way at the same time go on.
  @inline(__always)
  nonisolated(nonsending) func perform(_ attempt: Attempt) async {
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        attempt.caller = continuation
        dispatcher.submit(attempt)
      }
    } onCancel: {
      dispatcher.execute { attempt.cancel() }
    }
  }

  /// The tokens that a call's retries take: the channel's, or those of the policy in its options.
  private func budget(for options: CallOptions) -> RetryBudget? {
    guard let retry = options.retry, retry.budget != policy.retry.budget else { return budget }
    guard let settings = retry.budget else { return nil }
    return otherBudgets.withLock { budgets in
      if let budget = budgets[settings] { return budget }
      if budgets.count >= Self.maxBudgets { budgets.removeAll() }
      let budget = RetryBudget(settings)
      budgets[settings] = budget
      return budget
    }
  }

  /// Decides what follows on a failed attempt, and waits until then.
  ///
  /// - Parameters:
  ///   - isCommitted: The caller knows the head of the attempt's answer.
  ///   - retrier: Counts the attempts; nil after the first.
  /// - Returns: True when another is to be made, now: the pause before it is over.
  /// - Throws: What ended the pause.
  private nonisolated(nonsending) func repeats(
    _ plan: CallPlan, after attempt: Attempt, isCommitted: Bool, _ retrier: inout Retrier?
  ) async throws -> Bool {
    let end = attempt.end
    note(end.notes, plan.path)
    guard let error = end.error else { return false }
    var counting =
      retrier
      ?? Retrier(plan.options.retry ?? policy.retry, isIdempotent: plan.isIdempotent, budget: budget(for: plan.options))
    var decision = counting.failed(
      error, timeLeft: plan.deadline.map { Duration($0 - dispatcher.eventLoop.now) }, refusal: end.refusal)
    if isCommitted, case .retry = decision { decision = .stop(.committed) }
    retrier = counting
    // An attempt that the server did not process is none.
    if case .retry(_, .transparent) = decision {
    } else {
      observer?(
        .attemptFailed(path: plan.path, attempt: counting.failedAttempts, error: error, decision: decision))
    }
    plan.context?.decided(attempt.number, decision)
    logger.debug("\(decision)", metadata: ["rpc.path": "\(plan.path)", "error.code": "\(error.code)"])
    guard case .retry(let delay, _) = decision else {
      plan.options.onMetadata?(end.initial, end.trailing)
      return false
    }
    do {
      if delay > .zero { try await clock.sleep(for: delay) } else { try Task.checkCancellation() }
    } catch {
      plan.options.onMetadata?(end.initial, end.trailing)
      throw error
    }
    return true
  }

  /// Whether calls of a method that were refused with REFUSED_STREAM are repeated.
  func repeatsRefusedStreams(_ plan: CallPlan) -> Bool {
    plan.isIdempotent || (plan.options.retry ?? policy.retry).repeatsRefusedStreams
  }

  /// Writes into the log what was odd in an answer.
  func note(_ notes: [WireNote], _ path: String) {
    for note in notes { logger.warning("\(note)", metadata: ["rpc.path": "\(path)"]) }
  }
}

/// What a channel decided about a call: for logs and metrics.
public enum CallEvent: Sendable, CustomStringConvertible {
  /// An attempt failed and, after what was decided, is repeated or not.
  case attemptFailed(path: String, attempt: Int, error: any TaxonomyError, decision: RetryDecision)
  /// The circuit breaker of the endpoint changed its state.
  case breaker(CircuitBreaker.Transition)

  /// The event in a line.
  public var description: String {
    switch self {
    case .attemptFailed(let path, let attempt, let error, let decision):
      "\(path) attempt \(attempt) failed with \(error.code): \(decision)"
    case .breaker(let transition): "\(transition)"
    }
  }
}
