// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// When to ask the peer whether it is still there, and when to take it for dead (gRPC A8). No I/O, no clock: times come
/// in.
struct KeepaliveState {
  /// What is to be done when the timer fires.
  enum Action: Equatable {
    /// Call again then.
    case wait(until: NIODeadline)
    /// Send a PING, and call again then.
    case ping(until: NIODeadline)
    /// Nothing, until a call begins.
    case sleep
    /// The peer is dead.
    case close
  }

  let time: TimeAmount
  let timeout: TimeAmount
  let permitsWithoutCalls: Bool
  /// When a silence began, unless bytes came later.
  private var base: NIODeadline
  private var pinged: NIODeadline?
  /// True while no timer runs, because no call is open.
  private(set) var isAsleep = false

  init(time: TimeAmount, timeout: TimeAmount, permitsWithoutCalls: Bool, at now: NIODeadline) {
    self.time = time
    self.timeout = timeout
    self.permitsWithoutCalls = permitsWithoutCalls
    base = now
  }

  /// A call began on a connection whose keepalive was asleep.
  ///
  /// - Returns: When to call `due`; nil: that is known already.
  mutating func wake(at now: NIODeadline) -> NIODeadline? {
    guard isAsleep else { return nil }
    isAsleep = false
    base = now
    return now + time
  }

  /// The timer fired.
  ///
  /// - Parameter lastRead: When bytes came last; any byte shows that the peer is alive.
  mutating func due(at now: NIODeadline, lastRead: NIODeadline, hasCalls: Bool) -> Action {
    if let pinged {
      if lastRead < pinged {
        return now >= pinged + timeout ? .close : .wait(until: pinged + timeout)
      }
      self.pinged = nil
    }
    guard hasCalls || permitsWithoutCalls else {
      isAsleep = true
      return .sleep
    }
    let next = max(base, lastRead) + time
    if now < next { return .wait(until: next) }
    pinged = now
    return .ping(until: now + timeout)
  }
}
