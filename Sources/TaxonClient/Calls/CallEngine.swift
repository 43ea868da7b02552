// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonResilience

/// How one attempt ended.
struct AttemptEnd: Sendable {
  /// Nil when it succeeded.
  var error: (any TaxonomyError)?
  var initial = Metadata()
  var trailing = Metadata()
  /// Set when the server did not process the attempt: says how that is known.
  var refusal: Refusal?
  /// What the log should know of the answer.
  var notes: [WireNote] = []
}

/// A call as the engine sees it, which attempts it until it succeeds or no other attempt is allowed. No types of the
/// call's are in it: an async function that has generic types looks them up after every suspension.
protocol AttemptedCall: PendingCall, SubmittedCall {
  var plan: CallPlan { get }
  /// What the last attempt ended with; nil: it succeeded. To be read between attempts alone.
  var error: (any TaxonomyError)? { get }
  /// How the last attempt ended. To be read between attempts alone.
  var end: AttemptEnd { get }
  /// Resumed when the attempt has ended. To be set before the call is submitted.
  var caller: UnsafeContinuation<Void, Never>? { get set }
  /// Ends an attempt that is not to be submitted.
  func refuse(_ error: any TaxonomyError)
  /// Gives the call up: the caller's task is cancelled. To be called on the channel's loop.
  func cancel()
}

/// What the attempts of a call have in common.
struct CallPlan: Sendable {
  let path: String
  /// A second call does no harm even if the first had its effect.
  let isIdempotent: Bool
  let options: CallOptions
  let deadline: NIODeadline?
}

/// Makes attempts: asks the breaker before each, and after a failure the policy.
final class CallEngine: Sendable {
  let core: ChannelCore
  private let policy: CallPolicy
  private let breaker: CircuitBreaker?
  private let budget: RetryBudget?
  /// Those that calls ask for in their options, shared by all calls that ask for the same.
  private let otherBudgets = Locked<[RetryBudget.Settings: RetryBudget]>([:])
  private static let maxBudgets = 64
  private let clock: any Clock<Duration>
  private let observer: (@Sendable (CallEvent) -> Void)?
  private let logger: Logger

  init(
    core: ChannelCore, policy: CallPolicy, breaker: CircuitBreaker?, clock: any Clock<Duration>,
    observer: (@Sendable (CallEvent) -> Void)?, logger: Logger
  ) {
    self.core = core
    self.policy = policy
    self.breaker = breaker
    budget = policy.retry.budget.map { RetryBudget($0) }
    self.clock = clock
    self.observer = observer
    self.logger = logger
  }

  /// Attempts until one succeeds or no other is allowed. A cancelled task gives the call up.
  ///
  /// - Returns: What the call ended with; nil: it succeeded.
  nonisolated(nonsending) func run(_ call: any AttemptedCall) async -> (any Error)? {
    var retrier: Retrier?
    while true {
      if admit(call) {
        await withTaskCancellationHandler {
          await withUnsafeContinuation { continuation in
            call.caller = continuation
            core.submit(call)
          }
        } onCancel: {
          core.execute { call.cancel() }
        }
      }
      guard let error = call.error else {
        succeeded(call.plan.options)
        return nil
      }
      do {
        guard try await mayRepeat(call.plan, after: call.end, &retrier) else { return error }
      } catch {
        return error
      }
    }
  }

  /// False: the breaker is open, and the attempt has ended.
  private func admit(_ call: any AttemptedCall) -> Bool {
    guard let breaker else { return true }
    do throws(ConnectionError.CircuitOpen) {
      call.admit(try breaker.acquire())
      return true
    } catch {
      call.refuse(error)
      return false
    }
  }

  /// To be called when an attempt has succeeded.
  func succeeded(_ options: CallOptions) { budget(for: options)?.succeeded() }

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

  /// To be called when an attempt has failed.
  ///
  /// - Parameters:
  ///   - isCommitted: The caller knows the head of the attempt's answer.
  ///   - retrier: Counts the attempts; nil after the first.
  /// - Returns: True when another is to be made, now: the pause before it is over.
  /// - Throws: What ended the pause.
  nonisolated(nonsending) func mayRepeat(
    _ plan: CallPlan, after end: AttemptEnd, isCommitted: Bool = false, _ retrier: inout Retrier?
  ) async throws -> Bool {
    note(end.notes, plan.path)
    guard let error = end.error else { return false }
    var counting =
      retrier
      ?? Retrier(plan.options.retry ?? policy.retry, isIdempotent: plan.isIdempotent, budget: budget(for: plan.options))
    var decision = counting.failed(
      error, timeLeft: plan.deadline.map { Duration($0 - core.eventLoop.now) }, refusal: end.refusal)
    if isCommitted, case .retry = decision { decision = .stop(.committed) }
    retrier = counting
    // An attempt that the server did not process is none.
    if case .retry(_, .transparent) = decision {
    } else {
      observer?(
        .attemptFailed(path: plan.path, attempt: counting.failedAttempts, error: error, decision: decision))
    }
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

  /// Leave for one attempt; nil when there is no breaker, or one for each address.
  func permit() throws(ConnectionError.CircuitOpen) -> CircuitBreaker.Permit? {
    guard let breaker else { return nil }
    return try breaker.acquire()
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
