// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// The rest of a request that has been answered. Nobody wants it, but it may be nearly over, and the connection of use for the
/// next request: so some of it is read. No I/O.
struct UnwantedBody {
  /// Bytes of it that are still read; nil while the body is wanted, or over.
  private(set) var room: Int?
  /// Where it ends does not matter any more.
  private var isGivenUp = false
  private var budget: TokenBucket

  private static let limit = 64 * 1024
  /// A rest of which it is known how long it is may take so long.
  static let drainTime = TimeAmount.seconds(5)
  /// An answer waits so long for the end of chunks.
  static let holdTime = TimeAmount.milliseconds(50)

  init(_ configuration: HTTP1Configuration, now: NIODeadline) {
    budget = TokenBucket(configuration.unreadBodies, now: now)
  }

  /// The request has been answered.
  ///
  /// - Returns: False when there were too many of them: nothing is read.
  mutating func begin(_ now: NIODeadline) -> Bool {
    let isAdmitted = budget.take(now)
    room = isAdmitted ? Self.limit : 0
    return isAdmitted
  }

  /// Bytes of the request's body came.
  mutating func receive(_ count: Int) { if let room { self.room = max(0, room - count) } }

  /// No more is read.
  mutating func giveUp() { (room, isGivenUp) = (0, true) }

  /// The body is over, or another one begins.
  mutating func end() { (room, isGivenUp) = (nil, false) }

  /// Whether there is more of it than is read.
  ///
  /// - Parameter left: Bytes that are to come; nil when nobody knows.
  func isTooLong(left: Int?) -> Bool {
    guard let room else { return false }
    return isGivenUp || left.map { $0 > room } ?? (room == 0)
  }
}
