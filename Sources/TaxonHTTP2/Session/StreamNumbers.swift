// SPDX-License-Identifier: Apache-2.0

/// The stream numbers that a client has used. Those that it skips are closed for good (RFC 9113 §5.1.1).
struct StreamNumbers {
  private var highest: Int32 = -1
  /// The latest skips; no client but a broken one has any.
  private var skipped: [ClosedRange<Int32>] = []
  private static let maxSkips = 16

  /// True when the number was skipped, and may not be used any more.
  func isSkipped(_ id: Int32) -> Bool {
    id < highest && skipped.contains { $0.contains(id) }
  }

  /// HEADERS came on the stream.
  mutating func use(_ id: Int32) {
    guard id > highest else { return }
    if id > highest + 2 {
      if skipped.count == Self.maxSkips { skipped.removeFirst() }
      skipped.append(highest + 1...id - 1)
    }
    highest = id
  }
}
