// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonResilience
import TaxonTransport

/// A call with all its attempts, as a client's interceptors see it.
public final class ClientContext: CallContext {
  private struct State {
    var metadata: Metadata
    var peer = ""
    var isEncrypted = false
    var peerCertificate: PeerCertificate?
    var initial = Metadata()
    var trailing = Metadata()
    var values = CallValues()
    /// How many attempts were made.
    var attempts = 0
    var observers: [@Sendable (AttemptEvent) -> Void] = []
  }

  /// The method's path, such as "/octollm.v1.Orchestrator/GetTask".
  public let path: String
  /// When the call ends with DEADLINE_EXCEEDED, all attempts and pauses together; nil: never.
  public let deadline: ContinuousClock.Instant?
  /// What the method declares; nil without a channel.
  package let declaredErrors: (any ErrorUnion.Type)?
  private let state: Locked<State>

  /// A call, for tests of interceptors without a channel.
  public convenience init(
    path: String = "", metadata: Metadata = Metadata(), deadline: ContinuousClock.Instant? = nil
  ) {
    self.init(path: path, metadata: metadata, deadline: deadline, declaredErrors: nil)
  }

  private init(
    path: String, metadata: Metadata, deadline: ContinuousClock.Instant?, declaredErrors: (any ErrorUnion.Type)?
  ) {
    self.path = path
    self.deadline = deadline
    self.declaredErrors = declaredErrors
    state = Locked(State(metadata: metadata))
  }

  /// Sent with each attempt. What an interceptor changes before it calls `next` is sent; a later change has no effect.
  public var metadata: Metadata {
    get { state.withLock { $0.metadata } }
    set { state.withLock { $0.metadata = newValue } }
  }

  /// The server of the attempt that was sent last, as gRPC names peers: "ipv4:127.0.0.1:50051", "unix:", …; empty before
  /// there is one.
  public var peer: String { state.withLock { $0.peer } }
  /// Whether the connection of the attempt that was sent last is encrypted by TLS.
  public var isEncrypted: Bool { state.withLock { $0.isEncrypted } }
  /// The certificate that the server of the attempt that was sent last has shown; nil without TLS, and before there is
  /// one.
  public var peerCertificate: PeerCertificate? { state.withLock { $0.peerCertificate } }

  /// The metadata of the answer's head: of the attempt that has one, and came last.
  public var initialMetadata: Metadata { state.withLock { $0.initial } }
  /// The metadata of the answer's trailers: of the attempt that ended last. Empty before.
  public var trailingMetadata: Metadata { state.withLock { $0.trailing } }

  /// A value that lives as long as the call: what one interceptor sets, those further in read, and those further out when
  /// `next` has returned.
  public subscript<Key: CallValueKey>(key: Key.Type) -> Key.Value? {
    get { state.withLock { $0.values[key] } }
    set {
      // Freed outside of the lock.
      let old = state.withLock { state in
        let old = state.values
        state.values[key] = newValue
        return old
      }
      _ = old
    }
  }

  /// Has a closure called with what happens to each attempt of the call from now on. To be called before `next`, which
  /// makes the attempts.
  ///
  /// - Parameter observe: Called on any thread, in the order of the events; must not block.
  public func onAttempt(_ observe: @escaping @Sendable (AttemptEvent) -> Void) {
    state.withLock { $0.observers.append(observe) }
  }
}

/// What happens to an attempt of a call. The attempts of a call are numbered from 1, those included that the server refused.
public enum AttemptEvent: Sendable {
  /// The attempt is sent to a server, as gRPC names peers. An attempt for which there was no connection has no such event.
  case began(attempt: Int, peer: String)
  /// The attempt is over; the error is one of the method's, and nil when the attempt succeeded.
  case ended(attempt: Int, error: (any TaxonomyError)?)
  /// What follows the failure of the attempt. A call that streams its request is not repeated for a failure, but when it was
  /// refused, and has no such event otherwise.
  case decided(attempt: Int, RetryDecision)
}

extension ClientContext {
  convenience init(path: String, metadata: Metadata, deadline: NIODeadline?, declared: any ErrorUnion.Type) {
    self.init(
      path: path, metadata: metadata, deadline: deadline.map { .now + Duration($0 - .now()) }, declaredErrors: declared)
  }

  /// The number of an attempt that is made.
  func nextAttempt() -> Int {
    state.withLock { state in
      state.attempts += 1
      return state.attempts
    }
  }

  /// An attempt is sent.
  func began(_ attempt: Int, on connection: ClientConnection) {
    let (peer, isEncrypted, certificate) = (connection.peer, connection.isEncrypted, connection.peerCertificate)
    state.withLock { state in
      state.peer = peer
      state.isEncrypted = isEncrypted
      state.peerCertificate = certificate
    }
    tell(.began(attempt: attempt, peer: peer))
  }

  /// The head of an attempt's answer has come.
  func receive(initial: Metadata) { state.withLock { $0.initial = initial } }

  /// An attempt is over.
  func ended(_ attempt: Int, _ end: CallEnd) {
    state.withLock { state in
      state.initial = end.initial
      state.trailing = end.trailing
    }
    tell(.ended(attempt: attempt, error: end.error))
  }

  /// It has been decided what follows an attempt that has failed.
  func decided(_ attempt: Int, _ decision: RetryDecision) { tell(.decided(attempt: attempt, decision)) }

  private func tell(_ event: AttemptEvent) {
    for observe in state.withLock({ $0.observers }) { observe(event) }
  }
}
