// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// When a connection of HTTP/1.1 has waited long enough for its peer. No I/O: the connection asks for the deadline, and keeps it.
struct HTTP1Clock {
  private let configuration: HTTP1Configuration
  private var headEnd: NIODeadline?
  private var drainEnd: NIODeadline?
  private var body: BodyClock?

  /// The first head is waited for from now on.
  init(_ configuration: HTTP1Configuration, now: NIODeadline) {
    self.configuration = configuration
    headEnd = now + TimeAmount(saturating: configuration.headTimeout)
  }

  /// A head has begun, and is not complete.
  mutating func headGoesOn(_ now: NIODeadline) {
    if headEnd == nil { headEnd = now + TimeAmount(saturating: configuration.headTimeout) }
  }

  mutating func headEnded() { headEnd = nil }

  mutating func bodyBegins() {
    body = nil
    drainEnd = nil
  }

  /// More of the body is waited for.
  mutating func bodyIsAwaited(_ now: NIODeadline) {
    if body == nil { body = BodyClock(timeout: configuration.bodyTimeout, rate: configuration.minBodyRate) }
    body?.wait(now)
  }

  /// The peer may take its time, or has to wait for room.
  mutating func bodyMayPause(_ now: NIODeadline) { body?.pause(now) }

  mutating func bodyCame(_ count: Int, _ now: NIODeadline) { body?.receive(count, now) }

  mutating func bodyEnded() {
    body = nil
    drainEnd = nil
  }

  /// Nobody wants the rest of the body: it has to be over in that time.
  mutating func drain(_ now: NIODeadline, _ time: TimeAmount) {
    body = nil
    drainEnd = now + time
  }

  /// When what is waited for is late; nil when nothing is.
  var deadline: NIODeadline? { headEnd ?? drainEnd ?? body?.deadline }
}
