// SPDX-License-Identifier: Apache-2.0

/// The stream numbers that a client has used. Those that it skips are closed for good (RFC 9113 §5.1.1), and so are those
/// that it has ended (§5.1): nghttp2, which could tell, forgets streams without priorities when they close.
struct StreamNumbers {
  private var highest: Int32 = -1
  /// The latest skips; no client but a broken one has any.
  private var skipped: [ClosedRange<Int32>] = []
  private static let maxSkips = 16

  /// Which of the latest 128 numbers of clients, which are odd, the client has ended; the lowest bit is the highest's.
  private var ended: UInt128 = 0

  /// True when the number was skipped, and may not be used any more.
  func isSkipped(_ id: Int32) -> Bool {
    id < highest && skipped.contains { $0.contains(id) }
  }

  /// True when the client has ended the stream, and may send no more on it. Older ones are forgotten.
  func isEnded(_ id: Int32) -> Bool {
    id <= highest && (ended >> UInt128((highest - id) / 2)) & 1 == 1
  }

  /// END_STREAM or RST_STREAM came on the stream.
  mutating func end(_ id: Int32) {
    guard id <= highest else { return }
    ended |= 1 << UInt128((highest - id) / 2)
  }

  /// HEADERS came on the stream.
  mutating func use(_ id: Int32) {
    guard id > highest else { return }
    if id > highest + 2 {
      if skipped.count == Self.maxSkips { skipped.removeFirst() }
      skipped.append(highest + 1...id - 1)
    }
    ended <<= UInt128((id - highest) / 2)
    highest = id
  }
}
