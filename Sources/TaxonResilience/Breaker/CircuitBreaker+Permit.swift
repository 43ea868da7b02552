// SPDX-License-Identifier: Apache-2.0
import TaxonErrors

extension CircuitBreaker {
  /// Leave to make one call. Settle it with the call's outcome; a permit that is dropped counts as neutral, so that no
  /// path through a caller can keep a half-open breaker waiting for ever.
  public struct Permit: ~Copyable, Sendable {
    private let breaker: CircuitBreaker
    private var generation: UInt64
    private var isSettled = false

    init(breaker: CircuitBreaker, generation: UInt64) {
      self.breaker = breaker
      self.generation = generation
    }

    /// Reports that the endpoint answers, though the call goes on, as a stream may for ever: that closes a half-open
    /// breaker. The outcome is still to be settled, and counts as that of any call.
    public mutating func answered() {
      generation = breaker.answered(generation: generation)
    }

    /// Reports the outcome of the call.
    public consuming func settle(_ outcome: BreakerOutcome) {
      isSettled = true
      breaker.settle(outcome, generation: generation, cause: nil)
    }

    /// Reports that the call failed; what that means to the breaker follows from the error.
    public consuming func settle(throwing error: any Error) {
      isSettled = true
      let error = RPCError.lift(error)
      breaker.settle(BreakerOutcome(error.breaker), generation: generation, cause: error.identity)
    }

    deinit {
      if !isSettled { breaker.settle(.neutral, generation: generation, cause: nil) }
    }
  }
}
