// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// Decides which lines of a log are written: the first of a kind at once; those that follow are counted, and a sum of
/// them is due once a second. No I/O and no clock of its own.
///
/// A peer whose calls all fail costs the log two lines a second and kind by that, and not one a call.
struct RepeatedLines<Kind: Hashable> {
  /// What was left out of the log.
  struct Sum {
    /// Nil: kinds beyond those that are told apart.
    let kind: Kind?
    let count: Int
  }

  private struct Entry {
    var since: NIODeadline
    var count = 0
  }

  /// Kinds of the last second.
  private var entries: [Kind: Entry] = [:]
  private var others: Entry?
  private var countedKinds = 0
  /// How many kinds are told apart: a peer that makes up kinds must not fill the memory.
  static var maxKinds: Int { 256 }
  static var interval: TimeAmount { .seconds(1) }

  /// True while a sum will be due.
  var hasCounted: Bool { countedKinds > 0 }

  /// True when a line is to be written; otherwise it counts for a sum.
  mutating func admit(_ kind: Kind, now: NIODeadline) -> Bool {
    if let entry = entries[kind] {
      if entry.count == 0, now - entry.since >= Self.interval {
        entries[kind] = Entry(since: now)
        return true
      }
      if entry.count == 0 { countedKinds += 1 }
      entries[kind]?.count += 1
      return false
    }
    if entries.count >= Self.maxKinds {
      entries = entries.filter { $0.value.count > 0 || now - $0.value.since < Self.interval }
    }
    guard entries.count < Self.maxKinds else {
      if others == nil { countedKinds += 1 }
      others = Entry(since: others?.since ?? now, count: (others?.count ?? 0) + 1)
      return false
    }
    entries[kind] = Entry(since: now)
    return true
  }

  /// The sums whose second is over, or all of them at the end.
  mutating func takeSums(now: NIODeadline, isLast: Bool = false) -> [Sum] {
    var sums: [Sum] = []
    for (kind, entry) in entries where entry.count > 0 && (isLast || now - entry.since >= Self.interval) {
      sums.append(Sum(kind: kind, count: entry.count))
      entries[kind] = Entry(since: now)
    }
    if let entry = others, isLast || now - entry.since >= Self.interval {
      sums.append(Sum(kind: nil, count: entry.count))
      others = nil
    }
    countedKinds -= sums.count
    return sums
  }
}
