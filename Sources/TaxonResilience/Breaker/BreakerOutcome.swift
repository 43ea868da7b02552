// SPDX-License-Identifier: Apache-2.0
import TaxonErrors

/// What a call tells the breaker of the endpoint it went to.
public enum BreakerOutcome: Hashable, Sendable {
  /// The endpoint works.
  case success
  /// The endpoint is failing.
  case failure
  /// Nothing, such as an error of the caller's own making, or a call that was cancelled.
  case neutral

  /// The outcome of a call that threw: from the error's breaker class. An error that is no taxonomy error, and has no
  /// conversion to one, is a failure; a `CancellationError` is neutral.
  public init(_ error: any Error) {
    self.init(RPCError.lift(error).breaker)
  }

  /// The outcome that a breaker class stands for.
  public init(_ breaker: BreakerClass) {
    switch breaker {
    case .success: self = .success
    case .failure: self = .failure
    default: self = .neutral
    }
  }
}
