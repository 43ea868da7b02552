// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonResilience

/// Gives each call to the next subchannel in turn that can take it.
struct Picker {
  /// What to do with a call.
  enum Pick: ~Copyable {
    case send(ClientConnection)
    /// Send it with the leave of the server's breaker.
    case admit(ClientConnection, CircuitBreaker.Permit)
    /// Connections are being made, or are full.
    case wait
    /// The breakers of all servers that could take the call are open.
    case reject(ConnectionError.CircuitOpen)
    /// No server can be reached, and how the last one tried failed.
    case unreachable(Outage)
    /// No server is known.
    case none
  }

  private var next = 0

  mutating func pick(from subchannels: [Subchannel]) -> Pick {
    var mayCome = false
    var rejection: ConnectionError.CircuitOpen?
    var outage: Outage?
    var unreachable = 0
    for offset in 0..<subchannels.count {
      let index = (next + offset) % subchannels.count
      let subchannel = subchannels[index]
      guard let connection = subchannel.connection else {
        guard subchannel.state == .transientFailure, let failure = subchannel.outage else {
          mayCome = true
          continue
        }
        unreachable += 1
        if failure.began >= outage?.began ?? failure.began { outage = failure }
        continue
      }
      guard connection.hasRoom else {
        mayCome = true
        continue
      }
      guard let breaker = subchannel.breaker else {
        next = index + 1
        return .send(connection)
      }
      do throws(ConnectionError.CircuitOpen) {
        let permit = try breaker.acquire()
        next = index + 1
        return .admit(connection, permit)
      } catch {
        // The one that is asked again first says when.
        let isEarlier = (error.retryAfter ?? .zero) < (rejection?.retryAfter ?? .zero)
        if rejection == nil || isEarlier { rejection = error }
      }
    }
    if mayCome { return .wait }
    if let rejection { return .reject(rejection) }
    if var outage {
      outage.otherAddresses += unreachable - 1
      return .unreachable(outage)
    }
    return .none
  }
}
