// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// The same numbers each time: SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64 = 42

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var bits = state
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }
}

/// Collects what a handler is told.
final class Log<Entry: Sendable>: Sendable {
  private let state = Locked([Entry]())

  var entries: [Entry] { state.withLock { $0 } }
  func append(_ entry: Entry) { state.withLock { $0.append(entry) } }
  func removeAll() { state.withLock { $0 = [] } }
}
