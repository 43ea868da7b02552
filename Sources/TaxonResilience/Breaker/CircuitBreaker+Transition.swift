// SPDX-License-Identifier: Apache-2.0
import TaxonErrors

extension CircuitBreaker {
  /// A change of a breaker's state.
  public struct Transition: Hashable, Sendable {
    /// What the breaker guards.
    public var endpoint: String
    /// The state before.
    public var from: State
    /// The state after.
    public var to: State
    /// The error that caused it, where one did.
    public var cause: ErrorIdentity?
    /// How long calls are rejected now, when it opened.
    public var openFor: Duration?
  }
}

extension CircuitBreaker.Transition: CustomStringConvertible {
  /// A line for a log, such as "circuit breaker for llm: closed → open for 60.0 seconds after llm.example/DOWN".
  public var description: String {
    var text = "circuit breaker for \(endpoint): \(from) → \(to)"
    if let openFor { text += " for \(openFor)" }
    if let cause { text += " after \(cause)" }
    return text
  }
}

extension CircuitBreaker.State: CustomStringConvertible {
  /// "closed", "open" or "half-open".
  public var description: String {
    switch self {
    case .closed: "closed"
    case .open: "open"
    case .halfOpen: "half-open"
    }
  }
}
