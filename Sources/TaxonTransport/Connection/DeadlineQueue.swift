// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// Something that has to be over at some time.
package protocol DeadlineHolder: AnyObject {
  /// Where it stands in the queue, -1 outside; for the queue alone.
  var deadlineIndex: Int { get set }
  /// Its time is over, and it is no longer in the queue.
  func deadlineExceeded()
}

/// The deadlines of many calls, with one timer of the event loop's for all of them: to take a timer back from the loop
/// takes a search through all of them.
///
/// Lives on its event loop.
package final class DeadlineQueue {
  private typealias Entry = (deadline: NIODeadline, holder: any DeadlineHolder)

  private let eventLoop: any EventLoop
  /// A binary heap: no entry is later than those at 2i + 1 and 2i + 2.
  @exclusivity(unchecked) private var heap: [Entry] = []
  /// Goes off at the time of the first entry or, after that one was taken out, before.
  @exclusivity(unchecked) private var timer: Scheduled<Void>?
  @exclusivity(unchecked) private var timerDeadline = NIODeadline.distantFuture

  package init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

  // The loop would keep it up to its time, which the peer may have chosen.
  deinit { timer?.cancel() }

  package var count: Int { heap.count }
  /// What the deadlines are compared with: the loop's time.
  package var now: NIODeadline { eventLoop.now }

  /// Waits until the deadline; the holder is kept until then, or until it is taken out.
  package func add(_ holder: any DeadlineHolder, at deadline: NIODeadline) {
    eventLoop.assertInEventLoop()
    precondition(holder.deadlineIndex == -1, "a holder has one deadline")
    holder.deadlineIndex = heap.count
    heap.append((deadline, holder))
    rise(heap.count - 1)
    setTimer()
  }

  /// Takes a holder out, if it is in the queue.
  package func remove(_ holder: any DeadlineHolder) {
    let index = holder.deadlineIndex
    guard index >= 0 else { return }
    eventLoop.assertInEventLoop()
    holder.deadlineIndex = -1
    let last = heap.removeLast()
    guard index < heap.count else { return }
    heap[index] = last
    last.holder.deadlineIndex = index
    sink(index)
    rise(index)
  }

  private func setTimer() {
    guard let first = heap.first, first.deadline < timerDeadline else { return }
    timer?.cancel()
    timerDeadline = first.deadline
    timer = eventLoop.assumeIsolated().scheduleTask(deadline: first.deadline) { [weak self] in self?.goOff() }
  }

  private func goOff() {
    timer = nil
    timerDeadline = .distantFuture
    let now = eventLoop.now
    while let (deadline, holder) = heap.first, deadline <= now {
      remove(holder)
      holder.deadlineExceeded()
    }
    setTimer()
  }

  private func rise(_ index: Int) {
    var index = index
    while index > 0 {
      let parent = (index - 1) / 2
      guard heap[index].deadline < heap[parent].deadline else { return }
      exchange(index, parent)
      index = parent
    }
  }

  private func sink(_ index: Int) {
    var index = index
    while true {
      var first = index
      for child in 2 * index + 1...2 * index + 2
      where child < heap.count && heap[child].deadline < heap[first].deadline {
        first = child
      }
      guard first != index else { return }
      exchange(index, first)
      index = first
    }
  }

  private func exchange(_ one: Int, _ other: Int) {
    heap.swapAt(one, other)
    heap[one].holder.deadlineIndex = one
    heap[other].holder.deadlineIndex = other
  }
}
