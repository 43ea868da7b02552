// SPDX-License-Identifier: Apache-2.0
import DequeModule

/// Calls that wait for a connection, in their order. One that ends takes itself out, and is released.
///
/// Lives on the channel's event loop.
final class WaitingCalls {
  /// Where a call stands.
  struct Place {
    fileprivate let queue: WaitingCalls
    fileprivate let number: Int
  }

  /// The calls from number `first` on; nil for those that have taken themselves out.
  @exclusivity(unchecked) private var slots = Deque<(any PendingCall)?>()
  @exclusivity(unchecked) private var first = 0
  /// How many calls wait.
  @exclusivity(unchecked) private(set) var count = 0
  /// Slots that are not worth being tidied up.
  private static let keptSlots = 64

  var isEmpty: Bool { count == 0 }
  /// How many slots there are, those included that are empty; for tests.
  var slotCount: Int { slots.count }

  func append(_ call: any PendingCall) {
    call.place = Place(queue: self, number: first + slots.count)
    slots.append(call)
    count += 1
  }

  func prepend(_ call: any PendingCall) {
    first -= 1
    call.place = Place(queue: self, number: first)
    slots.prepend(call)
    count += 1
  }

  /// Takes the call out that has waited longest; nil when there is none.
  func popFirst() -> (any PendingCall)? {
    while let slot = slots.popFirst() {
      first += 1
      guard let call = slot else { continue }
      call.place = nil
      count -= 1
      return call
    }
    return nil
  }

  fileprivate func remove(_ number: Int) {
    slots[number - first] = nil
    count -= 1
    guard slots.count > Self.keptSlots, slots.count > 2 * count else { return }
    slots.removeAll { $0 == nil }
    for (index, call) in slots.enumerated() { call?.place = Place(queue: self, number: first + index) }
  }
}

extension PendingCall {
  /// Takes the call out of the queue in which it waits, if it does.
  func leaveQueue() {
    guard let place else { return }
    self.place = nil
    place.queue.remove(place.number)
  }
}
