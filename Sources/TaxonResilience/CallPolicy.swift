// SPDX-License-Identifier: Apache-2.0

/// How calls to an endpoint are guarded.
public struct CallPolicy: Hashable, Sendable {
  /// Which failed calls are tried again, and when.
  public var retry: RetryPolicy
  /// When calls are kept from an endpoint that fails; nil for never.
  public var breaker: CircuitBreaker.Settings?
  /// How long a call may take with all its attempts, unless the caller says otherwise; nil for any time.
  public var timeout: Duration?

  /// A policy from its parts.
  public init(
    retry: RetryPolicy = .standard, breaker: CircuitBreaker.Settings? = CircuitBreaker.Settings(),
    timeout: Duration? = nil
  ) {
    self.retry = retry
    self.breaker = breaker
    self.timeout = timeout
  }

  /// OctoLLM's standard: 3 retries, from 1 s by doubling to 60 s, jitter from 0.5 to 1; 5 failures in a row open the
  /// breaker for 60 s; no timeout of its own.
  public static let standard = CallPolicy()
  /// One attempt, no breaker, no timeout.
  public static let none = CallPolicy(retry: .none, breaker: nil)
}
