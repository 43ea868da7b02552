// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonCalls
import TaxonResilience
import TaxonTransport

/// When to connect to an endpoint, and when to leave it alone for a while (gRPC connection-backoff document). No I/O, no
/// clock: times come in.
struct SubchannelState {
  private enum Phase {
    case idle
    case connecting
    case ready
    case waiting(until: NIODeadline)
    case shutDown
  }

  private let backoff: Backoff
  private let connectTimeout: TimeAmount
  private var phase = Phase.idle
  /// Attempts since the last connection that was of use.
  private var failures = 0
  /// No attempt begins before; counted from the beginning of the last one.
  private var nextAttempt = NIODeadline.uptimeNanoseconds(0)
  /// The connection before this one was made, and ended before it did anything for anybody.
  private var wasUseless = false

  init(backoff: Backoff, connectTimeout: Duration) {
    self.backoff = backoff
    self.connectTimeout = TimeAmount(saturating: connectTimeout)
  }

  /// How the endpoint looks to the balancer.
  var state: ConnectivityState {
    switch phase {
    case .idle: .idle
    case .connecting: .connecting
    case .ready: .ready
    case .waiting: .transientFailure
    case .shutDown: .shutdown
    }
  }

  /// Begins an attempt, when there is no connection and no reason to wait.
  ///
  /// - Returns: Until when the attempt has to come to its end; nil: nothing is to be done.
  mutating func connect(
    at now: NIODeadline, using generator: inout some RandomNumberGenerator
  ) -> NIODeadline? {
    guard case .idle = phase else { return nil }
    phase = .connecting
    failures += 1
    nextAttempt = now + TimeAmount(saturating: backoff.delay(retry: failures, using: &generator))
    return max(nextAttempt, now + connectTimeout)
  }

  /// The attempt brought a connection. False: nobody wants it any more.
  mutating func connected() -> Bool {
    guard case .connecting = phase else { return false }
    phase = .ready
    return true
  }

  /// What a connection has come to when it takes no more calls.
  enum Ending {
    /// It was never made, or the server did not speak HTTP/2.
    case failed
    /// It was made, and no call came to its end.
    case unused
    /// Calls were answered.
    case used
  }

  /// The attempt failed, or the connection takes no more calls.
  ///
  /// - Returns: When to call `elapsed`; nil: there is nothing to wait for.
  mutating func ended(_ ending: Ending, at now: NIODeadline) -> NIODeadline? {
    switch phase {
    case .idle, .waiting, .shutDown: return nil
    case .connecting, .ready: break
    }
    // A server that takes connections and sends them away again is asked at the pace of one that is not there.
    let isFailure = ending == .failed || (ending == .unused && wasUseless && now < nextAttempt)
    wasUseless = ending == .unused
    guard isFailure else {
      failures = 0
      phase = .idle
      return nil
    }
    let until = max(now, nextAttempt)
    phase = .waiting(until: until)
    return until
  }

  /// The pause is over. False: there was none.
  mutating func elapsed() -> Bool {
    guard case .waiting = phase else { return false }
    phase = .idle
    return true
  }

  /// No more attempts.
  mutating func shutDown() { phase = .shutDown }
}
