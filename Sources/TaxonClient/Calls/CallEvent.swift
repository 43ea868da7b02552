// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonResilience

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
