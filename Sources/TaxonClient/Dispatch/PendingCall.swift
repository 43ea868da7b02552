// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonResilience

/// A call that a channel can send when it has a connection, whatever its types.
protocol PendingCall: AnyObject {
  /// The call waits when no server can be reached, instead of failing at once.
  var waitsForReady: Bool { get }
  /// The call has ended, and nobody need wait for it any more.
  var isOver: Bool { get }
  /// Where the call waits; for the queue alone. A call that ends leaves the queue.
  var place: WaitingCalls.Place? { get set }
  /// Takes the leave of a server's circuit breaker, to be settled with the outcome. Comes before `send`, when the
  /// server that was picked has a breaker of its own.
  func admit(_ permit: consuming CircuitBreaker.Permit)
  /// Opens the stream on a session that can take it. To be called on the channel's loop.
  func send(on connection: ClientConnection)
  /// Ends the call without having sent it.
  func fail(_ error: any TaxonomyError)
}

/// A call that was handed to a channel.
protocol SubmittedCall: AnyObject, Sendable {
  /// To be called on the channel's loop.
  func begin()
}
