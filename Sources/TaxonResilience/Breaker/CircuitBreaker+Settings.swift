// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

extension CircuitBreaker {
  /// The numbers a breaker works with. The defaults are those of OctoLLM's standard.
  public struct Settings: Hashable, Sendable {
    /// Failures in a row that open a closed breaker; at least 1.
    public var failureThreshold: Int
    /// How long an open breaker rejects calls before it lets a probe through, and a half-open one before it lets another
    /// through beside a probe that is still going on.
    public var openDuration: Duration
    /// Probes under way at one time while half-open; at least 1.
    public var halfOpenPermits: Int

    /// Settings; numbers outside their bounds are brought to them.
    public init(failureThreshold: Int = 5, openDuration: Duration = .seconds(60), halfOpenPermits: Int = 1) {
      self.failureThreshold = max(1, failureThreshold)
      self.openDuration = max(.zero, openDuration.bounded)
      self.halfOpenPermits = max(1, halfOpenPermits)
    }
  }
}
