// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Synchronization
import TaxonProtobuf

/// Bounds of what one connection, and all of them together, may hold for their peers. Bytes.
package struct LedgerLimits: Sendable, Hashable {
  /// Received messages that wait to be read or are in the hands of a handler, and parts of messages.
  package var received = 16 * 1024 * 1024
  /// Sent messages that wait for the peer's windows.
  package var sent = 16 * 1024 * 1024
  /// A connection that holds no more than this goes on when all of them together hold too much.
  package var share = 64 * 1024

  /// The values above.
  package init() {}
}

/// What all connections of a server hold together. Connections add to it in steps, so that a call costs it nothing.
package final class SharedLedger: Sendable {
  /// Bounds of the two sums.
  let limits: LedgerLimits
  private let receivedBytes = Atomic<Int>(0)
  private let sentBytes = Atomic<Int>(0)
  /// Connections that wait until the sums are below their bounds again.
  private let waiting = Locked<[ObjectIdentifier: @Sendable () -> Void]>([:])
  private let hasWaiting = Atomic<Bool>(false)

  /// A ledger in which nothing is written yet.
  package init(received: Int, sent: Int) {
    var limits = LedgerLimits()
    limits.received = received
    limits.sent = sent
    self.limits = limits
  }

  /// What is held in received messages, to within 64 KiB a connection.
  package var received: Int { receivedBytes.load(ordering: .relaxed) }
  /// What is held in messages to be sent, to within 64 KiB a connection.
  package var sent: Int { sentBytes.load(ordering: .relaxed) }

  var hasReceivedTooMuch: Bool { received > limits.received }
  var hasTooMuchToSend: Bool { sent > limits.sent }

  fileprivate func add(received change: Int) {
    if receivedBytes.add(change, ordering: .sequentiallyConsistent).newValue <= limits.received, change < 0 { wake() }
  }

  fileprivate func add(sent change: Int) {
    if sentBytes.add(change, ordering: .sequentiallyConsistent).newValue <= limits.sent, change < 0 { wake() }
  }

  fileprivate func wait(_ ledger: ConnectionLedger, _ body: @escaping @Sendable () -> Void) {
    let id = ObjectIdentifier(ledger)
    waiting.withLock { waiting in
      waiting[id] = body
      hasWaiting.store(true, ordering: .sequentiallyConsistent)
    }
    // It may have become less meanwhile.
    if !hasReceivedTooMuch, !hasTooMuchToSend { wake() }
  }

  fileprivate func forget(_ ledger: ConnectionLedger) {
    guard hasWaiting.load(ordering: .sequentiallyConsistent) else { return }
    let id = ObjectIdentifier(ledger)
    waiting.withLock { $0[id] = nil }
  }

  private func wake() {
    guard hasWaiting.load(ordering: .sequentiallyConsistent) else { return }
    let waiting = waiting.withLock { waiting in
      hasWaiting.store(false, ordering: .sequentiallyConsistent)
      defer { waiting = [:] }
      return Array(waiting.values)
    }
    for body in waiting { body() }
  }
}

/// What one connection has to send, for any thread to look at.
package final class OutputGauge: Sendable {
  fileprivate let limits: LedgerLimits
  fileprivate let shared: SharedLedger?
  /// As far as the server's sum knows.
  fileprivate let settled = Atomic<Int>(0)

  fileprivate init(_ limits: LedgerLimits, _ shared: SharedLedger?) {
    self.limits = limits
    self.shared = shared
  }

  // Writers may keep it for longer than there is a connection, which settles it before.
  deinit { shared?.add(sent: -settled.load(ordering: .relaxed)) }

  /// True when so many bytes that wait for the peer's windows leave no room for more.
  func isFull(_ count: Int) -> Bool {
    if count > limits.sent { return true }
    return count > limits.share && shared?.hasTooMuchToSend == true
  }

  /// The same, to within the step in which it is counted.
  package var isFull: Bool { isFull(settled.load(ordering: .relaxed)) }
}

/// A stream that waits until its connection holds less.
package protocol LedgerWaiter: AnyObject {
  /// Goes on as far as there is room; false: it still waits.
  func ledgerHasRoom() -> Bool
}

