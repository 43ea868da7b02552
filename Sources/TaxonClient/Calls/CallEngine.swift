// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import TaxonErrors
import TaxonHTTP2
import TaxonProtobuf
import TaxonResilience

/// What became of one attempt.
struct AttemptResult<Success: Sendable, Failure: ErrorUnion>: Sendable {
  let outcome: Result<Success, Failure>
  var initial = Metadata()
  var trailing = Metadata()
  /// The server did not process the attempt at all.
  var isRefused = false
  /// What the log should know of the answer.
  var notes: [WireNote] = []
}

/// A breaker's permit in the hands of several, the first of whom settles it.
final class PermitKeeper: Sendable {
  private let permit: Locked<CircuitBreaker.Permit?>

  init(_ permit: consuming CircuitBreaker.Permit) { self.permit = Locked(permit) }

  /// Reports how the call ended; nil: well.
  func settle(_ error: (any TaxonomyError)?) {
    guard let permit = permit.withLock({ $0.take() }) else { return }
    if let error { permit.settle(throwing: error) } else { permit.settle(.success) }
  }
}

/// Makes attempts: asks the breaker before each, and after a failure the policy.
struct CallEngine: Sendable {
  let endpoint: Endpoint
  let policy: CallPolicy
  let breaker: CircuitBreaker?
  let budget: RetryBudget?
  let clock: any Clock<Duration>
  let observer: (@Sendable (CallEvent) -> Void)?
  let logger: Logger

  /// Attempts until one succeeds or no other is allowed. The attempt settles the permit when it succeeds.
  func run<Request, Response, Success, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, _ options: CallOptions, _ deadline: NIODeadline?,
    _ attempt: (Endpoint, PermitKeeper?) async -> AttemptResult<Success, Failure>
  ) async throws(Failure) -> Success {
    var retrier = Retrier(
      options.retry ?? policy.retry, isIdempotent: method.idempotency.isSafeToRepeat, budget: budget)
    while true {
      let result = await self.attempt(attempt)
      note(result.notes, method.path)
      let error: Failure
      switch result.outcome {
      case .success(let success):
        retrier.succeeded()
        return success
      case .failure(let failure): error = failure
      }
      let decision = retrier.failed(
        error, timeLeft: deadline.map { Duration($0 - .now()) }, isRefused: result.isRefused)
      observer?(
        .attemptFailed(path: method.path, attempt: retrier.failedAttempts, error: error, decision: decision))
      logger.debug("\(decision)", metadata: ["rpc.path": "\(method.path)", "error.code": "\(error.code)"])
      guard case .retry(let delay, _) = decision else {
        options.onMetadata?(result.initial, result.trailing)
        throw error
      }
      do {
        if delay > .zero { try await clock.sleep(for: delay) } else { try Task.checkCancellation() }
      } catch {
        throw Failure.lift(error)
      }
    }
  }

  private func attempt<Success, Failure>(
    _ attempt: (Endpoint, PermitKeeper?) async -> AttemptResult<Success, Failure>
  ) async -> AttemptResult<Success, Failure> {
    do throws(ConnectionError.CircuitOpen) {
      let permit = try permit()
      let result = await attempt(endpoint, permit)
      if case .failure(let error) = result.outcome { permit?.settle(error) }
      return result
    } catch {
      return AttemptResult(outcome: .failure(Failure.lift(error).fromCall()))
    }
  }

  /// Leave for one attempt; nil when there is no breaker.
  func permit() throws(ConnectionError.CircuitOpen) -> PermitKeeper? {
    guard let breaker else { return nil }
    return PermitKeeper(try breaker.acquire())
  }

  /// Writes into the log what was odd in an answer.
  func note(_ notes: [WireNote], _ path: String) {
    for note in notes { logger.warning("\(note)", metadata: ["rpc.path": "\(path)"]) }
  }
}
