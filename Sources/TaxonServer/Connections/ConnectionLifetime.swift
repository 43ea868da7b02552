// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonTransport

/// What the clock says of one connection: whether its set-up takes too long, whether the peer is still there, whether it
/// is idle or old. No I/O: the connection asks what is to be done, and when to ask again.
struct ConnectionLifetime {
  enum Action: Equatable {
    /// Ask the peer for a sign of life.
    case ping
    /// Let the calls end and close.
    case drain(Reason)
    /// Close at once.
    case close(Reason)
  }

  enum Reason: String {
    case setup = "the connection was not set up in time"
    case dead = "the peer does not answer PINGs"
    case idle = "max_idle"
    case age = "max_age"
    case grace = "calls went on past the grace period of the connection's age"
  }

  private var settings: KeepaliveSettings
  /// HTTP/1.1 has no PING.
  private var hasPings = true
  private var setupEnd: NIODeadline?
  private var ageEnd: NIODeadline?
  private var graceEnd: NIODeadline?
  private var pinged: NIODeadline?
  private var isDraining = false

  /// - Parameter jitter: -0.1 to 0.1, the part of the age by which it is longer.
  init(_ settings: KeepaliveSettings, setupTimeout: Duration, now: NIODeadline, jitter: Double) {
    self.settings = settings
    setupEnd = now + TimeAmount(saturating: setupTimeout)
    ageEnd = settings.maxConnectionAge.map { now + TimeAmount(saturating: $0 * (1 + jitter)) }
  }

  /// True until `endSetup`.
  var isSettingUp: Bool { setupEnd != nil }

  /// The peer has answered SETTINGS.
  mutating func endSetup() { setupEnd = nil }

  /// The peer speaks HTTP/1.1: it cannot be asked for a sign of life, and has an idle time of its own.
  mutating func speaksHTTP1(idleTimeout: Duration?) {
    hasPings = false
    if let idleTimeout { settings.maxConnectionIdle = min(idleTimeout, settings.maxConnectionIdle ?? idleTimeout) }
  }

  /// The connection is being closed gracefully for another reason.
  mutating func beganDraining() { isDraining = true }

  /// - Parameters:
  ///   - lastRead: When the peer was last heard of.
  ///   - idleSince: Since when there have been no calls; nil when there are some.
  mutating func check(now: NIODeadline, lastRead: NIODeadline, idleSince: NIODeadline?) -> Action? {
    if let setupEnd { return now >= setupEnd ? .close(.setup) : nil }
    if let graceEnd, now >= graceEnd { return .close(.grace) }
    if let pinged {
      if lastRead >= pinged {
        self.pinged = nil
      } else if now >= pinged + TimeAmount(saturating: settings.timeout) {
        return .close(.dead)
      }
    }
    if !isDraining {
      if let ageEnd, now >= ageEnd { return drain(.age, now) }
      if let idle = settings.maxConnectionIdle, let idleSince, now >= idleSince + TimeAmount(saturating: idle) {
        return drain(.idle, now)
      }
    }
    if hasPings, pinged == nil, now >= lastRead + TimeAmount(saturating: settings.time) {
      pinged = now
      return .ping
    }
    return nil
  }

  private mutating func drain(_ reason: Reason, _ now: NIODeadline) -> Action {
    isDraining = true
    graceEnd = settings.maxConnectionAgeGrace.map { now + TimeAmount(saturating: $0) }
    return .drain(reason)
  }

  /// When `check` may next have something to say. What happens before then only moves it further away.
  func next(now: NIODeadline, lastRead: NIODeadline, idleSince: NIODeadline?) -> NIODeadline {
    if let setupEnd { return setupEnd }
    var next =
      pinged.map { $0 + TimeAmount(saturating: settings.timeout) }
      ?? (hasPings ? lastRead : now) + TimeAmount(saturating: settings.time)
    if let graceEnd { next = min(next, graceEnd) }
    if !isDraining {
      if let ageEnd { next = min(next, ageEnd) }
      if let idle = settings.maxConnectionIdle { next = min(next, (idleSince ?? now) + TimeAmount(saturating: idle)) }
    }
    return next
  }
}