/// What one connection holds for its peer. Lives on the connection's event loop.
///
/// Past its bounds the windows of streams are not opened, so that the peer stops, and calls wait to be started. Past the
/// server's bounds the same happens to connections that hold more than their share.
package final class ConnectionLedger {
  package let limits: LedgerLimits
  private let shared: SharedLedger?
  private let eventLoop: (any EventLoop)?
  /// Bytes that may be added or taken before the server's sum is told.
  private let step: Int
  /// Decoded messages that wait to be read, and those in the hands of handlers.
  @exclusivity(unchecked) private(set) var decoded = 0
  /// Bytes that came and are not messages yet: parts of messages, and what may not be decoded before others are read.
  @exclusivity(unchecked) private(set) var raw = 0
  /// Bytes by which streams' windows were made larger than the usual.
  @exclusivity(unchecked) private var grown = 0
  @exclusivity(unchecked) private var settledReceived = 0
  /// What is to be sent.
  package let gauge: OutputGauge
  @exclusivity(unchecked) private var waiting: [any LedgerWaiter] = []
  @exclusivity(unchecked) private var isWaking = false
  @exclusivity(unchecked) private var wakesAgain = false
  @exclusivity(unchecked) private var waitsForShared = false
  /// The stream that may receive the rest of its message though there is too much: one of them always can, so that
  /// parts of messages never wait for each other.
  @exclusivity(unchecked) private weak var leader: (any LedgerWaiter)?
  /// Called when the connection holds more than its share, with each step by which it becomes more.
  @exclusivity(unchecked) package var holdsMore: (() -> Void)?
  /// Called when other connections have made room, after `waitForShared`.
  @exclusivity(unchecked) package var hasRoom: (() -> Void)?

  /// An empty ledger.
  ///
  /// - Parameter eventLoop: The connection's, on which waiters are woken; nil without `shared`.
  package init(_ limits: LedgerLimits = LedgerLimits(), shared: SharedLedger? = nil, eventLoop: (any EventLoop)? = nil)
  {
    self.limits = limits
    self.shared = shared
    self.eventLoop = eventLoop
    gauge = OutputGauge(limits, shared)
    step = max(1, min(64 * 1024, limits.received / 4, limits.sent / 4))
  }

  deinit {
    if settledReceived != 0 { shared?.add(received: -settledReceived) }
  }

  // MARK: Received

  /// All that is held of what came.
  package var received: Int { decoded + raw }
  /// Decoded bytes that one stream may hold.
  package var streamLimit: Int { max(1, limits.received / 4) }

  /// True: no message may be decoded before others are read.
  package var isFullOfMessages: Bool { decoded >= limits.received || exceedsShare }
  /// True: no window may be opened for a part of a message, but for one.
  package var isFullOfInput: Bool { received >= limits.received || exceedsShare }
  /// True: all connections together hold too much, and this one more than its share.
  package var exceedsShare: Bool { received > limits.share && shared?.hasReceivedTooMuch == true }

  /// Decoded messages came, or were read.
  package func change(decoded change: Int) {
    guard change != 0 else { return }
    decoded += change
    settle(change)
  }

  /// Bytes that are not messages yet came, or became messages.
  package func change(raw change: Int) {
    guard change != 0 else { return }
    raw += change
    settle(change)
  }

  private func settle(_ change: Int) {
    let difference = received - settledReceived
    if abs(difference) >= step || (received == 0 && difference != 0) {
      settledReceived = received
      shared?.add(received: difference)
      if change > 0, received > limits.share { holdsMore?() }
    }
    if change < 0, !waiting.isEmpty { wake() }
  }

  /// True: the stream's window may become larger by so many bytes.
  func grow(by count: Int) -> Bool {
    guard grown + count <= limits.received else { return false }
    grown += count
    return true
  }

  /// A stream whose window was larger is gone.
  func shrink(by count: Int) { grown -= count }

  /// True for the one stream that may go on to receive its message; it leads until `leave`.
  package func leads(_ waiter: any LedgerWaiter) -> Bool {
    if leader == nil { leader = waiter }
    return leader === waiter
  }

  /// The stream has its message, or needs none.
  package func leave(_ waiter: any LedgerWaiter) {
    guard leader === waiter else { return }
    leader = nil
    if !waiting.isEmpty { wake() }
  }

  /// Calls the waiter when there is less, those first that have waited longest.
  package func wait(_ waiter: any LedgerWaiter) {
    waiting.append(waiter)
    if exceedsShare { waitForShared() }
  }

  /// The waiter is gone.
  package func forget(_ waiter: any LedgerWaiter) {
    waiting.removeAll { $0 === waiter }
  }

  private func wake() {
    guard !isWaking else {
      wakesAgain = true
      return
    }
    isWaking = true
    defer { isWaking = false }
    repeat {
      wakesAgain = false
      for waiter in waiting where waiter.ledgerHasRoom() { forget(waiter) }
    } while wakesAgain && !waiting.isEmpty
    if !waiting.isEmpty, exceedsShare { waitForShared() }
  }

  // MARK: Sent

  /// What waits for the peer's windows has changed; told to the server's sum in steps.
  @inline(__always)
  func settle(sent count: Int) {
    let difference = count - gauge.settled.load(ordering: .relaxed)
    if abs(difference) >= step || (count == 0 && difference != 0) { settleSent(count, difference) }
  }

  @inline(never)
  private func settleSent(_ count: Int, _ difference: Int) {
    gauge.settled.store(count, ordering: .relaxed)
    shared?.add(sent: difference)
    if difference > 0, count > limits.share { holdsMore?() }
  }

  /// True when so many bytes that wait for the peer's windows leave no room for more.
  package func isFull(sent count: Int) -> Bool { gauge.isFull(count) }

  /// True when all connections together have too much to send: none of them begins a reply that its peer does not take.
  package var isFullForAll: Bool { shared?.hasTooMuchToSend == true }

  /// True when so many bytes that wait for the peer's windows, or what came, are more than the connection's share.
  package func holdsMuch(sent count: Int) -> Bool { count > limits.share || received > limits.share }

  /// Calls `hasRoom` once all connections together hold less.
  package func waitForShared() {
    guard let shared, let eventLoop, !waitsForShared else { return }
    waitsForShared = true
    let bound = NIOLoopBound(Weak(self), eventLoop: eventLoop)
    shared.wait(self) {
      eventLoop.execute {
        guard let ledger = bound.value.ledger else { return }
        ledger.waitsForShared = false
        ledger.hasRoom?()
        ledger.wake()
      }
    }
  }

  /// The connection is gone: nothing is called any more.
  package func close() {
    holdsMore = nil
    hasRoom = nil
    shared?.forget(self)
  }

  private struct Weak {
    weak var ledger: ConnectionLedger?
    init(_ ledger: ConnectionLedger) { self.ledger = ledger }
  }
}
